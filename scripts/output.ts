import { styleText } from "node:util";

/**
 * What a command says. The document of `--json` is alone on stdout, and so is what a person asked to see; how it goes, and what went wrong,
 * is on stderr. Colours appear only on a terminal, and NO_COLOR is honoured.
 */
type Colour = "red" | "green" | "yellow" | "cyan" | "bold" | "dim";

let documents = 0;
/** Whether a document went to stdout already: a failure after it adds none. */
export const hasPrinted = (): boolean => documents > 0;

/** Prints the one document of `--json` on stdout. */
export function print(document: unknown): void {
    documents += 1;
    process.stdout.write(`${JSON.stringify(document, undefined, 2)}\n`);
}

/** Shows a person the answer, on stdout. */
export function show(text: string): void {
    process.stdout.write(`${text}\n`);
}

/** Tells how it goes, on stderr. */
export function note(line: string): void {
    process.stderr.write(`${line}\n`);
}

/** Colours text that goes to `stream` (stdout by default), if that is a terminal. */
export function paint(colour: Colour, text: string, stream: NodeJS.WriteStream = process.stdout): string {
    return styleText(colour, text, { stream });
}
