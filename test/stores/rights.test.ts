import assert from "node:assert/strict";
import pg from "pg";
import { lacking as mariadbLacks } from "../../stores/mariadb/rights.ts";
import { lacking as postgresLacks } from "../../stores/postgres/rights.ts";
import { admin } from "../recovery/databases/mariadb-sessions.ts";
import { makePair, passwords, type Pod } from "../recovery/databases/pod.ts";

const address = ({ port }: Pod, user: string, password: string) => ({ host: "127.0.0.1", port, user, password, database: "shop" });

describe("the rights to read a database as text", function () {
    this.timeout(120_000);

    it("of MariaDB's `backup` are all there; of another account each that lacks is a sentence with its GRANT", async () => {
        const { primary, standby } = await makePair("mariadb");
        try {
            await primary.seed();
            await primary.start();
            await primary.look();
            assert.deepEqual(await mariadbLacks(address(primary, "backup", passwords.backup)), []);
            await admin(
                primary,
                "CREATE USER poor@'%' IDENTIFIED BY 'x'",
                "GRANT SELECT, TRIGGER, LOCK TABLES ON shop.* TO poor@'%'",
                "GRANT RELOAD ON *.* TO poor@'%'",
            );
            const poor = address(primary, "poor", "x");
            const told = await mariadbLacks(poor);
            assert.deepEqual(
                told.map((sentence) => /GRANT (.*) TO/.exec(sentence)?.[1]),
                ["SHOW VIEW ON *.*", "EVENT ON *.*", "EXECUTE ON *.*", "PROCESS ON *.*", "BINLOG MONITOR ON *.*", "SELECT ON mysql.proc"],
            );
            for (const sentence of told) await admin(primary, /\((GRANT .*)\)$/.exec(sentence)![1]!);
            assert.deepEqual(await mariadbLacks(poor), []);
        } finally {
            await primary.remove();
            await standby.remove();
        }
    });

    it("of PostgreSQL's `backup` are all there, but for large objects; each that lacks is a sentence with what gives it", async () => {
        const { primary, standby } = await makePair("postgres");
        try {
            await primary.seed();
            await primary.start();
            await primary.look();
            const root = new pg.Client({
                host: primary.place.socketDirectory,
                port: primary.place.port,
                user: "postgres",
                password: passwords.root,
                database: "shop",
            });
            await root.connect();
            const run = async (...statements: string[]) => {
                for (const statement of statements) await root.query(statement);
            };
            await run(
                "CREATE SCHEMA hidden",
                "CREATE TABLE hidden.t (i int)",
                "CREATE TABLE mine (i int)",
                "ALTER TABLE mine ENABLE ROW LEVEL SECURITY",
            );
            const backup = address(primary, "backup", passwords.backup);
            assert.deepEqual(await postgresLacks(backup), []);
            await run("SELECT lo_create(4711)");
            const [object, ...others] = await postgresLacks(backup);
            assert.deepEqual(
                [object, others],
                [
                    "backup may not read 1 of the large objects, the first of which is 4711 (GRANT SELECT ON LARGE OBJECT 4711 TO backup, for each of them)",
                    [],
                ],
            );
            await run("GRANT SELECT ON LARGE OBJECT 4711 TO backup", "CREATE ROLE poor LOGIN PASSWORD 'x'", "GRANT SELECT ON mine TO poor");
            assert.deepEqual(await postgresLacks(backup), []);
            assert.deepEqual(await postgresLacks(address(primary, "poor", "x")), [
                "poor may not read hidden.t (GRANT pg_read_all_data TO poor)",
                "poor lacks BYPASSRLS: row security hides rows of public.mine from it (ALTER ROLE poor BYPASSRLS)",
                "poor may not read 1 of the large objects, the first of which is 4711 (GRANT SELECT ON LARGE OBJECT 4711 TO poor, for each of them)",
            ]);
            await root.end();
        } finally {
            await primary.remove();
            await standby.remove();
        }
    });
});
