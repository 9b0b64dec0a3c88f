import type { LogicalStore } from "../adapter.ts";
import { connectMariadb, readTables } from "./client.ts";
import { inhabitants } from "./empty.ts";
import { lacking, transfer } from "./transfer.ts";

const isWhole = (tail: Buffer): boolean => /\n-- Dump completed( on [-0-9: ]+)?\n*$/.test(tail.toString("latin1"));

/** MariaDB, as text. */
export const mariadb: LogicalStore = {
    isWhole,
    inhabitants,
    lacking,
    transfer,
    async tables(server) {
        const connection = await connectMariadb(server);
        try {
            return await readTables(connection, server.database);
        } finally {
            connection.destroy();
        }
    },
};
