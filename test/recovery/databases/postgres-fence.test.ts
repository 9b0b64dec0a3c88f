import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { makePair, passwords, type Epoch, type Pod } from "./pod.ts";

/** Over TCP, through the gate; or as the superuser through the pod's socket. */
async function connect(pod: Pod, user: string, password: string, database = "shop"): Promise<pg.Client> {
    const where = user === "postgres" ? { host: pod.place.socketDirectory, port: pod.place.port } : { host: "127.0.0.1", port: pod.port };
    const client = new pg.Client({ ...where, user, password, database, connectionTimeoutMillis: 3000 });
    client.on("error", () => {});
    await client.connect();
    return client;
}
async function run(pod: Pod, user: string, password: string, ...statements: string[]): Promise<unknown[]> {
    const client = await connect(pod, user, password);
    try {
        let rows: unknown[] = [];
        for (const statement of statements) ({ rows } = await client.query(statement));
        return rows;
    } finally {
        await client.end();
    }
}
const admin = (pod: Pod, ...statements: string[]) => run(pod, "postgres", passwords.root, ...statements);
const refusal = /rejects connection|no pg_hba.conf entry/;

describe("the fence of a closed PostgreSQL", function () {
    this.timeout(120_000);
    let epoch: Epoch;
    let primary: Pod;
    let standby: Pod;
    before(async () => {
        ({ epoch, primary, standby } = await makePair("postgres"));
        await primary.seed();
        await primary.start();
        await primary.look();
        await run(primary, "app", passwords.app, "CREATE TABLE orders (number int primary key)", "INSERT INTO orders VALUES (1)");
        await admin(
            primary,
            "CREATE ROLE clerk LOGIN PASSWORD 'clerk'",
            "GRANT ALL ON orders TO clerk",
            "CREATE ROLE dba LOGIN SUPERUSER PASSWORD 'dba'",
            // Opens every session of theirs as a writing one.
            "ALTER ROLE ALL SET default_transaction_read_only = off",
        );
        await standby.seed();
        await standby.start();
        await standby.look();
    });
    after(async () => {
        await primary?.remove();
        await standby?.remove();
    });
    const close = async () => {
        epoch.set(epoch.record!.epoch + 1, "standby");
        return primary.look();
    };
    const open = async () => {
        epoch.set(epoch.record!.epoch + 1, "primary");
        return primary.look();
    };
    const writing = ["BEGIN READ WRITE", "INSERT INTO orders VALUES (99)", "COMMIT"];

    it("lets nobody write who exists when it is closed: a second role, a second superuser, their sessions that had begun", async () => {
        const sessions = [await connect(primary, "clerk", "clerk"), await connect(primary, "dba", "dba")];
        for (const session of sessions) await session.query("BEGIN READ WRITE");
        for (const [index, session] of sessions.entries()) await session.query(`INSERT INTO orders VALUES (${90 + index})`);
        assert.match((await close()) ?? "", /^read-only/);
        for (const session of sessions) await assert.rejects(session.query("COMMIT"));
        for (const user of ["clerk", "dba"]) await assert.rejects(run(primary, user, user, ...writing), refusal);
        await assert.rejects(run(primary, "app", passwords.app, ...writing), refusal);
        assert.equal((await primary.guard.status()).role, "read-only");
        assert.deepEqual(await run(primary, "backup", passwords.backup, "SELECT number FROM orders"), [{ number: 1 }]);
    });

    it("lets `replication` run no SQL, and its stream go on", async () => {
        await assert.rejects(run(primary, "replication", passwords.replication, "SELECT 1"), refusal);
        await assert.rejects(connect(primary, "replication", passwords.replication, "postgres"), refusal);
        await admin(primary, "BEGIN READ WRITE", "INSERT INTO orders VALUES (2)", "COMMIT");
        for (const deadline = Date.now() + 20_000; ; await sleep(50)) {
            const rows = await run(standby, "backup", passwords.backup, "SELECT number FROM orders WHERE number = 2");
            if (rows.length === 1) break;
            assert.ok(Date.now() < deadline, "the row does not arrive");
        }
    });

    it("is seen to be no fence where somebody put another text or session in its place, and is mended at the next look", async () => {
        await admin(primary, "ALTER SYSTEM SET default_transaction_read_only = off", "SELECT pg_reload_conf()");
        assert.equal((await primary.guard.status()).role, "half-open");
        assert.match((await primary.look()) ?? "", /^read-only/);
        assert.equal((await primary.guard.status()).role, "read-only");
    });

    it("keeps `backup` out too, once it was given a right to write, and says what to take away", async () => {
        await admin(primary, "BEGIN READ WRITE", "GRANT INSERT ON orders TO PUBLIC", "COMMIT");
        const { role, problem } = await primary.guard.status();
        assert.equal(role, "half-open");
        assert.match(problem ?? "", /`backup` is not let in, because it may write public\.orders \(database shop\).*REVOKE/);
        await primary.look();
        assert.equal((await primary.guard.status()).role, "read-only");
        await assert.rejects(run(primary, "backup", passwords.backup, ...writing), refusal);
        await admin(primary, "BEGIN READ WRITE", "REVOKE INSERT ON orders FROM PUBLIC", "COMMIT");
        await primary.look();
        assert.deepEqual(await primary.guard.status().then(({ role: now, problem: told }) => [now, told]), ["read-only", undefined]);
        assert.equal((await run(primary, "backup", passwords.backup, "SELECT number FROM orders")).length, 2);
    });

    it("is told with what the replica does not carry: unlogged tables, in whichever database", async () => {
        await admin(primary, "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE", "CREATE DATABASE books");
        const books = await connect(primary, "postgres", passwords.root, "books");
        await books.query("SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE");
        await books.query("CREATE UNLOGGED TABLE sessions (id serial)");
        await books.end();
        assert.deepEqual(await primary.server.unprotected(), [
            { name: "books.public.sessions", why: "is an unlogged table: it is empty after a promotion and in every recovery point" },
        ]);
    });

    it("opens again for everybody", async () => {
        assert.match((await open()) ?? "", /^writable/);
        assert.equal((await primary.guard.status()).role, "writable");
        await run(primary, "clerk", "clerk", "INSERT INTO orders VALUES (3)");
    });

    it("is whole when the server starts again after a crash, and does not apply what a subscription would", async () => {
        await admin(primary, "CREATE SUBSCRIPTION other CONNECTION 'dbname=nowhere' PUBLICATION p WITH (connect = false)");
        await primary.stop("SIGQUIT");
        await primary.seed();
        await primary.start();
        assert.equal((await primary.guard.status()).role, "read-only");
        await assert.rejects(run(primary, "clerk", "clerk", ...writing));
        await open();
    });

    it("brings a replica whose replay was paused to all that it received, when it is promoted", async () => {
        await admin(standby, "SELECT pg_wal_replay_pause()");
        await run(primary, "app", passwords.app, "INSERT INTO orders VALUES (4)");
        const { rows } = await connect(primary, "postgres", passwords.root).then(async (client) => {
            const answer = await client.query<{ at: string }>("SELECT pg_current_wal_flush_lsn()::text AS at");
            await client.end();
            return answer;
        });
        for (const deadline = Date.now() + 20_000; ; await sleep(50)) {
            const [found] = (await admin(standby, `SELECT pg_last_wal_receive_lsn() >= '${rows[0]!.at}' AS there`)) as { there: boolean }[];
            if (found?.there) break;
            assert.ok(Date.now() < deadline, "the log does not arrive");
        }
        assert.match((await standby.guard.status()).problem ?? "", /paused its replay/);
        await primary.stop("SIGQUIT");
        epoch.set(epoch.record!.epoch + 1, "standby");
        await standby.guard.promote();
        assert.deepEqual(await run(standby, "clerk", "clerk", "SELECT number FROM orders WHERE number = 4"), [{ number: 4 }]);
    });
});
