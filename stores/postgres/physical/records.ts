import { crc32c } from "./crc32c.ts";
import { lsnText } from "../position.ts";
import { pageSize, segmentSize, startOf, type Segment } from "./segment.ts";

// Layout: src/include/access/xlog_internal.h and xlogrecord.h of PostgreSQL 15.
/** Of PostgreSQL 15. */
const magicOfPages = 0xd110;
const isContinued = 0x0001;
const isLong = 0x0002;
const wasOverwritten = 0x0008;
const recordHead = 24;
/** Longer records than a GiB are none (XLogRecordMaxSize). */
const recordMost = 1020 * 1024 * 1024;

/** A record of the log whose checksum is right. */
export interface WalRecord {
    readonly start: bigint;
    readonly end: bigint;
    readonly transaction: number;
    /** Number of the resource manager: 0 XLOG, 1 Transaction, 9 Heap2, 10 Heap. */
    readonly manager: number;
    readonly info: number;
    /** Without its head. */
    readonly body: Buffer;
}

/** A record that goes on in the next file. */
export interface Carry {
    readonly start: bigint;
    readonly pieces: readonly Buffer[];
    readonly total: number;
}

export interface Walk {
    /** Byte of the file behind the last whole record; with `carry` the file's end. */
    readonly end: number;
    /** Whole records that were passed. */
    readonly records: number;
    readonly carry?: Carry;
    /** Why it does not go on at `end`. `bytes`: there are no more, or zeros: nothing was written there yet. */
    readonly stopped: "bytes" | "end of file" | { readonly damage: string };
}

export interface WalkOptions {
    /** Where to begin: 0, or the end of a whole record. */
    readonly from?: number;
    /** What the file before it left. Absent with from 0: the rest of a record that began there is passed over. */
    readonly carry?: Carry | undefined;
    readonly each?: (record: WalRecord) => void;
}

/** Why the bytes end here; thrown within this file only. */
class Stop extends Error {
    readonly why: Walk["stopped"];
    constructor(why: Walk["stopped"]) {
        super();
        this.why = why;
    }
}

/**
 * Walks the records of one file of the log, checking every page's head and every record's checksum.
 * @param bytes the file from its first byte on; it may end anywhere
 */
export function walk(bytes: Buffer, segment: Segment, options: WalkOptions = {}): Walk {
    return new Walker(bytes, segment, options).run();
}

class Walker {
    readonly #bytes: Buffer;
    readonly #segment: Segment;
    readonly #base: bigint;
    readonly #each;
    #at: number;
    #carry: Carry | undefined;
    #previous: bigint | undefined;

    constructor(bytes: Buffer, segment: Segment, { from = 0, carry, each }: WalkOptions) {
        this.#bytes = bytes;
        this.#segment = segment;
        this.#base = startOf(segment);
        this.#at = from;
        this.#carry = from === 0 ? carry : undefined;
        this.#each = each;
    }

