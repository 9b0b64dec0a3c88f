/** The end of what a command said, for a message. @example lastLines("one\ntwo\nthree\n", 2) // "two\nthree" */
export const lastLines = (text: string, count: number): string => text.trim().split("\n").slice(-count).join("\n");
