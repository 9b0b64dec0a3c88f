import type ts from "typescript";

/** A part of a text that only a run knows. */
export const hole = "\u0000";

/** A word of a command line: its text, with holes; or what could not be followed. */
export type Word = { readonly text: string; readonly at: ts.Node } | { readonly unknown: string; readonly at: ts.Node };
/** A word, or any number of words that could not be followed. */
export type Item = Word | { readonly rest: string; readonly at: ts.Node };
export type Line = readonly Item[];

/** More ways than this to put a command line together are not followed one by one. */
export const mostLines = 4000;

export const shorten = (node: ts.Node) => node.getText().replace(/\s+/g, " ").slice(0, 60);

/** However many ways lead to what is not known, it is not known once. */
export function oneUnknown(words: readonly Word[]): Word[] {
    const unknown = words.find((word) => "unknown" in word);
    return [...words.filter((word) => "text" in word), ...(unknown ? [unknown] : [])];
}

export function at(line: Line, index: number, node: ts.Node): Word {
    const blocked = line.slice(0, index + 1).find((item) => "rest" in item);
    if (blocked) return { unknown: blocked.rest, at: blocked.at };
    return (line[index] as Word | undefined) ?? { text: "", at: node };
}

export function tail(line: Line, from: number): Line {
    const blocked = line.slice(0, from).find((item) => "rest" in item);
    return blocked ? [blocked] : line.slice(from);
}

/** Every way to put one text of each part after the other. */
export function combine(parts: readonly (readonly string[])[]): string[] {
    return parts.reduce<string[]>(
        (texts, part) => {
            const found = [...new Set(texts.flatMap((text) => part.map((more) => text + more)))];
            return found.length > mostLines ? [hole] : found;
        },
        [""],
    );
}

function keyOf(value: Item | Line): string {
    if (Array.isArray(value)) return (value as Line).map(keyOf).join("\u0001");
    const item = value as Item;
    return "text" in item ? `t${item.text}` : `u${item.at.getSourceFile().fileName}:${item.at.pos}`;
}

export function distinct<T extends Item | Line>(values: readonly T[]): T[] {
    return [...new Map(values.map((value) => [keyOf(value), value])).values()];
}
