import pg from "pg";
import { Failure } from "../../model/failure.ts";
import type { Scratch, ServerAddress } from "../adapter.ts";
import { connectWritable, readTables, startPostgresClient } from "./client.ts";

const id = pg.escapeIdentifier;

interface TargetState {
    exists: boolean;
    owner: string | undefined;
    tables: number;
}

async function stateOf(target: ServerAddress, maintenance: pg.Client): Promise<TargetState> {
    const { rows } = await maintenance.query<{ owner: string }>(
        "SELECT pg_get_userbyid(datdba) AS owner FROM pg_database WHERE datname = $1",
        [target.database],
    );
    const owner = rows[0]?.owner;
    if (owner === undefined) return { exists: false, owner, tables: 0 };
    const client = await connectWritable(target);
    try {
        const { rows: counted } = await client.query<{ n: string }>(
            "SELECT count(*) AS n FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')",
        );
        return { exists: true, owner, tables: Number(counted[0]?.n) };
    } finally {
        await client.end();
    }
}

/** A database is renamed or dropped only when nobody is in it. */
async function dismiss(maintenance: pg.Client, database: string): Promise<void> {
    await maintenance.query("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid()", [
        database,
    ]);
}

/** See `StoreAdapter.scratch`. The user must be a superuser; the roles that own the dump's objects must exist. */
export async function makeScratch(target: ServerAddress, label: string, replace: boolean): Promise<Scratch> {
    const maintenance = await connectWritable(target, "postgres");
    const database = `${target.database}_restore_${label}`;
    const kept = `${target.database}_before_${label}`;
    let state: TargetState;
    try {
        state = await stateOf(target, maintenance);
        if (state.tables > 0 && !replace)
            throw new Failure(
                "refused",
                `${target.database} on ${target.host} holds ${state.tables} ${state.tables === 1 ? "table" : "tables"}`,
                "restore into an empty database, or say --replace: what is there is then kept beside it",
            );
        const owner = state.owner === undefined ? "" : ` OWNER ${id(state.owner)}`;
        await maintenance.query(`CREATE DATABASE ${id(database)}${owner} TEMPLATE template0 ENCODING 'UTF8'`);
    } catch (error) {
        await maintenance.end();
        throw error;
    }
    let closed = false;

    return {
        database,

        load: (signal) => startPostgresClient(target, database, signal),

        async check() {
            const client = await connectWritable(target, database);
            try {
                return await readTables(client);
            } finally {
                await client.end();
            }
        },

        async takePlace() {
            await dismiss(maintenance, database);
            if (state.exists) {
                // Nobody comes back in between: renaming waits for nobody.
                await maintenance.query(`ALTER DATABASE ${id(target.database)} ALLOW_CONNECTIONS false`);
                await dismiss(maintenance, target.database);
            }
            try {
                await maintenance.query("BEGIN");
                if (state.exists) await maintenance.query(`ALTER DATABASE ${id(target.database)} RENAME TO ${id(kept)}`);
                await maintenance.query(`ALTER DATABASE ${id(database)} RENAME TO ${id(target.database)}`);
                await maintenance.query("COMMIT");
            } catch (error) {
                await maintenance.query("ROLLBACK");
                if (state.exists) await maintenance.query(`ALTER DATABASE ${id(target.database)} ALLOW_CONNECTIONS true`);
                throw error;
            }
            if (!state.exists) return {};
            if (state.tables === 0) {
                await maintenance.query(`DROP DATABASE ${id(kept)}`);
                return {};
            }
            await maintenance.query(`ALTER DATABASE ${id(kept)} ALLOW_CONNECTIONS true`);
            return { kept };
        },

        async discard() {
            if (closed) return;
            closed = true;
            try {
                await maintenance.query(`DROP DATABASE IF EXISTS ${id(database)} WITH (FORCE)`);
            } finally {
                await maintenance.end();
            }
        },
    };
}
