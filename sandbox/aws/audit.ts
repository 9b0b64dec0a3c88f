import { appendFile } from "node:fs/promises";

/** One call to AWS, as the gate saw it. */
export interface AuditLine {
    /** When the request arrived, RFC 3339 UTC. */
    readonly at: string;
    readonly source: string;
    /** Who has that address (addresses.whoIs). */
    readonly who: string;
    /** Region whose endpoint was dialled; "global" for IAM, Route 53 and global STS. */
    readonly region: string;
    readonly service: string;
    /** Operation as AWS names it, as in "PutObject". */
    readonly action: string;
    readonly write: boolean;
    /** A write that a global control plane carries out, wherever it was sent. */
    readonly globalWrite?: true;
    readonly bucket?: string;
    readonly key?: string;
    readonly status: number;
    /** Why the gate refused it; absent when the service answered. */
    readonly refused?: string;
    /** ARN of the caller, where the access key is known. */
    readonly principal?: string;
    /** Conditions that the gate does not know and took for the worst. */
    readonly unknownConditions?: readonly string[];
    /** From the request's head to the end of the answer. */
    readonly milliseconds: number;
}

/**
 * Keeps every line, and appends them to a file in batches.
 * @param file JSON lines; undefined: in memory only
 */
export function auditLog(file: string | undefined) {
    const lines: AuditLine[] = [];
    let written = 0;
    let writing: Promise<void> | undefined;
    const flush = async (): Promise<void> => {
        await writing;
        if (file === undefined || written === lines.length) return;
        const batch = lines.slice(written);
        written = lines.length;
        writing = appendFile(file, batch.map((line) => `${JSON.stringify(line)}\n`).join(""));
        await writing;
    };
    const timer = setInterval(() => void flush(), 100);
    timer.unref();
    return {
        add: (line: AuditLine): void => void lines.push(line),
        /** @param since RFC 3339 UTC; lines from that instant on, in order of arrival of their answers */
        since: (since: string | null): AuditLine[] => {
            if (since === null) return [...lines];
            const from = Date.parse(since);
            if (Number.isNaN(from)) throw new Error(`"${since}" is not a time; write it as in 2026-01-31T12:00:00.000Z`);
            return lines.filter((line) => Date.parse(line.at) >= from);
        },
        async close(): Promise<void> {
            clearInterval(timer);
            await flush();
        },
    };
}
