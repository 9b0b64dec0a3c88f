import { randomBytes } from "node:crypto";
import { PassThrough, Readable } from "node:stream";
import type { Program } from "../../../stores/program.ts";

export const MiB = 1_048_576;

/** A "program" whose output is generated: half of it compresses well, half of it not at all. */
export function generated(bytes: number, ended: Promise<void> = Promise.resolve()): Program {
    const noise = randomBytes(MiB / 2);
    const chunk = Buffer.concat([noise, Buffer.alloc(MiB / 2, "INSERT INTO orders VALUES (1);\n")]);
    const stdout = Readable.from(
        (function* () {
            for (let sent = 0; sent < bytes; sent += chunk.length) yield chunk;
        })(),
        { objectMode: false },
    );
    ended.catch(() => {});
    return { name: "generated", stdin: new PassThrough(), stdout, ended, said: () => "", kill: () => stdout.destroy() };
}
