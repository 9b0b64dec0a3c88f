import type { Found } from "./command-line.ts";
import { exceptions, stagedPrograms, type Exception } from "./exceptions.ts";

/** What a tree lists beside what can be read from it. */
export interface Listed {
    readonly exceptions: readonly Exception[];
    /** Programs by the file that starts them. */
    readonly staged: Readonly<Record<string, readonly string[]>>;
}
const table = "scripts/setup/packages.ts";
const list = "scripts/checks/programs/exceptions.ts";
const lacking = (program: string) => `starts ${program}, which set-up does not bring: add it, with its Debian package, to ${table}`;

/** What a scan found, held against what set-up brings and what is listed: one sentence a fault, with what to do. */
export function faultsOf(
    found: readonly Found[],
    brought: ReadonlySet<string>,
    listed: Listed = { exceptions, staged: stagedPrograms },
): string[] {
    const used = new Set<unknown>();
    const faults = new Set<string>();
    for (const one of found) {
        const { file, line } = one.where;
        if ("program" in one) {
            if (brought.has(one.program)) continue;
            if (listed.staged[file]?.includes(one.program)) used.add(`${file}: ${one.program}`);
            else faults.add(`${file}:${line} ${lacking(one.program)}`);
            continue;
        }
        const exception = listed.exceptions.find((each) => each.file === file && each.what === one.unknown);
        const from = one.started && one.started.file !== file ? `, on its way to ${one.started.file}:${one.started.line}` : "";
        if (exception) used.add(exception);
        else
            faults.add(
                `${file}:${line} starts a program that the text does not tell (${one.unknown}${from}): name it as a literal, or list it with a reason in ${list}`,
            );
    }
    const stale = [
        ...listed.exceptions.filter((exception) => !used.has(exception)).map(({ file, what }) => `${file}: ${what}`),
        ...Object.entries(listed.staged)
            .flatMap(([file, names]) => names.map((name) => `${file}: ${name}`))
            .filter((entry) => !used.has(entry)),
    ];
    return [
        ...faults,
        ...listed.exceptions.flatMap(({ file, what, programs }) =>
            programs.filter((program) => !brought.has(program)).map((program) => `${file} (${what}) ${lacking(program)}`),
        ),
        ...stale.map((entry) => `${list} lists what is started no more (${entry}): take it out`),
    ];
}
