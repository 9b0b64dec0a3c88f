import { createConnection } from "mysql2/promise";
import pg from "pg";
import type { Estate } from "../../../model/estate.ts";
import type { Engine } from "../../engines.ts";
import { Failure } from "../../../model/failure.ts";
import { startMariadb, startPostgres, type Server } from "../../throwaway-servers.ts";
import { streamDump } from "./client.ts";
import type { Dump } from "./dump.ts";

const password = "trial";

/** A server of the store's kind, and in it the database and the application's user with the rights that model/servers.ts gives it. */
const trials: Readonly<Record<Engine, (database: string) => Promise<Server>>> = {
    async mariadb(database) {
        const server = await startMariadb({ database, arguments: ["--max-allowed-packet=1073741824", "--character-set-server=utf8mb4"] });
        const connection = await createConnection({ host: server.host, port: server.port, user: "root", password: server.rootPassword });
        await connection.query("CREATE USER 'app'@'%' IDENTIFIED BY ?", [password]);
        await connection.query("GRANT ALL ON ??.* TO 'app'@'%'", [database]);
        await connection.end();
        return server;
    },
    async postgres(database) {
        const server = await startPostgres({ database });
        const client = new pg.Client({ host: server.host, port: server.port, user: "postgres", password: server.rootPassword });
        await client.connect();
        await client.query(`CREATE ROLE app LOGIN PASSWORD '${password}'`);
        await client.query(`ALTER DATABASE ${pg.escapeIdentifier(database)} OWNER TO app`);
        await client.end();
        return server;
    },
};

/**
 * Loads a dump into a server that is thrown away, before anything is provisioned: what the server refuses is known in seconds.
 * @throws Failure("usage") with the server's own words
 */
export async function tryDump(dump: Dump, estate: Estate): Promise<void> {
    const { database } = estate.stores[dump.store]!;
    const server = await trials[dump.kind](database);
    try {
        const { refused } = await streamDump(dump, { host: server.host, port: server.port, database, password });
        if (refused !== undefined)
            throw new Failure(
                "usage",
                `${dump.file} cannot be loaded: a server like that of ${dump.store} refuses it: ${refused}`,
                "mend that line of the SQL (counted without compression)",
            );
    } finally {
        await server.stop();
    }
}
