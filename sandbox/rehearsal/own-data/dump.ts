import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { pipeline as pipe, type Duplex, type Readable } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import type { Estate } from "../../../model/estate.ts";
import type { Engine } from "../../engines.ts";
import { Failure } from "../../../model/failure.ts";
import { DumpScan, keptOfLine } from "./scan.ts";

export type Compression = "none" | "gzip" | "zstd";

/** A user's dump that can be loaded, and where it goes. */
export interface Dump {
    file: string;
    compression: Compression;
    store: string;
    kind: Engine;
    /** Of the SQL. */
    bytes: number;
    sha256: string;
}

/** Table of the example's service: a dump may not bring its own. */
const serviceTable = "orders";

/** First bytes of a compressed file: RFC 1952 and RFC 8878. */
const magic: readonly { compression: Compression; bytes: Buffer }[] = [
    { compression: "gzip", bytes: Buffer.from([0x1f, 0x8b]) },
    { compression: "zstd", bytes: Buffer.from([0x28, 0xb5, 0x2f, 0xfd]) },
];
const decompressors: Readonly<Record<Exclude<Compression, "none">, () => Duplex>> = { gzip: createGunzip, zstd: createZstdDecompress };

/** A file's SQL, as a stream. What is wrong with the file is the stream's error. */
export function readSql(file: string, compression: Compression): Readable {
    const source = createReadStream(file, { highWaterMark: 2 ** 20 });
    if (compression === "none") return source;
    const plain = decompressors[compression]();
    // It destroys `plain` with the error of either, and whoever reads gets it there.
    pipe(source, plain, () => {});
    return plain;
}

/**
 * Reads a dump through once, as a stream, before anything else is done: is it whole, for which of the estate's stores is it, and can it be loaded?
 * @throws Failure("usage") naming what is wrong and the next step
 */
export async function inspectDump(file: string, estate: Estate): Promise<Dump> {
    const fail = (message: string, next: string, cause?: unknown) =>
        new Failure("usage", `${file} cannot be loaded: ${message}`, next, cause === undefined ? {} : { cause });
    let compression: Compression;
    try {
        compression = await compressionOf(file);
    } catch (error) {
        throw fail("it cannot be read", "name a dump in SQL, as it is or compressed with gzip or zstd", error);
    }
    const scan = new DumpScan(serviceTable);
    const hash = createHash("sha256");
    let bytes = 0;
    try {
        const lines = new LineBeginnings((line) => scan.line(line));
        for await (const chunk of readSql(file, compression) as AsyncIterable<Buffer>) {
            bytes += chunk.length;
            hash.update(chunk);
            lines.add(chunk);
        }
        lines.end();
    } catch (error) {
        throw fail(`it is cut off or damaged (${compression})`, "make or copy it again", error);
    }
    if (bytes === 0) throw fail("it is empty", "name a dump in SQL");
    const kind = scan.result();
    if (typeof kind !== "string") throw fail(kind.message, kind.next);
    const stores = Object.entries(estate.stores).filter(([, store]) => store.engine === kind);
    const [only] = stores;
    if (only === undefined || stores.length > 1)
        throw fail(
            `it is for ${kind}, and ${stores.length === 0 ? "no store of the estate is" : `${stores.map(([name]) => name).join(" and ")} both are`}`,
            "rehearse an estate with one store of that kind",
        );
    return { file, compression, store: only[0], kind, bytes, sha256: hash.digest("hex") };
}

async function compressionOf(file: string): Promise<Compression> {
    await using handle = await open(file);
    if (!(await handle.stat()).isFile()) throw new Error("it is not a file");
    const head = Buffer.alloc(4);
    await handle.read(head, 0, 4, 0);
    return magic.find(({ bytes }) => head.subarray(0, bytes.length).equals(bytes))?.compression ?? "none";
}

const lineEnd = 0x0a;

/** Splits bytes into lines of which it keeps the beginnings only, however long they are. */
class LineBeginnings {
    #kept = "";
    readonly #tell: (line: string) => void;
    constructor(tell: (line: string) => void) {
        this.#tell = tell;
    }
    add(chunk: Buffer): void {
        for (let start = 0; ;) {
            const end = chunk.indexOf(lineEnd, start);
            this.#keep(chunk.subarray(start, end === -1 ? chunk.length : end));
            if (end === -1) return;
            this.end();
            start = end + 1;
        }
    }
    end(): void {
        this.#tell(this.#kept.replace(/\r$/, ""));
        this.#kept = "";
    }
    #keep(part: Buffer): void {
        if (this.#kept.length < keptOfLine) this.#kept += part.toString("latin1", 0, keptOfLine - this.#kept.length);
    }
}
