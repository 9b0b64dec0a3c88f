import assert from "node:assert/strict";
import { admin, app, connect, numbersIn, run, until } from "./mariadb-sessions.ts";
import { makePair, passwords, type Epoch, type Pod } from "./pod.ts";

const writing = ["INSERT INTO orders VALUES (99)"];
const locked = /account is locked/;

describe("the fence of a closed MariaDB", function () {
    this.timeout(120_000);
    let epoch: Epoch;
    let primary: Pod;
    let standby: Pod;
    before(async () => {
        ({ epoch, primary, standby } = await makePair("mariadb"));
        await primary.seed();
        await primary.start();
        await primary.look();
        await app(primary, "CREATE TABLE orders (number int primary key)", "INSERT INTO orders VALUES (1)");
        await admin(
            primary,
            "CREATE USER dba@'%' IDENTIFIED BY 'dba'",
            "GRANT ALL ON *.* TO dba@'%' WITH GRANT OPTION",
            "CREATE USER clerk@'%' IDENTIFIED BY 'clerk'",
            "GRANT READ ONLY ADMIN ON *.* TO clerk@'%'",
            "GRANT ALL ON shop.* TO clerk@'%'",
            "CREATE USER gone@'%' IDENTIFIED BY 'gone' ACCOUNT LOCK",
            "CREATE USER root@'%' IDENTIFIED BY 'other'",
            "GRANT ALL ON *.* TO root@'%'",
            "CREATE PROCEDURE shop.sell() INSERT INTO orders VALUES (77)",
            "GRANT EXECUTE ON shop.* TO app@'%'",
        );
        await standby.seed();
        await standby.start();
        await standby.look();
        await until("it follows", async () => (await standby.guard.status()).lagSeconds === 0);
    });
    after(async () => {
        await primary?.remove();
        await standby?.remove();
    });
    const turnTo = async (site: "primary" | "standby") => {
        epoch.set(epoch.record!.epoch + 1, site);
        return primary.look();
    };

    it("lets nobody write who exists when it is closed: other administrators, their sessions, a procedure of an administrator's", async () => {
        const session = await connect(primary, "dba", "dba");
        await session.query("BEGIN");
        await session.query("INSERT INTO orders VALUES (90)");
        assert.match((await turnTo("standby")) ?? "", /^read-only/);
        await assert.rejects(session.query("COMMIT"));
        session.destroy();
        for (const user of ["dba", "clerk"]) await assert.rejects(run(primary, user, user, ...writing), locked);
        await assert.rejects(app(primary, "CALL sell()"), locked);
        await assert.rejects(run(primary, "backup", passwords.backup, "CALL sell()"), /denied/);
        assert.deepEqual(await numbersIn(primary), [1]);
        assert.equal((await run(primary, "backup", passwords.backup, "SELECT number FROM orders")).length, 1);
        assert.deepEqual([(await primary.guard.status()).role, (await primary.guard.status()).problem], ["read-only", undefined]);
    });

    it("does so on a replica too, and for who comes to it by replication, from its guard's next look on", async () => {
        await turnTo("primary");
        await admin(primary, "CREATE USER late@'%' IDENTIFIED BY 'late'", "GRANT ALL ON *.* TO late@'%'");
        await until("the account arrives", async () => (await admin(standby, "SELECT 1 FROM mysql.user WHERE User = 'late'")).length === 1);
        await until("its rights arrive", async () => (await standby.guard.status()).role === "half-open");
        assert.match((await standby.guard.status()).problem ?? "", /the account late@% is not locked/);
        assert.match((await standby.look()) ?? "", /^read-only/);
        const { role, lagSeconds, problem } = await standby.guard.status();
        assert.deepEqual([role, lagSeconds, problem], ["replica", 0, undefined]);
        for (const user of ["late"]) await assert.rejects(run(standby, user, user, ...writing), locked);
        await admin(primary, "DROP USER late@'%'");
    });

    it("is closed when its server starts, though it was open when it died", async () => {
        await primary.stop();
        await primary.seed();
        await primary.start();
        assert.equal((await primary.guard.status()).role, "read-only");
        const session = await connect(primary, "dba", "dba").catch((error: Error) => error.message);
        assert.equal(typeof session, "string", "nobody gets in before the guard has looked");
        await primary.look();
    });

    it("gives everybody exactly what they had when it opens: who was locked before stays so", async () => {
        const accounts = async () =>
            (await admin(primary, "SELECT User AS user, Host AS host, CONCAT('', Priv) AS priv FROM mysql.global_priv ORDER BY 1, 2")).map(
                (row) =>
                    Object.values(row)
                        .map((value) => (typeof value === "string" ? value : JSON.stringify(value)))
                        .join(" "),
            );
        assert.equal((await primary.guard.status()).role, "writable");
        const before = await accounts();
        await turnTo("standby");
        assert.notDeepEqual(await accounts(), before);
        await turnTo("primary");
        const without = (texts: string[]) => texts.map((text) => text.replaceAll(/\s/g, ""));
        assert.deepEqual(without(await accounts()), without(before));
        await run(primary, "dba", "dba", "INSERT INTO orders VALUES (2)");
        await run(primary, "backup", passwords.backup, "SELECT 1");
        await assert.rejects(run(primary, "gone", "gone", "SELECT 1"), locked);
        assert.equal((await admin(primary, "SHOW BINLOG EVENTS")).filter(({ Info }) => String(Info).includes("global_priv")).length, 0);
    });

    it("is mended where somebody takes a lock away, switches events on, or has opened it by half", async () => {
        await turnTo("standby");
        for (const statements of [
            ["ALTER USER clerk@'%' ACCOUNT UNLOCK"],
            ["SET GLOBAL event_scheduler = ON"],
            ["GRANT SUPER ON *.* TO backup@'%'"],
        ]) {
            await admin(primary, "SET SESSION sql_log_bin = 0", ...statements);
            assert.equal((await primary.guard.status()).role, "half-open", statements[0]);
            assert.match((await primary.look()) ?? "", /^read-only/);
            assert.equal((await primary.guard.status()).role, "read-only", statements[0]);
        }
        await turnTo("primary");
        assert.match(
            JSON.stringify(await admin(primary, "SHOW GRANTS FOR backup@'%'")),
            /SUPER/,
            "it has what was granted once it is open",
        );
        await admin(primary, "REVOKE SUPER ON *.* FROM backup@'%'");
    });

    it("is told with what the replica does not carry, or not surely, in whichever database", async () => {
        await admin(
            primary,
            "CREATE DATABASE books",
            "CREATE TABLE books.kept (id int) ENGINE = InnoDB",
            "CREATE TABLE books.old (id int) ENGINE = MyISAM",
            "CREATE TABLE sessions (id int) ENGINE = MEMORY",
        );
        const told = await primary.server.unprotected();
        assert.deepEqual(
            told.map(({ name, why }) => `${name} ${why.split(":")[0]}`),
            ["books.old is a MyISAM table", "shop.sessions is a MEMORY table"],
        );
    });

    it("keeps `backup` out where it might call what writes, and says why", async () => {
        await admin(primary, "CREATE ROLE seller", "GRANT EXECUTE ON shop.* TO seller", "GRANT seller TO backup@'%'");
        await turnTo("standby");
        assert.match((await primary.guard.status()).problem ?? "", /`backup` is not let in, because it has the role seller/);
        assert.equal((await primary.guard.status()).role, "read-only");
        await assert.rejects(run(primary, "backup", passwords.backup, "SELECT 1"), locked);
        await admin(primary, "SET SESSION sql_log_bin = 0", "REVOKE seller FROM backup@'%'");
        await primary.look();
        await run(primary, "backup", passwords.backup, "SELECT 1");
    });
});
