import type { LogicalStore } from "../adapter.ts";
import { connectPostgres, readTables } from "./client.ts";
import { inhabitants } from "./empty.ts";
import { lacking, transfer } from "./transfer.ts";

/** PostgreSQL, as text. */
export const postgres: LogicalStore = {
    // Newer minor versions end with a \unrestrict line after the marker.
    isWhole: (tail) => /\n-- PostgreSQL database dump complete\n--\n\s*(\\unrestrict \w+\n\s*)?$/.test(tail.toString("latin1")),
    inhabitants,
    lacking,
    transfer,
    async tables(server) {
        const client = await connectPostgres(server);
        try {
            return await readTables(client);
        } finally {
            await client.end();
        }
    },
};
