import mysql from "mysql2/promise";
import { startMariadb } from "../../support/servers.ts";
import { adapterSuite } from "./suite.ts";

adapterSuite({
    kind: "mariadb",
    dumper: "mariadb-dump",
    async start() {
        const running = await startMariadb({
            arguments: ["--character-set-server=utf8mb4", "--max-allowed-packet=64M", "--log-bin-trust-function-creators=1"],
        });
        const address = { host: running.host, port: running.port, user: "root", password: running.rootPassword };
        const within = async <Result>(database: string | undefined, work: (connection: mysql.Connection) => Promise<Result>) => {
            const connection = await mysql.createConnection({ ...address, ...(database ? { database } : {}), charset: "utf8mb4" });
            try {
                return await work(connection);
            } finally {
                await connection.end();
            }
        };
        const rows = (database: string | undefined, sql: string) =>
            within(database, async (connection) => {
                const [found] = await connection.query({ sql, rowsAsArray: true });
                return (found as unknown[][]).map((row) =>
                    row.map((value) => (Buffer.isBuffer(value) ? value.toString("hex") : String(value))),
                );
            });
        return {
            server: { ...address, database: "none" },
            run: (database, statements) =>
                within(database, async (connection) => {
                    for (const statement of statements) await connection.query(statement);
                }),
            rows,
            databases: async () => (await rows(undefined, "SHOW DATABASES")).flat(),
            makeDatabase: (name) => within(undefined, async (connection) => void (await connection.query(`CREATE DATABASE ${name}`))),
            stop: running.stop,
        };
    },
    createMixed:
        "CREATE TABLE mixed (n int primary key, s longtext, b longblob, d decimal(30,6), at datetime(6)) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
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
});
