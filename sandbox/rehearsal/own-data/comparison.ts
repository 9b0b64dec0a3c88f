import { z } from "zod";

/** What a table holds: two are the same when rows and checksum are. */
const content = z.strictObject({ rows: z.int(), checksum: z.string() });
export type Content = z.output<typeof content>;
export type Tables = Readonly<Record<string, Content>>;

/** What became of a user's own data: of each table that the dump brought, as it was after loading, and as it was found. */
export const ownDataEvidence = z.strictObject({
    store: z.string(),
    /** Name of the dump, without its folder. */
    file: z.string(),
    /** Of the SQL. */
    bytes: z.int(),
    sha256: z.string(),
    loadSeconds: z.number(),
    tables: z.array(
        z.strictObject({
            name: z.string(),
            /** In the primary, before the backups. */
            loaded: content,
            /** In the standby after its activation, and in the restored recovery point; null where the table is not there. */
            standby: content.nullable(),
            restored: content.nullable(),
            same: z.boolean(),
        }),
    ),
});
export type OwnDataEvidence = z.output<typeof ownDataEvidence>;

/** A dump that was loaded. */
export type Loaded = Omit<OwnDataEvidence, "tables"> & { tables: Tables };

/** The evidence, and why it fails, if it does. */
export interface OwnDataFound {
    evidence: OwnDataEvidence;
    reasons: string[];
}

const equal = (a: Content, b: Content | null): boolean => b !== null && a.rows === b.rows && a.checksum === b.checksum;
const tell = (found: Content | null) => (found === null ? "not there" : `${found.rows} rows, checksum ${found.checksum}`);

/** Holds every table of the loaded dump against what the standby and the restored point have. Tables that were not loaded are no concern of it. */
export function compareOwnData({ tables, ...loaded }: Loaded, standby: Tables, restored: Tables): OwnDataFound {
    const compared = Object.entries(tables).map(([name, content]) => {
        const found = { standby: standby[name] ?? null, restored: restored[name] ?? null };
        return { name, loaded: content, ...found, same: equal(content, found.standby) && equal(content, found.restored) };
    });
    const reasons = compared.flatMap((table) =>
        (["standby", "restored"] as const)
            .filter((where) => !equal(table.loaded, table[where]))
            .map(
                (where) =>
                    `own data: ${table.name} was loaded with ${tell(table.loaded)}; ${where === "standby" ? "in the standby" : "in the restored point"} it is ${tell(table[where])}`,
            ),
    );
    return { evidence: { ...loaded, tables: compared }, reasons };
}
