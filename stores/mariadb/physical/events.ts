import { open, type FileHandle } from "node:fs/promises";
import { crc32 } from "node:zlib";

/** A transaction in a binary log: a GTID and all that follows it. */
export interface EventGroup {
    readonly domain: number;
    readonly server: number;
    readonly sequence: bigint;
    /** When it was written, by the server's clock, whole seconds. */
    readonly at: Date;
    /** First byte of its GTID event, and the byte behind its last event. */
    readonly from: number;
    readonly to: number;
    /** Whether its last event was seen. */
    readonly whole: boolean;
}

/** https://mariadb.com/kb/en/2-binlog-event-header/ : time 4, type 1, server 4, length 4, next position 4, flags 2. */
const headerBytes = 19;
const magic = Buffer.from([0xfe, 0x62, 0x69, 0x6e]);
const types = {
    query: 2,
    stop: 3,
    rotate: 4,
    format: 15,
    xid: 16,
    xaPrepare: 38,
    checkpoint: 161,
    gtid: 162,
    gtidList: 163,
    encryption: 164,
    compressedQuery: 165,
} as const;
const betweenGroups = new Set<number>([types.stop, types.rotate, types.format, types.checkpoint, types.gtidList, types.gtid]);
/** Of a GTID event: it is followed by one statement and no COMMIT. https://mariadb.com/kb/en/gtid_event/ */
const standalone = 1;
/** More than any event may have: `max_allowed_packet` and its frame. */
const largestEvent = 1_074_000_000;
const crcBytes = 4;

/** Reads ahead: an event costs no call of its own. */
const windowBytes = 4 * 1_048_576;

class Window {
    readonly #file: FileHandle;
    #at = 0;
    #held: Buffer = Buffer.alloc(0);
    constructor(file: FileHandle) {
        this.#file = file;
    }

    /** Bytes of the file, fewer at its end; good until the next call. */
    async read(at: number, bytes: number): Promise<Buffer> {
        const offset = at - this.#at;
        if (offset < 0 || offset + bytes > this.#held.length) await this.#fill(at, Math.max(bytes, windowBytes));
        return this.#held.subarray(at - this.#at, at - this.#at + bytes);
    }

    async #fill(at: number, bytes: number): Promise<void> {
        const buffer = Buffer.allocUnsafe(bytes);
        let filled = 0;
        for (;;) {
            const { bytesRead } = await this.#file.read(buffer, filled, bytes - filled, at + filled);
            filled += bytesRead;
            if (bytesRead === 0 || filled === bytes) break;
        }
        this.#at = at;
        this.#held = buffer.subarray(0, filled);
    }
}

/** What is in a file. */
export interface Walk {
    /** What its server's history had when the file began: sequence numbers by domain and server, the newest of a domain last. https://mariadb.com/kb/en/gtid_list_event/ */
    readonly before: readonly Gtid[];
    /** Its last transaction, whole or not. */
    readonly last: EventGroup | undefined;
    /** The byte behind the last event that is all there. */
    readonly end: number;
    /** Whether its server closed it: it said which file follows, or that it stopped. A server that was killed does not. */
    readonly closed: boolean;
}
export interface Gtid {
    readonly domain: number;
    readonly server: number;
    readonly sequence: bigint;
}

interface WalkEvent {
    readonly at: number;
    readonly type: number;
    readonly length: number;
    /** Its first bytes, all of them if it is short; without its checksum. */
    readonly head: Buffer;
    /** Its last bytes, without its checksum. */
    readonly tail: Buffer;
}

/** Whether events have a checksum: the last byte before the format event's own. Undefined where that event is not all there yet. */
async function hasChecksums(path: string, file: Window): Promise<boolean | undefined> {
    const header = await file.read(magic.length, headerBytes);
    if (header.length < headerBytes) return undefined;
    const length = header.readUInt32LE(9);
    if (header[4] !== types.format || length > windowBytes) throw new Error(`${path} does not begin with a format event`);
    const body = await file.read(magic.length, length);
    return body.length < length ? undefined : body[length - crcBytes - 1] === 1;
}

