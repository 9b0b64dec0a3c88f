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

export interface Walk {
    /** Groups that begin at or behind `from`, in order. */
    groups: EventGroup[];
    /** The byte behind the last event that is all there. */
    end: number;
}

/** Whether events have a checksum: the last byte before the format event's own. */
async function hasChecksums(file: Window): Promise<boolean> {
    const header = await file.read(magic.length, headerBytes);
    if (header.length < headerBytes || header[4] !== types.format) throw new Error("it does not begin with a format event");
    const length = header.readUInt32LE(9);
    const body = await file.read(magic.length, length);
    return body.length === length && body[length - crcBytes - 1] === 1;
}

/**
 * Reads the events of a binary log file, and holds each to its checksum.
 * @param from a byte at which an event begins, or 0
 * @param to read no further
 * @throws Error where the bytes are not what a server wrote, and for an encrypted log
 */
export async function walk(path: string, from: number, to = Infinity): Promise<Walk> {
    await using handle = await open(path);
    const file = new Window(handle);
    const head = await file.read(0, magic.length);
    if (!head.equals(magic)) throw new Error(`${path} is no binary log${head.length > 0 && head[0] === 0xfd ? ": it is encrypted" : ""}`);
    const checked = await hasChecksums(file);
    const groups: EventGroup[] = [];
    let at = Math.max(from, magic.length);
    let group: (Omit<EventGroup, "to" | "whole"> & { alone: boolean }) | undefined;
    let whole = false;
    const close = (end: number, ended: boolean) => {
        if (group) {
            const { alone: _, ...known } = group;
            groups.push({ ...known, to: end, whole: ended });
        }
        group = undefined;
    };
    for (;;) {
        const header = await file.read(at, headerBytes);
        if (header.length < headerBytes || at >= to) break;
        const [type, length] = [header[4]!, header.readUInt32LE(9)];
        if (length < headerBytes || length > largestEvent) throw new Error(`${path}: at byte ${at} there is no event`);
        if (at + length > to) break;
        const event = await file.read(at, length);
        if (event.length < length) break;
        verify(path, at, event, type, checked);
        if (type === types.encryption)
            throw new Error(`${path} is encrypted from byte ${at} on: it cannot be read without the server's keys`);
        if (betweenGroups.has(type)) close(at, true);
        if (type === types.gtid) {
            const flags = event[headerBytes + 12]!;
            group = {
                domain: event.readUInt32LE(headerBytes + 8),
                server: event.readUInt32LE(5),
                sequence: event.readBigUInt64LE(headerBytes),
                at: new Date(event.readUInt32LE(0) * 1000),
                from: at,
                alone: (flags & standalone) !== 0,
            };
            whole = false;
        } else if (group) whole = endsGroup(event, type, group.alone, checked);
        at += length;
    }
    close(at, whole);
    return { groups, end: at };
}

function verify(path: string, at: number, event: Buffer, type: number, checked: boolean): void {
    if (!checked) return;
    const body = event.subarray(0, -crcBytes);
    const expected = event.readUInt32LE(event.length - crcBytes);
    if (crc32(body) === expected) return;
    // The flag "in use" of an open file's format event changes when the file is closed; the checksum is that of the closed one.
    if (type === types.format) {
        const closed = Buffer.from(body);
        closed[17]! &= ~1;
        if (crc32(closed) === expected) return;
    }
    throw new Error(`${path}: the event at byte ${at} is damaged (its checksum differs)`);
}

function endsGroup(event: Buffer, type: number, alone: boolean, checked: boolean): boolean {
    if (type === types.xid || type === types.xaPrepare) return true;
    if (type !== types.query) return false;
    if (alone) return true;
    const text = event.subarray(0, checked ? -crcBytes : undefined).toString("latin1");
    return /(COMMIT|ROLLBACK)$/.test(text);
}

/** Sequence numbers by domain, as text: "0-1-270,1-1-5". */
export function gtidText(groups: readonly EventGroup[]): string {
    const last = new Map<number, EventGroup>();
    for (const group of groups) last.set(group.domain, group);
    return [...last.values()]
        .sort((a, b) => a.domain - b.domain)
        .map(({ domain, server, sequence }) => `${domain}-${server}-${sequence}`)
        .join(",");
}
