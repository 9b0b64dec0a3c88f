/** Text that a person wrote, for Markdown: whatever is in it stays on its line and is shown as it is. */
export const literal = (text: string): string => text.replaceAll(/\s+/g, " ").replaceAll(/[\\`*_{}[\]<>#|~&!]/g, String.raw`\$&`);

/** Lines to type, one command each. */
export const shell = (...lines: readonly string[]): string => ["```sh", ...lines, "```"].join("\n");
/** A command within a sentence. */
export const code = (command: string): string => `\`${command}\``;
export const sentence = (text: string): string => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
export const list = (lines: readonly string[]): string => lines.map((line) => `- ${line}`).join("\n");
export const numbered = (lines: readonly string[]): string => lines.map((line, index) => `${index + 1}. ${line}`).join("\n");
/** Boxes to tick. */
export const boxes = (lines: readonly string[]): string => lines.map((line) => `- [ ] ${line}`).join("\n");
export const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
    [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
/** A chapter: its heading, and its parts with a line between them. */
export const chapter = (heading: string, ...parts: readonly string[]): string => [`## ${heading}`, ...parts].join("\n\n");
