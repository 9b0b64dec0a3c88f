import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { z } from "zod";
import type { Estate } from "../../model/estate.ts";
import { operate, provision } from "../rehearsal/provision.ts";
import { startSandbox, type Sandbox } from "../sandbox.ts";
import { atLeast, atMost, measured, median, type Figure } from "./figure.ts";

export interface BenchOptions {
    estate: Estate;
    /** The repository to measure: it is copied. */
    source: string;
    note: (line: string) => void;
    signal: AbortSignal;
}

/** A type-checked preview takes half a minute: fewer of them are enough to see a factor of five. */
const rounds = { plain: 5, typeChecked: 2 };
const checker = fileURLToPath(new URL("./type-checked.ts", import.meta.url));
const stackFile = z.looseObject({ secretsprovider: z.string() });

/**
 * What a preview of the whole estate costs, beside an empty program with the same providers and beside itself with the types checked first. All in one run,
 * taken in turns, medians.
 */
export async function benchStart({ estate, source, note, signal }: BenchOptions): Promise<Figure[]> {
    const sandbox = await startSandbox({ name: "bench", estate, source, signal });
    try {
        note("two regions stand; bootstrap, dr, prod, dr");
        await provision(sandbox, note);
        const directory = await makeEmptyStack(sandbox);
        const preview = (flags: readonly string[], env: Record<string, string> = {}) =>
            timed(() => operate(sandbox, ["pulumi", "preview", ...flags, "--non-interactive", "--color", "never"], "pulumi preview", env));
        const whole = () => preview(["-s", "dr"]);
        const empty = () => preview(["-C", directory, "-s", "empty"]);
        // The first of each reads its modules from the disk.
        await whole();
        await empty();
        const spans: { whole: number[]; empty: number[]; checked: number[] } = { whole: [], empty: [], checked: [] };
        for (let round = 0; round < rounds.plain; round++) {
            spans.empty.push(await empty());
            spans.whole.push(await whole());
            note(`round ${round + 1}: empty ${spans.empty.at(-1)!.toFixed(2)} s, estate ${spans.whole.at(-1)!.toFixed(2)} s`);
        }
        for (let round = 0; round < rounds.typeChecked; round++)
            spans.checked.push(await preview(["-s", "dr"], { NODE_OPTIONS: `--import ${checker}` }));
        const [wholeMedian, emptyMedian, checkedMedian] = [median(spans.whole), median(spans.empty), median(spans.checked)];
        return [
            measured("preview of an empty program with the same providers", emptyMedian),
            measured("preview of the estate", wholeMedian),
            measured("preview of the estate, types checked first", checkedMedian),
            atMost("the estate against the empty program", wholeMedian / emptyMedian, 1.5),
            atLeast("types checked first against the estate", checkedMedian / wholeMedian, 5),
        ];
    } finally {
        await sandbox.stop();
    }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
    const start = performance.now();
    await work();
    return (performance.now() - start) / 1000;
}

/** The empty program's stack, with the state and the secrets provider of the others. */
async function makeEmptyStack(sandbox: Sandbox): Promise<string> {
    const { secretsprovider } = stackFile.parse(parse(readFileSync(join(sandbox.checkout, "Pulumi.dr.yaml"), "utf8")));
    const directory = join(sandbox.checkout, "sandbox/bench/empty");
    await operate(
        sandbox,
        ["pulumi", "stack", "init", "empty", "-C", directory, "--secrets-provider", secretsprovider],
        "pulumi stack init of the empty program",
    );
    return directory;
}
