import type { Estate } from "../estate.ts";

/** What a runbook is written for. */
export interface RunbookOptions {
    estate: Estate;
    /** Number of the AWS account. @default the word ACCOUNT stands for it */
    account?: string | undefined;
}

/** What stands in one runbook, as Markdown. */
export interface RunbookContents {
    title: string;
    /** What has happened, and who takes over, in two sentences. */
    lead: string;
    /** In the order in which they are needed. */
    chapters: readonly string[];
}
