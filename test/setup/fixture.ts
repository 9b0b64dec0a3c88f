/** A small piece to set up, and a program that sets it up: `node fixture.ts CACHE SECONDS` builds for so long. */
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { ensurePiece } from "../../scripts/setup/ensure.ts";
import type { Piece } from "../../scripts/setup/piece.ts";
import { ask, run } from "../../scripts/setup/run.ts";

export interface FakePiece extends Piece {
    /** What was done with it, in order. */
    readonly done: string[];
}

/** A piece that is a shell script which says its version; building it takes `seconds`. */
export function fakePiece(cache: string, options: { name?: string; version?: string; seconds?: number; build?: string } = {}): FakePiece {
    const { name = "tool", version = "1.0", seconds = 0 } = options;
    const script =
        options.build ?? `sleep ${seconds}; mkdir bin; printf '#!/bin/sh\\necho ${version}\\n' > bin/${name}; chmod +x bin/${name}`;
    const done: string[] = [];
    return {
        name,
        done,
        directory: join(cache, "tools", `${name}-1`),
        key: version,
        files: [`bin/${name}`],
        requires: () => {
            done.push("requires");
            return Promise.resolve();
        },
        build: async (directory, log) => {
            done.push("build");
            appendFileSync(join(cache, "builds"), `${process.pid}\n`);
            await run(["sh", "-ec", script], { cwd: directory, log, purpose: `building ${name}` });
        },
        probe: async (directory) => {
            done.push("probe");
            const said = await ask([join(directory, "bin", name)]);
            if (said !== version) throw new Error(`it is ${said}, not ${version}`);
        },
    };
}

const [program, cache, seconds] = process.argv.slice(1);
if (program === import.meta.filename && cache !== undefined) {
    const outcome = await ensurePiece(fakePiece(cache, { seconds: Number(seconds) }), cache, console.error);
    console.log(outcome);
}
