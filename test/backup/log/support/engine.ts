/** A log of lines, "NUMBER TEXT", in files log.000001 and on, in a directory: the simplest engine that a shipper can be put before. */
import {
    appendFileSync,
    closeSync,
    copyFileSync,
    existsSync,
    openSync,
    readdirSync,
    readFileSync,
    readSync,
    renameSync,
    statSync,
} from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { LogPlace, LogReceiver, LogSide, ReceivedFile } from "../../../../stores/physical.ts";
import type { ServerAddress } from "../../../../stores/adapter.ts";

export const covers = (position: string, other: string) => Number(position) >= Number(other);

export class LineServer {
    readonly directory: string;
    #file: number;
    number = 0;
    constructor(directory: string, first = 1) {
        this.directory = directory;
        this.#file = first;
        appendFileSync(this.path, "");
    }
    get file() {
        return `log.${String(this.#file).padStart(6, "0")}`;
    }
    get path() {
        return join(this.directory, this.file);
    }
    /** Writes transactions. */
    write(count = 1, padding = 0): void {
        let text = "";
        for (let at = 0; at < count; at += 1) text += `${(this.number += 1)} ${"x".repeat(padding)}\n`;
        appendFileSync(this.path, text);
    }
    rotate(): void {
        this.#file += 1;
        appendFileSync(this.path, "");
    }
    get address(): ServerAddress {
        return { host: "localhost", port: 0, user: "", password: "", database: "", socketDirectory: this.directory };
    }
}

const filesIn = (directory: string) =>
    readdirSync(directory)
        .filter((name) => /^log\.\d+$/.test(name))
        .sort();
const numberOf = (file: string) => Number(file.slice(4));

function received(from: string, directory: string): ReceivedFile[] {
    return filesIn(directory).map((file) => {
        const bytes = statSync(join(directory, file)).size;
        const next = `log.${String(numberOf(file) + 1).padStart(6, "0")}`;
        return {
            file,
            path: join(directory, file),
            bytes,
            whole: existsSync(join(from, next)) && statSync(join(from, file)).size === bytes,
        };
    });
}

export const lineLog = (faults: { identity?: string; received?: (files: ReceivedFile[]) => ReceivedFile[] } = {}): LogSide => ({
    identity: () => Promise.resolve(faults.identity ?? ""),
    oldest: (server) => Promise.resolve(filesIn(server.socketDirectory!)[0]),
    goesOn(server, { file, offset }: LogPlace, position) {
        const path = join(server.socketDirectory!, file);
        if (!existsSync(path)) return Promise.resolve(false);
        const text = readFileSync(path, "utf8").slice(0, offset);
        if (text.length < offset) return Promise.resolve(false);
        const last = text.split("\n").at(-2)?.split(" ")[0];
        return Promise.resolve(position === undefined || last === undefined || last === position);
    },
    receive(server, file, directory, signal): Promise<LogReceiver> {
        const from = server.socketDirectory!;
        let failure: unknown;
        const ended = (async () => {
            while (!signal.aborted) {
                for (const name of filesIn(from)) {
                    if (name < file || (!existsSync(join(directory, name)) && filesIn(directory).some((there) => there > name))) continue;
                    copyFileSync(join(from, name), join(directory, `${name}.new`));
                    renameSync(join(directory, `${name}.new`), join(directory, name));
                }
                await sleep(10, undefined, { signal }).catch(() => {});
            }
        })().catch((error: unknown) => {
            failure = error;
            throw error;
        });
        ended.catch(() => {});
        void failure;
        return Promise.resolve({
            ended,
            release: () => Promise.resolve(),
            files: () => {
                const files = received(from, directory);
                return Promise.resolve(faults.received?.(files) ?? files);
            },
        });
    },
    follows: (file, next) => numberOf(next) === numberOf(file) + 1,
    reach(path, from, to = statSync(path).size) {
        const bytes = Buffer.alloc(to - from);
        const descriptor = openSync(path, "r");
        readSync(descriptor, bytes, 0, bytes.length, from);
        closeSync(descriptor);
        const lines = bytes.toString().split("\n");
        if (lines.pop() !== "") return Promise.reject(new Error(`${path} ends within a line`));
        for (const line of lines) if (!/^\d+ x*$/.test(line)) return Promise.reject(new Error(`${path} has a line that is none`));
        const position = lines.at(-1)?.split(" ")[0];
        return Promise.resolve(position === undefined ? {} : { position, committedAt: new Date(Number(position) * 1000) });
    },
    async *find(directory, files, { like }) {
        for (const file of files)
            for (const line of (await readFile(join(directory, file), "utf8")).split("\n").filter((text) => text.includes(like))) {
                const position = line.split(" ")[0]!;
                yield { transaction: position, position, committedAt: new Date(Number(position) * 1000), statements: [line] };
            }
    },
});

/** The numbers of the transactions in files that were put together, in their order. */
export const numbersIn = (directory: string, files: readonly string[]): number[] =>
    files.flatMap((file) =>
        readFileSync(join(directory, file), "utf8")
            .split("\n")
            .filter((line) => line !== "")
            .map((line) => Number(line.split(" ")[0])),
    );
