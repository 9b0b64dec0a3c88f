import type pg from "pg";
import { Failure } from "../../../model/failure.ts";
import type { ServerAddress } from "../../adapter.ts";
import type { Contents, Only, Relation, Unprotected } from "../../physical.ts";
import { connectPostgres } from "../client.ts";
import { takeMoment, type Reader, type StillMoment } from "./moment.ts";
import { listRelations, MovedOn, nameOf, readAll, unprotectedOf, type Listed } from "./relations.ts";
import { schemaOf } from "./schema.ts";
import { allDatabases, pinned, type DatabaseFacts } from "./session.ts";

/** Times that a reading is begun anew because something was dropped, rewritten or emptied under it. */
const tries = 3;

/**
 * See `PhysicalStore.contents`. Sequences are told by what the log has of them, up to 32 steps ahead of what was given out; with `only` by their last value, as a dump carries it.
 * @throws Failure("refused") for a replica
 */
export async function postgresContents(server: ServerAddress, signal: AbortSignal, only?: Only): Promise<Contents | undefined> {
    const databases = await allDatabases(server);
    // A session in a template would keep others from making databases of it.
    const read = databases
        .filter(({ name, template, open }) => open && (only ? name === only.database : !template))
        .map(({ name }) => name);
    if (only && read.length === 0)
        throw new Failure("refused", `the server has no database ${only.database} that lets anybody in`, "name another one");
    const before = only ? undefined : await schemaOf(server, read, signal);
    for (let attempt = 1; attempt <= tries; attempt += 1)
        try {
            const found = await readOnce(server, read, only, signal);
            if (found === undefined) return undefined;
            const unprotected = [...(only ? [] : uncompared(databases)), ...found.unprotected];
            const schema = before !== undefined && before === (await schemaOf(server, read, signal)) ? { schema: before } : {};
            return { position: found.position, relations: found.relations, ...schema, unprotected };
        } catch (error) {
            if (!(error instanceof MovedOn)) throw error;
        }
    return undefined;
}

const uncompared = (databases: readonly DatabaseFacts[]): Unprotected[] =>
    databases.flatMap(({ name, template, open }) => {
        if (name === "template0" || name === "template1") return [];
        if (!open) return [{ name, why: "is a database that lets nobody in: it is in the copy, and its contents are not compared" }];
        if (template) return [{ name, why: "is a template: it is in the copy, and its contents are not compared" }];
        return [];
    });

async function slotsOf(control: pg.Client): Promise<Unprotected[]> {
    const { rows } = await control.query<{ name: string; database: string }>(
        "SELECT slot_name AS name, database FROM pg_replication_slots WHERE slot_type = 'logical' AND NOT temporary ORDER BY 1",
    );
    return rows.map(({ name, database }) => ({
        name: `${database}: slot ${name}`,
        why: "is a slot of logical replication: no copy and no replica has it, so that its subscriber has to be set up anew",
    }));
}

type Found = Pick<Contents, "position" | "relations" | "unprotected">;

async function readOnce(
    server: ServerAddress,
    databases: readonly string[],
    only: Only | undefined,
    signal: AbortSignal,
): Promise<Found | undefined> {
    const readers: Reader[] = [];
    const control = await connectPostgres(server, "postgres", pinned);
    // A query that runs ends with its connection.
    const onAbort = () => void [control, ...readers.map(({ client }) => client)].forEach((client) => void client.end().catch(() => {}));
    signal.addEventListener("abort", onAbort, { once: true });
    try {
        await refuseReplica(control);
        for (const database of databases) readers.push({ database, client: await connectPostgres(server, database, pinned) });
        // The first time, a session fills its caches: outside the moment, which is to be short.
        for (const { client } of readers) await listRelations(client);
        const moment = await takeMoment(control, readers, only !== undefined, signal);
        if (moment === undefined) return undefined;
        const { relations, unprotected } = await readMoment(moment, only, signal);
        return { position: moment.position, relations, unprotected: [...unprotected, ...(only ? [] : await slotsOf(control))] };
    } finally {
        signal.removeEventListener("abort", onAbort);
        await Promise.all([control, ...readers.map(({ client }) => client)].map((client) => client.end().catch(() => {})));
    }
}

async function refuseReplica(control: pg.Client): Promise<void> {
    const { rows } = await control.query<{ replica: boolean }>("SELECT pg_is_in_recovery() AS replica");
    if (rows[0]!.replica)
        throw new Failure("refused", "the server is a replica, which applies the log while it is read", "read its primary");
}

async function readMoment(
    { databases }: StillMoment,
    only: Only | undefined,
    signal: AbortSignal,
): Promise<Pick<Found, "relations" | "unprotected">> {
    const relations: Relation[] = [];
    const unprotected: Unprotected[] = [];
    const wanted = ({ schema, name }: Pick<Listed, "schema" | "name">) =>
        only?.table === undefined || only.table === name || only.table === `${schema}.${name}`;
    for (const { reader, listed, sequences } of databases) {
        const chosen = listed.filter(wanted);
        const names = new Set(chosen.map(nameOf));
        relations.push(...sequences.filter(({ name }) => names.has(name)));
        relations.push(...(await readAll(reader.client, reader.database, chosen, only?.table === undefined, signal)));
        unprotected.push(...unprotectedOf(reader.database, chosen));
    }
    const byName = (one: Relation, other: Relation) =>
        one.database !== other.database ? (one.database < other.database ? -1 : 1) : one.name < other.name ? -1 : 1;
    return { relations: relations.sort(byName), unprotected };
}
