import type mysql from "mysql2/promise";
import type { Unprotected } from "../physical.ts";
import { rowsOf } from "./client.ts";

/** By the engine's name. InnoDB's tables are whole in the replica and in every recovery point. https://mariadb.com/kb/en/storage-engines/ */
const whyOf: Readonly<Record<string, string>> = {
    MEMORY: "is a MEMORY table: it is empty in every recovery point, and after each restart of the server",
    MyISAM: "is a MyISAM table: it is on the replica and in every recovery point, but a crash may damage it and half a change stays, so that the two may differ after one",
    MRG_MyISAM: "is a union of MyISAM tables: a crash may damage them, so that server and replica may differ after one",
    Aria: "is an Aria table: it is on the replica and in every recovery point, but it has no transactions: half a change stays after a crash, so that the two may differ",
    CSV: "is a CSV table: it is on the replica and in every recovery point, but a crash may damage it",
    ARCHIVE: "is an ARCHIVE table: it is on the replica and in every recovery point, but a crash may damage it",
    FEDERATED: "is a FEDERATED table: its rows are on another server, which nobody here protects",
    CONNECT: "is a CONNECT table: its rows are elsewhere, where nobody here protects them",
    SPIDER: "is a SPIDER table: its rows are on other servers, which nobody here protects",
};

/** What a server holds that its replica or its recovery points do not, or not surely. */
export async function unprotectedOn(connection: mysql.Connection): Promise<Unprotected[]> {
    const tables = await rowsOf<{ name: string; engine: string }>(
        connection,
        `SELECT CONCAT(table_schema, '.', table_name) AS name, engine FROM information_schema.tables
         WHERE engine IN (?) AND table_type <> 'TEMPORARY' AND table_schema NOT IN ('mysql', 'sys', 'information_schema', 'performance_schema') ORDER BY 1`,
        [Object.keys(whyOf)],
    );
    return tables.flatMap(({ name, engine }) => (whyOf[engine] === undefined ? [] : [{ name, why: whyOf[engine] }]));
}
