import { Failure } from "../../model/failure.ts";
import type { LogicalStore, ServerAddress, ServerFacts } from "../adapter.ts";
import { connectMariadb, readTables, rowsOf } from "./client.ts";
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

/** What a seed by a dump reads of it. */
export const seedDump = {
    isWhole,

    async describe(server: ServerAddress): Promise<ServerFacts> {
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

    // mariadb-dump 10.11.19 writes it at the end, older ones at the beginning. A line of its own: a row's line breaks are escaped.
    positionIn: ({ head, tail }: { readonly head: Buffer; readonly tail: Buffer }): string | undefined =>
        [tail, head]
            .map((edge) => /^(?:-- )?SET GLOBAL gtid_slave_pos='([^']*)';$/m.exec(edge.toString("latin1"))?.[1])
            .find((found) => found !== undefined),
};
