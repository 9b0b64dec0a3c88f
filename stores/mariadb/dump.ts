import { Failure } from "../../model/failure.ts";
import type { StoreAdapter } from "../adapter.ts";
import { connectMariadb, readTables, rowsOf, startMariadbDump } from "./client.ts";
import { makeScratch } from "./scratch.ts";

/** MariaDB, and MySQL, by a dump of one database through the wire. */
export const mariadb: StoreAdapter = {
    way: "network",

    async describe(server) {
        const connection = await connectMariadb(server);
        try {
            const [facts] = await rowsOf<{ version: string; log: string; gtid: string }>(
                connection,
                "SELECT version() AS version, @@log_bin AS log, @@gtid_current_pos AS gtid",
            );
            const others = await rowsOf<{ name: string; engine: string }>(
                connection,
                `SELECT table_name AS name, engine FROM information_schema.tables
                 WHERE table_schema = ? AND table_type = 'BASE TABLE' AND engine <> 'InnoDB'`,
                [server.database],
            );
            if (others.length > 0)
                throw new Failure(
                    "refused",
                    `a dump of ${server.database} would not be consistent: ${others.map(({ name, engine }) => `${name} is ${engine}`).join(", ")}`,
                    "convert these tables to InnoDB (ALTER TABLE … ENGINE=InnoDB)",
                );
            const position = Number(facts?.log) === 1 ? (facts?.gtid ?? "") : undefined;
            return { version: facts?.version ?? "unknown", ...(position === undefined ? {} : { position }) };
        } finally {
            connection.destroy();
        }
    },

    dump: (server, facts, signal) => startMariadbDump(server, facts.version, { logging: facts.position !== undefined }, signal),

    isWhole: (tail) => /\n-- Dump completed( on [-0-9: ]+)?\n*$/.test(tail.toString("latin1")),

    // mariadb-dump 10.11.19 writes it at the end, older ones at the beginning. A line of its own: a row's line breaks are escaped.
    positionIn: ({ head, tail }) =>
        [tail, head]
            .map((edge) => /^(?:-- )?SET GLOBAL gtid_slave_pos='([^']*)';$/m.exec(edge.toString("latin1"))?.[1])
            .find((found) => found !== undefined),

    async tables(server) {
        const connection = await connectMariadb(server);
        try {
            return await readTables(connection, server.database);
        } finally {
            connection.destroy();
        }
    },

    scratch: makeScratch,
};
