import type { WalRecord } from "./records.ts";

/** Resource managers' numbers: src/include/access/rmgrlist.h. */
export const managers = { log: 0, transaction: 1, heap2: 9, heap: 10 } as const;

/** Microseconds from 1970 to 2000, where PostgreSQL's clock begins. */
const epoch = 946_684_800_000_000n;

export interface Ending {
    readonly kind: "commit" | "abort";
    readonly transaction: number;
    readonly at: Date;
    readonly subtransactions: readonly number[];
    /** Files of relations that go with it: tablespace/database/filenode. */
    readonly dropped: readonly string[];
}

/** Where a record's main data begins, and what its head says of a transaction above it. https://www.postgresql.org/docs/15/wal-internals.html, access/xlogrecord.h */
function mainData(body: Buffer): Buffer {
    for (let at = 0; at < body.length;) {
        const id = body[at]!;
        if (id === 255) return body.subarray(at + 2);
        if (id === 254) return body.subarray(at + 5);
        if (id === 253) at += 3;
        else if (id === 252) at += 5;
        else break;
    }
    return Buffer.alloc(0);
}

const hasRest = 0x80;
const hasDatabase = 1;
const hasSubtransactions = 2;
const hasFiles = 4;
const hasTwoPhase = 16;

/** What a record says of a transaction's end; undefined where it is no end of one. access/xact.h: xl_xact_commit, xl_xact_abort */
export function endingOf({ manager, info, body, transaction }: WalRecord): Ending | undefined {
    if (manager !== managers.transaction) return undefined;
    const operation = info & 0x70;
    if (operation !== 0x00 && operation !== 0x20 && operation !== 0x30 && operation !== 0x40) return undefined;
    const kind = operation === 0x00 || operation === 0x30 ? "commit" : "abort";
    const prepared = operation === 0x30 || operation === 0x40;
    const data = mainData(body);
    const at = new Date(Number((data.readBigInt64LE(0) + epoch) / 1000n));
    const subtransactions: number[] = [];
    const dropped: string[] = [];
    let own = transaction;
    if ((info & hasRest) !== 0) {
        const what = data.readUInt32LE(8);
        let next = 12;
        if (what & hasDatabase) next += 8;
        if (what & hasSubtransactions) {
            const count = data.readInt32LE(next);
            next += 4;
            for (let index = 0; index < count; index += 1, next += 4) subtransactions.push(data.readUInt32LE(next));
        }
        if (what & hasFiles) {
            const count = data.readInt32LE(next);
            next += 4;
            for (let index = 0; index < count; index += 1, next += 12)
                dropped.push([0, 4, 8].map((offset) => data.readUInt32LE(next + offset)).join("/"));
        }
        if (prepared && what & hasTwoPhase) own = preparedTransaction(data, next, what) ?? transaction;
    }
    return { kind, transaction: own, at, subtransactions, dropped };
}

/** Behind the files: dropped statistics (12 bytes each), invalidations (16 bytes each), then the number of the prepared transaction. */
function preparedTransaction(data: Buffer, from: number, what: number): number | undefined {
    let next = from;
    if (what & 256) next += 4 + data.readInt32LE(next) * 12;
    if (what & 8) next += 4 + data.readInt32LE(next) * 16;
    return next + 4 <= data.length ? data.readUInt32LE(next) : undefined;
}
