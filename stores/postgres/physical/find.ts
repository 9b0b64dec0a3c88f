import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { FoundTransaction } from "../../physical.ts";
import { lsnText } from "../position.ts";
import { partsOf } from "./blocks.ts";
import { endingOf, managers, type Ending } from "./commit.ts";
import { Names } from "./names.ts";
import { walk, type Carry, type WalRecord } from "./records.ts";
import { knownSegment, segmentSize } from "./segment.ts";

type Verb = "INSERT" | "UPDATE" | "DELETE";

/** Rows that a transaction changed so far, by relation. */
type Deeds = Map<string, Record<Verb, number>>;

/** What a heap's record does: access/heapam_xlog.h. */
function deedOf(record: WalRecord): { verb: Verb; rows: (main: Buffer) => number } | undefined {
    const operation = record.info & 0x70;
    const one = () => 1;
    if (record.manager === managers.heap2) return operation === 0x50 ? { verb: "INSERT", rows: (main) => main.readUInt16LE(2) } : undefined;
    if (record.manager !== managers.heap) return undefined;
    switch (operation) {
        case 0x00:
            return { verb: "INSERT", rows: one };
        case 0x10:
            return { verb: "DELETE", rows: one };
        case 0x20:
        case 0x40:
            return { verb: "UPDATE", rows: one };
        default:
            return undefined;
    }
}

/** The engine's own catalogs have file numbers of their own below this. */
const isCatalog = (relation: string): boolean => Number(relation.split("/")[2]) < 16384;

class Reader {
    readonly names = new Names();
    readonly #open = new Map<number, Deeds>();
    readonly found: FoundTransaction[] = [];
    readonly #like;
    readonly #since;

    constructor({ like, since }: { like: string; since?: Date }) {
        this.#like = like.toLowerCase();
        this.#since = since;
    }

    take(record: WalRecord): void {
        if (record.manager === managers.heap || record.manager === managers.heap2) this.#change(record);
        const ending = endingOf(record);
        if (ending) this.#end(ending, record);
    }

    #change(record: WalRecord): void {
        const { blocks, main } = partsOf(record);
        const deed = deedOf(record);
        for (const block of blocks) this.names.learn(block, deed?.verb === "INSERT" && record.manager === managers.heap);
        const relation = blocks[0]?.relation;
        if (!deed || relation === undefined || record.transaction === 0 || isCatalog(relation)) return;
        const deeds = this.#open.get(record.transaction) ?? new Map<string, Record<Verb, number>>();
        this.#open.set(record.transaction, deeds);
        const rows = deeds.get(relation) ?? { INSERT: 0, UPDATE: 0, DELETE: 0 };
        rows[deed.verb] += deed.rows(main);
        deeds.set(relation, rows);
    }

    #end(ending: Ending, record: WalRecord): void {
        const own = [ending.transaction, ...ending.subtransactions];
        const deeds = own.map((transaction) => this.#open.get(transaction) ?? new Map<string, Record<Verb, number>>());
        for (const transaction of own) this.#open.delete(transaction);
        if (ending.kind === "abort" || (this.#since && ending.at < this.#since)) return;
        const statements = [...this.#dropped(ending.dropped), ...this.#changed(deeds)];
        if (!statements.some((statement) => statement.toLowerCase().includes(this.#like))) return;
        this.found.push({ transaction: String(ending.transaction), position: lsnText(record.end), committedAt: ending.at, statements });
    }

    #dropped(relations: readonly string[]): string[] {
        if (relations.length === 0) return [];
        const lines = relations.flatMap((relation) => {
            const named = this.names.of(relation);
            return named === undefined || named.kind === "TOAST"
                ? []
                : [`DROP, TRUNCATE or rewrite of ${named.kind} ${named.name} (${relation})`];
        });
        return [...lines, `dropped ${relations.length} ${relations.length === 1 ? "relation" : "relations"}: ${relations.join(", ")}`];
    }

    #changed(all: readonly Deeds[]): string[] {
        const sums: Deeds = new Map();
        for (const deeds of all)
            for (const [relation, rows] of deeds) {
                const sum = sums.get(relation) ?? { INSERT: 0, UPDATE: 0, DELETE: 0 };
                for (const verb of ["INSERT", "UPDATE", "DELETE"] as const) sum[verb] += rows[verb];
                sums.set(relation, sum);
            }
        return [...sums].flatMap(([relation, rows]) => {
            const named = this.names.of(relation);
            const name = named ? `${named.name} (${relation})` : relation;
            return (["INSERT", "UPDATE", "DELETE"] as const)
                .filter((verb) => rows[verb] > 0)
                .map((verb) => `${verb} ${name}: ${rows[verb]} ${rows[verb] === 1 ? "row" : "rows"}`);
        });
    }
}

/**
 * Finds transactions by what the log has of them. It has no SQL: it tells rows that were changed, by relation, and relations whose files were dropped when it committed (DROP, TRUNCATE, and what
 * rewrites a table look alike there: a relation that is created in the same transaction was rewritten). A relation is named where the files show its row in pg_class; begin some files, up to a
 * checkpoint, before the time that matters, and most are. It cannot tell what was in the rows, nor who it was. Files are read from the first one on.
 */
export async function* findTransactions(
    directory: string,
    files: readonly string[],
    what: { like: string; since?: Date },
    signal: AbortSignal,
): AsyncGenerator<FoundTransaction> {
    const reader = new Reader(what);
    let carry: Carry | undefined;
    for (const file of files) {
        signal.throwIfAborted();
        const bytes = await readFile(join(directory, file));
        const walked = walk(bytes, knownSegment(file), { carry, each: (record) => reader.take(record) });
        yield* reader.found.splice(0);
        if (typeof walked.stopped === "object") throw new Error(`the log is damaged: ${file}: ${walked.stopped.damage}`);
        if (file !== files.at(-1) && walked.end !== segmentSize) throw new Error(`${file} ends at byte ${walked.end}, and is not the last`);
        carry = walked.carry;
    }
}
