import { closeSync, openSync, readSync } from "node:fs";
import { Failure } from "../../model/failure.ts";
import type { Entry, LayerContents } from "./layer.ts";

/** A program that is a script may run modules of the checkout. It says so in its first lines: "# in a bundle: --include PATH". */
const declared = /^# in a bundle: --include (\S+)$/m;

/** So much of a file is read: a plugin may have a gigabyte. */
const head = 1024;

function neededBy({ content }: Entry): string | undefined {
    if (!("file" in content)) return undefined;
    const buffer = Buffer.alloc(head);
    const file = openSync(content.file, "r");
    try {
        const text = buffer.toString("utf8", 0, readSync(file, buffer));
        return text.startsWith("#!") ? declared.exec(text)?.[1] : undefined;
    } finally {
        closeSync(file);
    }
}

/**
 * Refuses layers (the engine, the plugins) whose programs need what the bundle would not hold: it would be whole, and could not start.
 * @param include what of the checkout it holds besides production
 * @throws Failure "usage" naming the first such program, and the command that takes in what it needs
 */
export function requireIncluded(layers: readonly LayerContents[], include: readonly string[]): void {
    const taken = include.map((path) => path.replace(/\/+$/, ""));
    for (const entry of layers.flatMap(({ entries }) => entries)) {
        const needed = neededBy(entry);
        if (needed === undefined || taken.includes(needed)) continue;
        throw new Failure(
            "usage",
            `${entry.path.split("/").at(-1)} runs ${needed}/ of this checkout, and the bundle would not hold it: it could not start. Nothing was put`,
            `lifeboat bundle ${[...taken, needed].map((path) => `--include ${path}`).join(" ")}`,
        );
    }
}
