import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Failure } from "../../../model/failure.ts";
import { admin, app, numbersIn, received, replica, until } from "./mariadb-sessions.ts";
import { makePair, type Epoch, type Pod } from "./pod.ts";

describe("the promotion of a MariaDB replica", function () {
    this.timeout(120_000);
    let epoch: Epoch;
    let primary: Pod;
    let standby: Pod;
    beforeEach(async () => {
        ({ epoch, primary, standby } = await makePair("mariadb"));
        await primary.seed();
        await primary.start();
        await primary.look();
        await app(primary, "CREATE TABLE orders (number int primary key)", "INSERT INTO orders VALUES (1)");
        await standby.seed();
        await standby.start();
        await standby.look();
        await until("it follows", async () => (await standby.guard.status()).lagSeconds === 0);
        await until("row 1 arrives", async () => (await numbersIn(standby)).length === 1);
    });
    afterEach(async () => {
        await primary?.remove();
        await standby?.remove();
    });
    const more = async () => {
        for (const number of [2, 3, 4]) await app(primary, `INSERT INTO orders VALUES (${number})`);
        await received(primary, standby);
    };
    const lose = async () => {
        await primary.stop();
        epoch.set(2, "standby");
    };

    it("brings one whose applier was stopped to all that it received", async () => {
        await admin(standby, "STOP SLAVE SQL_THREAD");
        await more();
        assert.match(
            (await standby.guard.status()).problem ?? "",
            /somebody stopped its applier \(received up to 0-1-\d+, applied up to 0-1-\d+\): START SLAVE SQL_THREAD/,
        );
        await lose();
        await standby.guard.promote();
        assert.deepEqual(await numbersIn(standby), [1, 2, 3, 4]);
        await app(standby, "INSERT INTO orders VALUES (5)");
    });

    it("brings one both of whose threads were stopped to all that it received, out of the relay log where it lies", async () => {
        await admin(standby, "STOP SLAVE SQL_THREAD");
        await more();
        await lose();
        await admin(standby, "STOP SLAVE IO_THREAD");
        await standby.look();
        assert.match((await standby.guard.status()).problem ?? "", /both its receiver and its applier were stopped/);
        await standby.guard.promote();
        assert.deepEqual(await numbersIn(standby), [1, 2, 3, 4]);
    });

    it("brings one whose server crashed with something left to apply to all that it received, whether or not its guard looked before", async () => {
        await admin(standby, "STOP SLAVE SQL_THREAD");
        await more();
        await primary.stop();
        await standby.stop();
        await standby.seed();
        await standby.start();
        assert.match((await standby.look()) ?? "", /^follows/);
        assert.deepEqual(await numbersIn(standby), [1, 2, 3, 4]);
        epoch.set(2, "standby");
        await standby.guard.promote();
        assert.deepEqual(await numbersIn(standby), [1, 2, 3, 4]);
    });

    it("does not wait for a delay that somebody gave it", async () => {
        await admin(standby, "STOP SLAVE", "CHANGE MASTER TO MASTER_DELAY = 600", "START SLAVE");
        await more();
        await lose();
        assert.deepEqual(await numbersIn(standby), [1]);
        await standby.guard.promote();
        assert.deepEqual(await numbersIn(standby), [1, 2, 3, 4]);
    });

    it("brings one that applies in parallel to all that it received", async () => {
        await admin(standby, "STOP SLAVE", "SET GLOBAL slave_parallel_threads = 4", "START SLAVE");
        await admin(standby, "STOP SLAVE SQL_THREAD");
        await more();
        await lose();
        await standby.guard.promote();
        assert.deepEqual(await numbersIn(standby), [1, 2, 3, 4]);
    });

    it("is refused with the numbers where something received cannot be applied, loses nothing by it, and goes on once it was repaired", async () => {
        await admin(standby, "SET SESSION sql_log_bin = 0", "INSERT INTO orders VALUES (2)");
        await more();
        await until("it stops", async () => (await replica(standby))["Slave_SQL_Running"] === "No");
        assert.match(
            (await standby.guard.status()).problem ?? "",
            /its applier stopped \(received up to 0-1-\d+, applied up to 0-1-\d+\): .*Duplicate entry.*SET sql_log_bin = 0/,
        );
        await lose();
        for (const _ of [1, 2])
            await assert.rejects(standby.guard.promote(), ({ exit, message, next }: Failure) => {
                assert.equal(exit, "no");
                assert.match(message, /received up to 0-1-\d+, applied up to 0-1-\d+\): .*Duplicate entry/);
                assert.match(next, /SET sql_log_bin = 0/);
                return true;
            });
        await admin(standby, "SET SESSION sql_log_bin = 0", "DELETE FROM orders WHERE number = 2");
        await standby.guard.promote();
        assert.deepEqual(await numbersIn(standby), [1, 2, 3, 4]);
    });

    it("tells of an administrator's own write on the replica, names the transaction, and its way out works", async () => {
        await admin(standby, "CREATE TABLE mine (id int)");
        const { problem } = await standby.guard.status();
        assert.match(problem ?? "", /^0-2-\d+ was written on the replica itself/);
        await more();
        const undo = /STOP SLAVE; RESET MASTER; SET GLOBAL gtid_slave_pos = '[^']+'; START SLAVE/.exec(problem ?? "")![0];
        await admin(standby, "SET SESSION sql_log_bin = 0", "DROP TABLE mine", ...undo.split("; "));
        await until("row 4 arrives", async () => (await numbersIn(standby)).length === 4);
        assert.equal((await standby.guard.status()).problem, undefined);
    });

    it("is refused where such a write keeps what was received from being applied, and its way out works", async () => {
        await admin(standby, "CREATE TABLE mine (id int)");
        await more();
        await lose();
        let way = "";
        await assert.rejects(standby.guard.promote(), (error: Failure) => {
            assert.match(error.message, /received up to 0-1-\d+, applied up to 0-1-\d+/);
            way = /SET GLOBAL gtid_strict_mode = 0/.exec(error.next)![0];
            return true;
        });
        await admin(standby, way);
        await standby.guard.promote();
        assert.deepEqual(await numbersIn(standby), [1, 2, 3, 4]);
    });

    it("enables the events that came by replication, as they were made, and those alone that were on; none runs before", async () => {
        await admin(
            primary,
            "SET GLOBAL event_scheduler = ON",
            "CREATE USER 'o''brien'@'%' IDENTIFIED BY 'x'",
            "GRANT ALL ON shop.* TO 'o''brien'@'%'",
        );
        await admin(
            primary,
            "CREATE TABLE ticks (n int)",
            "SET SESSION sql_mode = 'ANSI_QUOTES', time_zone = '+03:00'",
            `CREATE DEFINER = "o'brien"@"%" EVENT tick ON SCHEDULE EVERY 1 SECOND DO INSERT INTO "ticks" VALUES (1)`,
            "CREATE EVENT off_one ON SCHEDULE EVERY 1 SECOND DISABLE DO INSERT INTO ticks VALUES (2)",
        );
        await until("it ticks", async () => (await admin(primary, "SELECT n FROM ticks")).length > 0);
        await standby.look();
        await until("the events arrive", async () => (await admin(standby, "SELECT 1 FROM information_schema.events")).length === 2);
        await until("it knows which one is off", async () => {
            await standby.look();
            const file = join(standby.place.volume, "events-off.json");
            return existsSync(file) && readFileSync(file, "utf8").includes("off_one");
        });
        assert.equal((await admin(standby, "SELECT @@event_scheduler AS s"))[0]?.["s"], "OFF");
        await lose();
        await standby.guard.promote();
        const events = await admin(
            standby,
            "SELECT event_name AS name, definer, sql_mode AS mode, time_zone AS zone, status FROM information_schema.events ORDER BY 1",
        );
        assert.deepEqual(
            events.map((event) => Object.values(event)),
            [
                ["off_one", "root@localhost", "ANSI_QUOTES", "+03:00", "DISABLED"],
                ["tick", "o'brien@%", "ANSI_QUOTES", "+03:00", "ENABLED"],
            ],
        );
        const before = (await admin(standby, "SELECT n FROM ticks")).length;
        await until("it ticks on", async () => (await admin(standby, "SELECT n FROM ticks")).length > before);
        assert.equal((await admin(standby, "SELECT n FROM ticks WHERE n = 2")).length, 0);
        epoch.set(3, "primary");
        await standby.look();
        assert.equal((await admin(standby, "SELECT @@event_scheduler AS s"))[0]?.["s"], "OFF");
    });
});