    run(): Walk {
        let end = this.#at;
        let records = 0;
        try {
            if (this.#at === 0) {
                const rest = this.#head(this.#carry && this.#carry.total - sum(this.#carry.pieces));
                if (this.#carry) {
                    if (this.#finish(this.#carry)) records += 1;
                    this.#carry = undefined;
                } else if (rest > 0) this.#pass(rest);
                // What was passed over is not known to be whole: the file has it only once a record behind it is.
                if (records > 0) end = this.#at;
            }
            for (;;) {
                if (this.#at === segmentSize) return { end: segmentSize, records, stopped: "end of file" };
                this.#record();
                records += 1;
                end = this.#at;
            }
        } catch (error) {
            if (!(error instanceof Stop)) throw error;
            const carry = this.#carry;
            if (error.why === "end of file") return { end: segmentSize, records, ...(carry ? { carry } : {}), stopped: error.why };
            return { end, records, stopped: error.why };
        }
    }

    #damage(what: string, at = this.#at): Stop {
        return new Stop({ damage: `at ${lsnText(this.#base + BigInt(at))} ${what}` });
    }

    /** Reads the head of the page that begins here. @returns how much of a record that began before goes on in it */
    #head(expected: number | undefined): number {
        const at = this.#at;
        const length = at === 0 ? 40 : 24;
        if (at + length > this.#bytes.length) throw new Stop("bytes");
        const head = this.#bytes.subarray(at, at + length);
        const magic = head.readUInt16LE(0);
        if (magic === 0 && head.every((byte) => byte === 0)) throw new Stop("bytes");
        if (magic !== magicOfPages)
            throw this.#damage(`a page begins with 0x${magic.toString(16)}, which is no page of the log of PostgreSQL 15`);
        const info = head.readUInt16LE(2);
        if (head.readBigUInt64LE(8) !== this.#base + BigInt(at)) throw this.#damage("lies the page of another place");
        if (head.readUInt32LE(4) > this.#segment.timeline) throw this.#damage("lies the page of a later timeline");
        if (((info & isLong) !== 0) !== (at === 0)) throw this.#damage("the head of a page is of the wrong kind");
        if (at === 0 && head.readUInt32LE(32) !== segmentSize) throw this.#damage("begins a file of another size than 16 MiB");
        this.#at += length;
        const rest = (info & isContinued) === 0 ? 0 : head.readUInt32LE(16);
        if (expected !== undefined && (info & wasOverwritten) !== 0) {
            // The server crashed within the record and wrote on over it.
            this.#carry = undefined;
            return 0;
        }
        if (expected !== undefined && rest !== expected) throw this.#damage("a record does not go on as it began");
        return rest;
    }

    #pass(count: number): void {
        for (let rest = count; rest > 0;) {
            if (this.#at === segmentSize) throw new Stop("end of file");
            if (this.#at % pageSize === 0) this.#head(rest);
            const step = Math.min(rest, pageSize - (this.#at % pageSize), this.#bytes.length - this.#at);
            if (step === 0) throw new Stop("bytes");
            this.#at += step;
            rest -= step;
        }
        this.#at += (8 - (this.#at % 8)) % 8;
    }

    /** Gathers the rest of a record across pages. @returns undefined where its beginning was overwritten */
    #gather(carry: Carry): Buffer | undefined {
        const pieces = [...carry.pieces];
        for (let rest = carry.total - sum(pieces); rest > 0;) {
            if (this.#at === segmentSize) {
                this.#carry = { ...carry, pieces };
                throw new Stop("end of file");
            }
            if (this.#at % pageSize === 0 && this.#head(rest) === 0) return undefined;
            const step = Math.min(rest, pageSize - (this.#at % pageSize), this.#bytes.length - this.#at);
            if (step === 0) throw new Stop("bytes");
            pieces.push(this.#bytes.subarray(this.#at, this.#at + step));
            this.#at += step;
            rest -= step;
        }
        return pieces.length === 1 ? pieces[0] : Buffer.concat(pieces);
    }

    #record(): void {
        if (this.#at % pageSize === 0) {
            const rest = this.#head(undefined);
            if (rest > 0) throw this.#damage("a record goes on that never began");
        }
        const at = this.#at;
        if (at + 4 > this.#bytes.length) throw new Stop("bytes");
        const total = this.#bytes.readUInt32LE(at);
        if (total === 0) throw new Stop("bytes");
        if (total < recordHead || total > recordMost) throw this.#damage(`begins a record of ${total} bytes`, at);
        this.#finish({ start: this.#base + BigInt(at), pieces: [], total });
    }

    #finish(carry: Carry): boolean {
        const record = this.#gather(carry);
        if (record === undefined) return false;
        const place = Number(carry.start - this.#base);
        const previous = record.readBigUInt64LE(8);
        if (this.#previous !== undefined && previous !== this.#previous)
            throw this.#damage("lies a record that does not follow the one before", place);
        const crc = crc32c(record.subarray(0, 20), crc32c(record.subarray(recordHead)));
        if (crc !== record.readUInt32LE(20)) throw this.#damage("a record's checksum is wrong", place);
        this.#previous = carry.start;
        this.#at += (8 - (this.#at % 8)) % 8;
        const manager = record[17]!;
        const info = record[16]!;
        // XLOG_SWITCH: the rest of the file is left empty.
        if (manager === 0 && (info & 0xf0) === 0x40) this.#at = segmentSize;
        this.#each?.({
            start: carry.start,
            end: this.#base + BigInt(this.#at),
            transaction: record.readUInt32LE(4),
            manager,
            info,
            body: record.subarray(recordHead),
        });
        return true;
    }
}

const sum = (pieces: readonly Buffer[]): number => pieces.reduce((bytes, piece) => bytes + piece.length, 0);
