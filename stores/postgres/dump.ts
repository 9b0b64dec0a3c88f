import type { StoreAdapter } from "../adapter.ts";
import { connectPostgres, readTables, startPostgresDump } from "./client.ts";
import { makeScratch } from "./scratch.ts";

/** PostgreSQL, by a plain dump of one database through the wire. */
export const postgres: StoreAdapter = {
    way: "network",

    async describe(server) {
        const client = await connectPostgres(server);
        try {
            const { rows } = await client.query<{ version: string; position: string | null }>(
                `SELECT current_setting('server_version') AS version,
                        CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END::text AS position`,
            );
            const facts = rows[0];
            return { version: facts?.version ?? "unknown", ...(facts?.position ? { position: facts.position } : {}) };
        } finally {
            await client.end();
        }
    },

    dump: (server, _facts, signal) => startPostgresDump(server, signal),

    // Newer minor versions end with a \unrestrict line after the marker.
    isWhole: (tail) => /\n-- PostgreSQL database dump complete\n--\n\s*(\\unrestrict \w+\n\s*)?$/.test(tail.toString("latin1")),

    // A dump's text does not say; the position from before it is what the manifest has.
    positionIn: () => undefined,

    async tables(server) {
        const client = await connectPostgres(server);
        try {
            return await readTables(client);
        } finally {
            await client.end();
        }
    },

    scratch: makeScratch,
};
