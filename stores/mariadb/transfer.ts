import mysql from "mysql2/promise";
import { Failure } from "../../model/failure.ts";
import type { ServerAddress, Transfer } from "../adapter.ts";
import type { Program } from "../program.ts";
import { startProgram } from "../program.ts";
import { connectMariadb, largestPacket, rowsOf, secretOf, startMariadbClient, whereabouts } from "./client.ts";

/** The second argument: a dot in a name is a dot. */
const id = (name: string): string => mysql.escapeId(name, true);

/** A server that takes smaller packets than the dump has is told to take them while it is loaded; returns what puts its own size back. */
async function allowLargeRows(connection: mysql.Connection): Promise<() => Promise<void>> {
    const [found] = await rowsOf<{ size: string }>(connection, "SELECT @@global.max_allowed_packet AS size");
    const size = Number(found?.size);
    if (size >= largestPacket) return async () => {};
    await connection.query(`SET GLOBAL max_allowed_packet = ${largestPacket}`);
    return async () => void (await connection.query(`SET GLOBAL max_allowed_packet = ${size}`));
}

/** History of versioned tables, too. From a server that nobody else writes to. */
function startDump(server: ServerAddress, table: string | undefined, signal: AbortSignal): Program {
    return startProgram(
        "mariadb-dump",
        [
            ...whereabouts(server),
            ...["--single-transaction", "--quick", "--triggers", "--hex-blob", "--dump-history"],
            ...["--default-character-set=utf8mb4", `--max-allowed-packet=${largestPacket}`],
            ...(table === undefined ? ["--routines", "--events", server.database] : [server.database, table]),
        ],
        { env: secretOf(server), signal },
    );
}

interface Properties {
    charset: string;
    collation: string;
    comment: string;
}

const propertiesOf = async (connection: mysql.Connection, database: string): Promise<Properties | undefined> =>
    (
        await rowsOf<Properties>(
            connection,
            `SELECT default_character_set_name AS charset, default_collation_name AS collation, schema_comment AS comment
             FROM information_schema.schemata WHERE schema_name = ?`,
            [database],
        )
    )[0];

const asClauses = ({ charset, collation, comment }: Properties): string =>
    `CHARACTER SET ${charset} COLLATE ${collation} COMMENT ${mysql.escape(comment)}`;

async function within<Result>(server: ServerAddress, work: (connection: mysql.Connection) => Promise<Result>): Promise<Result> {
    const connection = await connectMariadb(server, null);
    try {
        return await work(connection);
    } finally {
        connection.destroy();
    }
}

/** See `LogicalStore.transfer`. The users must be allowed to do everything. */
export async function transfer(from: ServerAddress, target: ServerAddress, label: string, table?: string): Promise<Transfer> {
    return table === undefined ? await transferDatabase(from, target) : await transferTable(from, target, table, label);
}

/** MariaDB cannot rename a database: it is loaded where it will be, into what is empty, and removed again if it is not what it should be. */
async function transferDatabase(from: ServerAddress, target: ServerAddress): Promise<Transfer> {
    const properties = await within(from, (connection) => propertiesOf(connection, from.database));
    if (!properties) throw new Failure("no", `there is no database ${from.database} in what was recovered`, "name another one with --only");
    const connection = await connectMariadb(target, null);
    const former = await propertiesOf(connection, target.database);
    await connection.query(`${former ? "ALTER" : "CREATE"} DATABASE ${id(target.database)} ${asClauses(properties)}`);
    const putSizeBack = await allowLargeRows(connection);
    let [placed, closed] = [false, false];
    return {
        ...{ from, loaded: target },
        dump: (signal) => startDump(from, undefined, signal),
        load: (signal) => startMariadbClient(target, target.database, "SET SESSION default_storage_engine = InnoDB", signal),
        takePlace: () => {
            placed = true;
            return Promise.resolve({});
        },
        async discard() {
            if (closed) return;
            closed = true;
            try {
                await putSizeBack();
                if (placed) return;
                await connection.query(`DROP DATABASE IF EXISTS ${id(target.database)}`);
                if (former) await connection.query(`CREATE DATABASE ${id(target.database)} ${asClauses(former)}`);
            } finally {
                connection.destroy();
            }
        },
    };
}

/** Under another name, which it is given before it is dumped: so its triggers and foreign keys come with it, and one RENAME brings it in. */
async function transferTable(from: ServerAddress, target: ServerAddress, table: string, label: string): Promise<Transfer> {
    const name = `${table.slice(0, 40)}_restore_${label}`;
    const rename = (of: ServerAddress, old: string, young: string) =>
        `RENAME TABLE ${id(of.database)}.${id(old)} TO ${id(of.database)}.${id(young)}`;
    await within(from, async (source) => {
        // Views and foreign keys of others that name it are no concern of the scratch server any more.
        await source.query("SET SESSION foreign_key_checks = 0");
        await source.query(rename(from, table, name));
    });
    const connection = await connectMariadb(target, null);
    const putSizeBack = await allowLargeRows(connection);
    let closed = false;
    return {
        ...{ from, loaded: target, table: name },
        dump: (signal) => startDump(from, name, signal),
        load: (signal) => startMariadbClient(target, target.database, "SET SESSION default_storage_engine = InnoDB", signal),
        async takePlace() {
            await connection.query(rename(target, name, table));
            return {};
        },
        async discard() {
            if (closed) return;
            closed = true;
            try {
                await putSizeBack();
                await connection.query(`DROP TABLE IF EXISTS ${id(target.database)}.${id(name)}`);
            } finally {
                connection.destroy();
            }
        },
    };
}

/** Accounts in whose name views, routines, triggers and events run: without them they are there and do not work. */
export async function lacking(target: ServerAddress, from: ServerAddress, table?: string): Promise<string[]> {
    const definers = await within(from, (connection) =>
        rowsOf<{ definer: string }>(
            connection,
            table === undefined
                ? `SELECT definer FROM information_schema.views WHERE table_schema = ?
                   UNION SELECT definer FROM information_schema.routines WHERE routine_schema = ?
                   UNION SELECT definer FROM information_schema.events WHERE event_schema = ?
                   UNION SELECT definer FROM information_schema.triggers WHERE trigger_schema = ?`
                : "SELECT DISTINCT definer FROM information_schema.triggers WHERE trigger_schema = ? AND event_object_table = ?",
            table === undefined ? [from.database, from.database, from.database, from.database] : [from.database, table],
        ),
    );
    const there = await within(target, (connection) =>
        rowsOf<{ account: string }>(connection, "SELECT concat(user, '@', host) AS account FROM mysql.user"),
    );
    const accounts = new Set(there.map(({ account }) => account));
    // A role has no host, and is there with an empty one.
    return definers
        .filter(({ definer }) => !accounts.has(definer) && !accounts.has(`${definer}@`))
        .map(({ definer }) => `account ${definer}`);
}
