import { Writable } from "node:stream";
import { z } from "zod";
import type { Manifest } from "../model/manifest.ts";
import type { Contents, Relation } from "../stores/physical.ts";
import type { EnvelopeContext } from "./envelope.ts";
import { receive } from "./pipeline.ts";
import { vaultOf, type Standpoint } from "./vault.ts";

const kinds = ["table", "sequence", "materialized view", "large objects"] as const satisfies readonly Relation["kind"][];

/** As it lies in the vault: JSON, compressed and sealed. */
const stored: z.ZodType<Contents> = z.strictObject({
    position: z.string(),
    relations: z.array(
        z.strictObject({ database: z.string(), name: z.string(), kind: z.enum(kinds), rows: z.number(), checksum: z.string() }),
    ),
    schema: z.string().optional(),
    unprotected: z.array(z.strictObject({ name: z.string(), why: z.string() })),
}) as z.ZodType<Contents>;

/** Another name than the data's: neither can pass for the other. */
export const contentsContext = (store: string, point: string): EnvelopeContext => ({ store, point: `${point}/contents` });

/** What the source held, as the manifest describes it; undefined where it has none. @throws Error where the object is not the manifest's */
export async function readContents(standpoint: Standpoint, manifest: Manifest, signal: AbortSignal): Promise<Contents | undefined> {
    if (!manifest.contents) return undefined;
    const { clients, bucket } = vaultOf(standpoint);
    const { key, bytes, sha256, position } = manifest.contents;
    const parts: Buffer[] = [];
    const sink = new Writable({
        write(part: Buffer, _encoding, done) {
            parts.push(part);
            done();
        },
    });
    const read = await receive({
        ...{ s3: clients.s3, kms: clients.kms, account: standpoint.account, bucket, key, bytes, sink, signal },
        context: contentsContext(manifest.store, manifest.point),
    });
    if (read.stored.sha256 !== sha256) throw new Error("the contents are not those that the manifest describes (SHA-256 differs)");
    const contents = stored.parse(JSON.parse(Buffer.concat(parts).toString()));
    if (contents.position !== position) throw new Error(`the contents were counted at ${contents.position}, the manifest says ${position}`);
    return contents;
}

/** Differences that are told one by one. */
const told = 3;

/**
 * How what a server holds differs from what it should, in words; undefined where both are the same: every relation, its rows and the checksum over them, and the schema where both know it.
 * @param here the server's, "there" is the source
 */
export function differenceOf(here: Contents, there: Contents): string | undefined {
    const keyOf = ({ database, name, kind }: Relation) => JSON.stringify([database, name, kind]);
    const [ours, theirs] = [here, there].map(({ relations }) => new Map(relations.map((relation) => [keyOf(relation), relation])));
    // What a copy does not carry is told elsewhere.
    const left = new Set([...here.unprotected, ...there.unprotected].map(({ name }) => name));
    const found: string[] = [];
    for (const key of [...new Set([...theirs!.keys(), ...ours!.keys()])].sort()) {
        const [our, their] = [ours!.get(key), theirs!.get(key)];
        const { database, name, kind } = (our ?? their)!;
        if (left.has(`${database}.${name}`)) continue;
        const of = `${kind} ${name} of ${database}`;
        const rows = (relation: Relation) => (kind === "sequence" ? "" : ` (${relation.rows} rows)`);
        if (!our) found.push(`${of} is missing${rows(their!)}`);
        else if (!their) found.push(`${of} is there, and was not at the source${rows(our)}`);
        else if (our.rows !== their.rows) found.push(`${of} has ${our.rows} rows, the source had ${their.rows}`);
        else if (our.checksum !== their.checksum) found.push(`${of} has other values than the source${rows(our)}`);
    }
    if (here.schema !== undefined && there.schema !== undefined && here.schema !== there.schema)
        found.push("the schema, or users and rights, are not the source's");
    if (found.length === 0) return undefined;
    const more = found.length > told ? `, and ${found.length - told} more` : "";
    return `${found.slice(0, told).join("; ")}${more}`;
}
