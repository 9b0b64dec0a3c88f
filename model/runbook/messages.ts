import { chapter } from "./markdown.ts";

/** A message that is ready to send: what is in blanks is only known that night. */
export interface Message {
    /** "At once" */
    when: string;
    /** "users and colleagues" */
    to: string;
    lines: readonly string[];
}

export const messagesChapter = (messages: readonly Message[]): string =>
    chapter(
        "Messages to send",
        ...messages.map(({ when, to, lines }) => `**${when}**, to ${to}:\n\n${lines.map((line) => `> ${line}`).join("\n>\n")}`),
    );
