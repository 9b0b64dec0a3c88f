import { markup, type Markup } from "./markup.ts";

/** Names and what was found of each, for a `<dl>`. */
export const facts = (found: readonly (readonly [name: string, fact: string | number])[]): Markup =>
    markup`${found.map(([name, fact]) => markup`<dt>${name}</dt><dd>${fact}</dd>`)}`;
