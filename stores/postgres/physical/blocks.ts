import type { WalRecord } from "./records.ts";

// Layout: src/include/access/xlogrecord.h of PostgreSQL 15.
const pageBytes = 8192;
const hasImage = 0x10;
const sameRelation = 0x80;
const imageHasHole = 0x01;
const imageIsCompressed = 0x04 | 0x08 | 0x10;

/** A block that a record changes. */
export interface Block {
    /** tablespace/database/filenode */
    readonly relation: string;
    readonly data: Buffer;
    /** The whole page, where the record has it as it is: the first time after a checkpoint. */
    readonly page?: Buffer;
}
export interface Parts {
    readonly blocks: readonly Block[];
    readonly main: Buffer;
}

interface Head {
    readonly relation: string;
    readonly data: number;
    readonly image?: { readonly bytes: number; readonly hole: number; readonly info: number };
}

/** Takes a record apart. @throws RangeError where it is none of PostgreSQL 15 */
export function partsOf({ body }: WalRecord): Parts {
    const heads: Head[] = [];
    let at = 0;
    let main = 0;
    let heading = true;
    while (heading && at < body.length) {
        const id = body[at]!;
        if (id === 255) {
            main = body[at + 1]!;
            at += 2;
            heading = false;
        } else if (id === 254) {
            main = body.readUInt32LE(at + 1);
            at += 5;
            heading = false;
        } else if (id === 253) at += 3;
        else if (id === 252) at += 5;
        else {
            const head = headAt(body, at, heads.at(-1)?.relation);
            heads.push(head.head);
            at = head.next;
            // A record without main data ends its heads where the payload fills the rest.
            heading = at + heads.reduce((sum, one) => sum + one.data + (one.image?.bytes ?? 0), 0) < body.length;
        }
    }
    const blocks = heads.map(({ relation, data, image }): Block => {
        const page = image && pageOf(body.subarray(at, at + image.bytes), image);
        at += image?.bytes ?? 0;
        const block = { relation, data: body.subarray(at, at + data), ...(page ? { page } : {}) };
        at += data;
        return block;
    });
    return { blocks, main: body.subarray(at, at + main) };
}

function headAt(body: Buffer, from: number, former: string | undefined): { head: Head; next: number } {
    const flags = body[from + 1]!;
    const data = body.readUInt16LE(from + 2);
    let at = from + 4;
    let image: Head["image"];
    if (flags & hasImage) {
        const info = body[at + 4]!;
        image = { bytes: body.readUInt16LE(at), hole: body.readUInt16LE(at + 2), info };
        at += 5;
        if (info & imageHasHole && info & imageIsCompressed) at += 2;
    }
    let relation = former ?? "";
    if (!(flags & sameRelation)) {
        relation = [0, 4, 8].map((offset) => body.readUInt32LE(at + offset)).join("/");
        at += 12;
    }
    return { head: { relation, data, ...(image ? { image } : {}) }, next: at + 4 };
}

function pageOf(bytes: Buffer, { hole, info }: NonNullable<Head["image"]>): Buffer | undefined {
    if (info & imageIsCompressed) return undefined;
    if (!(info & imageHasHole)) return bytes;
    const page = Buffer.alloc(pageBytes);
    bytes.copy(page, 0, 0, hole);
    bytes.copy(page, hole + pageBytes - bytes.length, hole);
    return page;
}
