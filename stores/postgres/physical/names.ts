import type { Block } from "./blocks.ts";

/** pg_class of a database, until it is rewritten by VACUUM FULL. */
const catalog = /^\d+\/(\d+)\/1259$/;

const kinds = new Map([
    ["r", "TABLE"],
    ["p", "TABLE"],
    ["m", "MATERIALIZED VIEW"],
    ["S", "SEQUENCE"],
    ["i", "INDEX"],
    ["t", "TOAST"],
]);

export interface Named {
    readonly name: string;
    readonly kind: string;
}

/** Names of relations, as the log itself shows them: in rows of pg_class that are written, and in its pages as the first change after a checkpoint brings them whole. */
export class Names {
    readonly #known = new Map<string, Named>();

    /** @param relation tablespace/database/filenode */
    of(relation: string): Named | undefined {
        const [, database, filenode] = relation.split("/");
        return this.#known.get(`${database}/${filenode}`);
    }

    add(database: string, filenode: string, named: Named): void {
        this.#known.set(`${database}/${filenode}`, named);
    }

    /** @param inserted the record's data of the block is a new row */
    learn({ relation, page, data }: Block, inserted: boolean): void {
        const database = catalog.exec(relation)?.[1];
        if (database === undefined) return;
        if (page) this.#page(database, page);
        // xl_heap_header: two masks and the length of the row's head, which is then left out but for what lies behind 23 bytes.
        else if (inserted && data.length > 5) this.#row(database, data.subarray(5 + data[4]! - 23));
    }

    #page(database: string, page: Buffer): void {
        const lower = page.readUInt16LE(12);
        for (let at = 24; at + 4 <= Math.min(lower, page.length); at += 4) {
            const pointer = page.readUInt32LE(at);
            const from = pointer & 0x7fff;
            const bytes = pointer >>> 17;
            if (((pointer >>> 15) & 3) !== 1 || from + bytes > page.length || bytes < 23) continue;
            const row = page.subarray(from, from + bytes);
            this.#row(database, row.subarray(row[22]!));
        }
    }

    /** catalog/pg_class.h: oid, relname (64 bytes), five more numbers, relfilenode … relkind. */
    #row(database: string, row: Buffer): void {
        if (row.length < 116) return;
        const end = row.indexOf(0, 4);
        const name = row.subarray(4, Math.min(end < 0 ? 68 : end, 68)).toString();
        const kind = kinds.get(String.fromCharCode(row[115]!));
        const filenode = row.readUInt32LE(88);
        if (kind !== undefined && filenode > 0) this.add(database, String(filenode), { name, kind });
    }
}