/** Events that lie in [from, to) as a whole, each held to its checksum. */
async function* eventsOf(path: string, file: Window, checked: boolean, from: number, to: number): AsyncGenerator<WalkEvent> {
    for (let at = from; at < to;) {
        const header = await file.read(at, headerBytes);
        if (header.length < headerBytes) return;
        const [type, length] = [header[4]!, header.readUInt32LE(9)];
        if (length < headerBytes || length > largestEvent) throw new Error(`${path}: at byte ${at} there is no event`);
        if (at + length > to) return;
        const parts: { head?: Buffer; tail: Buffer; crc: number } = { tail: Buffer.alloc(0), crc: 0 };
        const sum = checked ? crcBytes : 0;
        for (let read = 0; read < length;) {
            const part = await file.read(at + read, Math.min(windowBytes, length - read));
            if (part.length === 0) return;
            read += part.length;
            // Its own, without the checksum behind it, wherever the parts were cut.
            const own = part.subarray(0, Math.max(0, part.length - Math.max(0, read - (length - sum))));
            parts.head ??= read < length ? Buffer.from(own) : own;
            parts.crc = crc32(own, parts.crc);
            parts.tail = read < length ? Buffer.from(part.subarray(-64)) : Buffer.concat([parts.tail, part]).subarray(-64);
        }
        const expected = checked ? parts.tail.readUInt32LE(parts.tail.length - crcBytes) : parts.crc;
        if (parts.crc !== expected && !(type === types.format && closedSum(parts.head!) === expected))
            throw new Error(`${path}: the event at byte ${at} is damaged (its checksum differs)`);
        if (type === types.encryption)
            throw new Error(`${path} is encrypted from byte ${at} on: it cannot be read without the server's keys`);
        yield { at, type, length, head: parts.head!, tail: parts.tail.subarray(0, parts.tail.length - sum) };
        at += length;
    }
}

/** The flag "in use" of an open file's format event changes when the file is closed; the checksum is that of the closed one. */
function closedSum(format: Buffer): number {
    const closed = Buffer.from(format);
    closed[17]! &= ~1;
    return crc32(closed);
}

/** Reads a GTID_LIST event's body. */
function listOf(event: Buffer): Gtid[] {
    const count = event.readUInt32LE(headerBytes) & 0x0fffffff;
    return Array.from({ length: count }, (_, index) => {
        const at = headerBytes + 4 + 16 * index;
        return { domain: event.readUInt32LE(at), server: event.readUInt32LE(at + 4), sequence: event.readBigUInt64LE(at + 8) };
    });
}

/**
 * Reads the events of a binary log file, and holds each to its checksum. Its head is read in any case; nothing between that and `from`.
 * @param range `from`: a byte at which an event begins, or 0; `to`: read no further, default the file's end
 * @param begins is told the state at the file's head
 * @param visit is told each transaction as it ends, the last one even if it is not whole; answers false to stop reading
 * @throws Error where the bytes are not what a server wrote, and for an encrypted log
 */
export async function walk(
    path: string,
    { from = 0, to = Infinity }: { from?: number; to?: number },
    visit: (group: EventGroup) => boolean = () => true,
    begins: (before: readonly Gtid[]) => void = () => undefined,
): Promise<Walk> {
    await using handle = await open(path);
    const file = new Window(handle);
    const begun = await file.read(0, magic.length);
    if (begun[0] === 0xfd) throw new Error(`${path} is encrypted: it cannot be read without the server's keys`);
    if (!begun.equals(magic.subarray(0, begun.length))) throw new Error(`${path} is no binary log`);
    const checked = await hasChecksums(path, file);
    if (checked === undefined) return { before: [], last: undefined, end: 0, closed: false };
    let before: Gtid[] = [];
    for await (const { type, head } of eventsOf(path, file, checked, magic.length, Infinity)) {
        if (type === types.gtidList) before = listOf(head);
        if (type !== types.format) break;
    }
    begins(before);
    let group: (Omit<EventGroup, "to" | "whole"> & { alone: boolean }) | undefined;
    let [whole, closed, going] = [false, false, true];
    let last: EventGroup | undefined;
    const close = (end: number, ended: boolean) => {
        if (!group) return;
        const { alone: _, ...known } = group;
        last = { ...known, to: end, whole: ended };
        group = undefined;
        going = visit(last);
    };
    let end = Math.max(from, magic.length);
    for await (const event of eventsOf(path, file, checked, end, to)) {
        if (betweenGroups.has(event.type)) close(event.at, whole);
        if (!going) break;
        closed = event.type === types.rotate || event.type === types.stop;
        if (event.type === types.gtid) {
            group = beginning(event);
            whole = false;
        } else if (group) whole = endsGroup(event, group.alone);
        end = event.at + event.length;
    }
    close(end, whole);
    return { before, last, end, closed };
}

function beginning({ head, at }: WalkEvent): Omit<EventGroup, "to" | "whole"> & { alone: boolean } {
    return {
        domain: head.readUInt32LE(headerBytes + 8),
        server: head.readUInt32LE(5),
        sequence: head.readBigUInt64LE(headerBytes),
        at: new Date(head.readUInt32LE(0) * 1000),
        from: at,
        alone: (head[headerBytes + 12]! & standalone) !== 0,
    };
}

function endsGroup({ type, tail }: WalkEvent, alone: boolean): boolean {
    if (type === types.xid || type === types.xaPrepare) return true;
    if (type !== types.query && type !== types.compressedQuery) return false;
    return alone || /(COMMIT|ROLLBACK)$/.test(tail.toString("latin1"));
}
