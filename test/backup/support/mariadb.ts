import { join } from "node:path";
import mysql from "mysql2/promise";
import type { ServerAddress } from "../../../stores/adapter.ts";
import { startMariadb } from "../../support/servers.ts";
import type { Harness } from "./store.ts";

async function within<Result>(
    { host, port, user, password, database, socketDirectory }: ServerAddress,
    work: (c: mysql.Connection) => Promise<Result>,
) {
    const where = socketDirectory ? { socketPath: join(socketDirectory, "mysqld.sock") } : { host, port };
    const connection = await mysql.createConnection({ ...where, user, password, database, charset: "utf8mb4", supportBigNumbers: true });
    try {
        return await work(connection);
    } finally {
        await connection.end();
    }
}

export const mariadb: Harness = {
    kind: "mariadb",
    copier: "mariadb-backup",
    async start() {
        const running = await startMariadb({
            arguments: ["--character-set-server=utf8mb4", "--max-allowed-packet=64M", "--log-bin-trust-function-creators=1"],
        });
        const server = { host: running.host, port: running.port, user: "root", password: running.rootPassword, database: "mysql" };
        return { server: { ...server, socketDirectory: running.directory }, data: join(running.directory, "data"), stop: running.stop };
    },
    run: (server, statements) =>
        within(server, async (connection) => {
            for (const statement of statements) await connection.query(statement);
        }),
    rows: (server, sql) =>
        within(server, async (connection) => {
            const [found] = await connection.query({ sql, rowsAsArray: true });
            return (found as unknown[][]).map((row) =>
                row.map((value) => (Buffer.isBuffer(value) ? value.toString("hex") : String(value))),
            );
        }),
    maintenance: "mysql",
    databases: "SHOW DATABASES",
    rounds: true,
    createMixed:
        "CREATE TABLE mixed (n int primary key, s longtext, b longblob, d decimal(30,6), at datetime(6), f float) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
    bytes: (value) => `x'${value.toString("hex")}'`,
    fillMany: (rows) => [
        "CREATE TABLE many (n int primary key, s varchar(100))",
        `INSERT INTO many SELECT seq, concat('row ', seq, ' ', md5(seq)) FROM seq_1_to_${rows}`,
    ],
    objects: [
        "CREATE TABLE parent (n int primary key, doubled int)",
        "CREATE TABLE child (n int primary key, of int, FOREIGN KEY (of) REFERENCES parent (n) ON DELETE CASCADE)",
        "CREATE TRIGGER doubling BEFORE INSERT ON parent FOR EACH ROW SET NEW.doubled = NEW.n * 2",
        "CREATE FUNCTION tripled(n int) RETURNS int DETERMINISTIC RETURN n * 3",
        "CREATE VIEW seen AS SELECT p.n, p.doubled, tripled(p.n) AS three FROM parent p JOIN child c ON c.of = p.n",
        "INSERT INTO parent (n) VALUES (5)",
        "INSERT INTO child VALUES (1, 5)",
    ],
    useObjects: {
        run: ["INSERT INTO parent (n) VALUES (6)", "INSERT INTO child VALUES (2, 6)", "DELETE FROM parent WHERE n = 5"],
        rows: "SELECT n, doubled, three FROM seen",
        expect: [["6", "12", "18"]],
    },
};
