import type { FoundTransaction } from "../../physical.ts";
import { formatLsn, parseLsn } from "./wal.ts";
import { dumpWal } from "./waldump.ts";

interface Draft {
    readonly changes: Map<string, number>;
}

/**
 * Transactions of the log that match. PostgreSQL's log has no statements: what is told are rows that were added, changed and removed in a relation by its file (`base/DATABASE/RELATION`, or
 * `SPACE/DATABASE/RELATION`), relations that were dropped or emptied, and when it was committed. A DROP TABLE is the transaction that says "dropped".
 */
export async function* findTransactions(
    directory: string,
    files: readonly string[],
    { like, since }: { like: string; since?: Date },
    signal: AbortSignal,
): AsyncGenerator<FoundTransaction> {
    const drafts = new Map<string, Draft>();
    const found: FoundTransaction[] = [];
    const wanted = like.toLowerCase();
    await dumpWal(directory, files, signal, ({ manager, transaction, at, text }) => {
        if (transaction === "0") return;
        const draft = drafts.get(transaction) ?? { changes: new Map<string, number>() };
        drafts.set(transaction, draft);
        const [, what] = /^(INSERT|MULTI_INSERT|UPDATE|HOT_UPDATE|DELETE|TRUNCATE)\b/.exec(text) ?? [];
        const [, relation] = /rel (\d+\/\d+\/\d+)/.exec(text) ?? [];
        if (manager.startsWith("Heap") && what !== undefined && relation !== undefined) {
            const key = `${what.replace(/^(MULTI_|HOT_)/, "")} ${relation}`;
            draft.changes.set(key, (draft.changes.get(key) ?? 0) + 1);
        }
        const [, end, time, rest = ""] = /^(COMMIT|ABORT)(?:_PREPARED)? (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+) UTC(.*)$/.exec(text) ?? [];
        if (manager !== "Transaction" || end === undefined) return;
        drafts.delete(transaction);
        if (end === "ABORT") return;
        const committedAt = new Date(`${time!.replace(" ", "T").slice(0, 23)}Z`);
        const [, dropped] = /; rels: ([^;]*)/.exec(rest) ?? [];
        const statements = [
            ...(dropped === undefined ? [] : [`dropped ${dropped.trim().split(" ").length} relations: ${dropped.trim()}`]),
            ...[...draft.changes].map(([change, rows]) => `${change}: ${rows} ${rows === 1 ? "row" : "rows"}`),
        ];
        const matches = (since === undefined || committedAt >= since) && statements.some((each) => each.toLowerCase().includes(wanted));
        if (matches) found.push({ transaction, position: formatLsn(parseLsn(at)), committedAt, statements });
    });
    yield* found;
}
