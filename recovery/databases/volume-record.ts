import { readFileSync, renameSync, writeFileSync } from "node:fs";
import type { z } from "zod";
import { Failure } from "../../model/failure.ts";

/**
 * Reads a record that a guard keeps on a volume; undefined where there is none.
 * @throws Failure("refused") for one that is damaged: nobody may guess what it said
 */
export function readRecord<Content>(
    file: string,
    schema: z.ZodType<Content>,
    { about, next }: { about: string; next: string },
): Content | undefined {
    let text: string;
    try {
        text = readFileSync(file, "utf8");
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
        throw error;
    }
    try {
        return schema.parse(JSON.parse(text));
    } catch (error) {
        throw new Failure("refused", `${file} does not say ${about}: ${(error as Error).message}`, next, { cause: error });
    }
}

/** Replaces the record at once: a crash leaves the old one or the new one. */
export function replaceRecord<Content>(file: string, schema: z.ZodType<Content>, content: Content): void {
    const draft = `${file}.new`;
    writeFileSync(draft, `${JSON.stringify(schema.parse(content))}\n`, { flush: true });
    renameSync(draft, file);
}
