import { basename } from "node:path";
import { shellCommands, type ShellWord } from "./shell.ts";
import { hole } from "./words.ts";

/** A place in the tree. */
export interface Where {
    readonly file: string;
    readonly line: number;
}
/** A word with its place; a hole stands for what only a run knows; `rest` for any number of words that could not be followed. */
export type Said = ({ readonly text: string } | { readonly unknown: string } | { readonly rest: string }) & {
    readonly where: Where;
    readonly written?: string;
};
/** A program that is started, or that something is started that could not be followed. */
export type Found =
    | { readonly program: string; readonly where: Where }
    | {
          readonly unknown: string;
          readonly where: Where;
          /** The call that starts it, where that is elsewhere. */ readonly started?: Where;
      };

/** Programs that start the program that follows: options of theirs that take a value as a word of its own, and how many operands come first. */
const starters: Readonly<Record<string, { readonly valued?: readonly string[]; readonly operands?: number }>> = {
    setpriv: {
        valued: ["--pdeathsig", "--reuid", "--regid", "--groups", "--inh-caps", "--ambient-caps", "--bounding-set", "--securebits"],
    },
    unshare: { valued: ["--setuid", "--setgid", "--root", "--wd", "--map-user", "--map-group", "--propagation", "-S", "-G", "-R", "-w"] },
    nsenter: { valued: ["--target", "--setuid", "--setgid", "-t", "-S", "-G"] },
    env: { valued: ["--unset", "--chdir", "-u", "-C"] },
    timeout: { valued: ["--signal", "--kill-after", "-s", "-k"], operands: 1 },
    nice: { valued: ["-n"] },
    ionice: { valued: ["-c", "-n"] },
    nohup: {},
    setsid: {},
    stdbuf: { valued: ["-i", "-o", "-e"] },
    taskset: { operands: 1 },
    prlimit: {},
    xargs: { valued: ["-n", "-I", "-P", "-L", "-d", "-a", "-s"] },
    chroot: { operands: 1 },
    flock: { valued: ["--timeout", "-w", "-E"], operands: 1 },
    faketime: { operands: 1 },
    sudo: { valued: ["-u", "-g"] },
    strace: { valued: ["-e", "-o", "-p", "-s"] },
};
const shells = new Set(["sh", "bash", "dash"]);

const isText = (said: Said | undefined): said is Said & { text: string } => said !== undefined && "text" in said;
const unknownOf = (said: Said): Found => ({
    unknown: "text" in said ? (said.written ?? said.text.replaceAll(hole, "…")) : "rest" in said ? said.rest : said.unknown,
    where: said.where,
});

/** Every program that a command line starts: its own, and those that it names for others to start (`setpriv -- X`, `sh -c "X | Y"`, `find -exec X`). */
export function programsOf(line: readonly Said[]): Found[] {
    const [first, ...words] = line;
    if (first === undefined || (isText(first) && first.text === "")) return [];
    if (!isText(first)) return [unknownOf(first)];
    const program = basename(first.text);
    if (program.includes(hole) || program === "") return [unknownOf(first)];
    return [{ program, where: first.where }, ...startedBy(program, words)];
}

function startedBy(program: string, words: readonly Said[]): Found[] {
    if (shells.has(program)) return startedByShell(words);
    if (program === "ip") {
        const at = words.findIndex(
            (word, index) =>
                isText(word) && word.text === "exec" && isText(words[index - 1]) && (words[index - 1] as { text: string }).text === "netns",
        );
        return at < 0 ? [] : programsOf(words.slice(at + 2));
    }
    if (program === "find") {
        const at = words.findIndex((word) => isText(word) && /^-(exec|execdir|ok)$/.test(word.text));
        return at < 0 ? [] : programsOf(words.slice(at + 1));
    }
    const starter = starters[program];
    return starter ? programsOf(operandsOf(words, starter)) : [];
}

/** The words from the program on that a starter is to start. */
function operandsOf(
    words: readonly Said[],
    { valued = [], operands = 0 }: { valued?: readonly string[]; operands?: number },
): readonly Said[] {
    let index = 0;
    for (; index < words.length; index++) {
        const word = words[index]!;
        if (!isText(word)) {
            // Options that can't be followed end at `--`, where there is one.
            const end = words.findIndex((later) => isText(later) && later.text === "--");
            return end < 0 ? words.slice(index) : words.slice(end + 1 + operands);
        }
        if (word.text === "--") {
            index += 1;
            break;
        }
        if (/^[A-Za-z_]\w*=/.test(word.text)) continue;
        if (!word.text.startsWith("-")) break;
        if (valued.includes(word.text)) index += 1;
    }
    return words.slice(index + operands);
}

function startedByShell(words: readonly Said[]): Found[] {
    let index = 0;
    let script = false;
    for (let word = words[0]; isText(word) && /^[-+]/.test(word.text); word = words[++index]) {
        script ||= /^-[a-z]*c/.test(word.text);
        if (/^[-+][a-z]*o$/.test(word.text)) index += 1;
    }
    const text = words[index];
    // A file of commands: the tree's own are read for themselves.
    if (!script) return text !== undefined && !isText(text) ? [unknownOf(text)] : [];
    if (!isText(text)) return text === undefined ? [] : [unknownOf(text)];
    return shellCommands(text.text).flatMap((command) => {
        const said = command.map((word) => sayIn(word, text.where));
        // The words after the script are its $0, $1, …
        const [name, ...rest] = command;
        if (name!.written === '"$@"') return programsOf([...words.slice(index + 2), ...rest.map((word) => sayIn(word, text.where))]);
        return programsOf(command.flatMap((word, at) => (word.written === '"$@"' ? words.slice(index + 2) : [said[at]!])));
    });
}

const sayIn = ({ text, written }: ShellWord, where: Where): Said => ({ text, written, where });
