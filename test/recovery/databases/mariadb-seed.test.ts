import assert from "node:assert/strict";
import { cpSync, existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import type { Failure } from "../../../model/failure.ts";
import { readMarker, writeMarker } from "../../../recovery/databases/marker.ts";
import { markWhole, orderSwitch, restoredDirectory } from "../../../recovery/databases/switch.ts";
import { admin, app, connect, numbersIn, until } from "./mariadb-sessions.ts";
import { makePair, type Epoch, type Pod } from "./pod.ts";

/** Everything that a person sees of some tables, with history and exact values. */
const looks = [
    "SELECT *, start_at, end_at FROM shop.prices FOR SYSTEM_TIME ALL ORDER BY id, end_at",
    "SELECT id, HEX(f), f + 0e0 AS exact, CAST(f AS DOUBLE) AS d FROM shop.floats ORDER BY id",
    "SELECT next_not_cached_value, cycle_count FROM shop.numbers",
    "SELECT User, Host, CONCAT('', JSON_REMOVE(Priv, '$.account_locked', '$.lifeboat')) AS Priv FROM mysql.global_priv WHERE User IN ('anna', 'till') ORDER BY 1",
    "SELECT * FROM mysql.roles_mapping ORDER BY User",
    "SELECT * FROM books.pages ORDER BY id",
    "SELECT routine_name, character_set_client, HEX(routine_definition) AS body FROM information_schema.routines WHERE routine_schema = 'shop'",
];

describe("the seed of a MariaDB replica", function () {
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
    });
    afterEach(async () => {
        await primary?.remove();
        await standby?.remove();
    });
    const seeded = async () => {
        await standby.seed();
        await standby.start();
        assert.match((await standby.look()) ?? "", /^seeded from 127\.0\.0\.1, and follows it/);
        await until("it follows", async () => (await standby.guard.status()).lagSeconds === 0);
    };

    it("brings all databases, history, values, sequences, accounts and routines as they are, and what is done to them later", async () => {
        await admin(
            primary,
            "CREATE TABLE prices (id int primary key, amount int, start_at TIMESTAMP(6) GENERATED ALWAYS AS ROW START, end_at TIMESTAMP(6) GENERATED ALWAYS AS ROW END, PERIOD FOR SYSTEM_TIME (start_at, end_at)) WITH SYSTEM VERSIONING",
            "INSERT INTO prices (id, amount) VALUES (1, 10), (2, 20)",
            "UPDATE prices SET amount = 11 WHERE id = 1",
            "DELETE FROM prices WHERE id = 2",
            "CREATE TABLE floats (id int, f float)",
            "INSERT INTO floats VALUES (1, 16777215), (2, 0.1), (3, 1e-45)",
            "CREATE SEQUENCE numbers START 100 INCREMENT 7 NOCACHE",
            "SELECT NEXTVAL(numbers)",
            "CREATE DATABASE books CHARACTER SET latin1",
            "CREATE TABLE books.pages (id int primary key, body text)",
            "INSERT INTO books.pages VALUES (1, 'caf\u00e9')",
            "CREATE ROLE till",
            "GRANT SELECT ON books.* TO till",
            "CREATE USER anna@'%' IDENTIFIED BY 'anna'",
            "GRANT till TO anna@'%'",
            "SET NAMES latin1",
            "CREATE FUNCTION hello() RETURNS text DETERMINISTIC NO SQL RETURN '\u00e9'",
        );
        await seeded();
        for (const look of looks) assert.deepEqual(await admin(standby, look), await admin(primary, look), look);
        await admin(
            primary,
            "INSERT INTO books.pages VALUES (2, 'later')",
            "DELETE FROM floats WHERE f = 16777215",
            "GRANT INSERT ON books.* TO anna@'%'",
            "ALTER USER anna@'%' IDENTIFIED BY 'other'",
            "UPDATE prices SET amount = 12 WHERE id = 1",
            "CREATE DATABASE third",
            "CREATE TABLE third.t (i int primary key)",
            "INSERT INTO third.t VALUES (3)",
        );
        await until(
            "all of it arrives",
            async () => (await admin(standby, "SELECT 1 FROM information_schema.tables WHERE table_schema = 'third'")).length === 1,
        );
        await until("its row too", async () => (await admin(standby, "SELECT i FROM third.t")).length === 1);
        for (const look of looks) assert.deepEqual(await admin(standby, look), await admin(primary, look), look);
        assert.equal((await standby.guard.status()).problem, undefined);
        await primary.stop();
        epoch.set(2, "standby");
        await standby.guard.promote();
        const anna = await connect(standby, "anna", "other", "books");
        await anna.query("INSERT INTO pages VALUES (5, 'there')");
        anna.destroy();
    });

    it("begins anew after a copy that ended in the middle", async () => {
        const whole = standby.place.copyFromPeer;
        const cut = async (signal: AbortSignal) => {
            const copy = await whole(signal);
            let sent = 0;
            const stream = Readable.from(
                (async function* () {
                    for await (const part of copy.stream as AsyncIterable<Buffer>) {
                        yield part;
                        if ((sent += part.length) > 1_000_000) throw new Error("the line went dead");
                    }
                })(),
            );
            return { ...copy, stream };
        };
        Object.assign(standby.place, { copyFromPeer: cut });
        await assert.rejects(standby.seed(), /the line went dead/);
        assert.equal(readMarker(standby.place.volume)?.seed, "copying");
        assert.ok(readdirSync(join(standby.place.volume, "data")).length > 0);
        Object.assign(standby.place, { copyFromPeer: whole });
        await seeded();
        assert.deepEqual(await numbersIn(standby), [1]);
    });

    it("goes on where its guard died between the copy and the marker: no transaction is applied twice", async () => {
        await standby.seed();
        await standby.start();
        const copied = readMarker(standby.place.volume)!;
        assert.equal(copied.seed, "copied");
        assert.match(copied.position ?? "", /^0-1-\d+$/);
        await standby.look();
        await app(primary, "INSERT INTO orders VALUES (2)");
        await until("row 2 arrives", async () => (await numbersIn(standby)).length === 2);
        writeMarker(standby.place.volume, copied);
        await standby.look();
        await app(primary, "INSERT INTO orders VALUES (3)");
        await until("row 3 arrives", async () => (await numbersIn(standby)).length === 3);
        assert.equal((await standby.guard.status()).problem, undefined);
    });

    it("is refused to a replica that is past the moment that its peer was restored to, however much the peer writes since, and made anew by a copy", async () => {
        const data = join(primary.place.volume, "data");
        await seeded();
        await primary.stop("SIGTERM");
        const restored = restoredDirectory(primary.place, "r1");
        cpSync(data, restored, { recursive: true });
        markWhole(restored);
        await primary.start();
        await primary.look();
        for (const number of [2, 3]) await app(primary, `INSERT INTO orders VALUES (${number})`);
        await until("row 3 arrives", async () => (await numbersIn(standby)).length === 3);
        await primary.stop("SIGTERM");
        orderSwitch(primary.place, "r1");
        await primary.seed();
        await primary.start();
        await primary.look();
        for (const number of [12, 13, 14, 15]) await app(primary, `INSERT INTO orders VALUES (${number})`);
        await until("it is refused", async () => /copied anew/.test((await standby.guard.status()).problem ?? ""));
        assert.deepEqual(await numbersIn(standby), [1, 2, 3]);
        assert.equal((await standby.guard.rejoin()).way, "copy");
        await standby.stop();
        await seeded();
        assert.deepEqual(await numbersIn(standby), [1, 12, 13, 14, 15]);
    });

    it("is promoted, and never just opened, where its guard had no time to follow", async () => {
        await standby.seed();
        await standby.start();
        await primary.stop();
        epoch.set(2, "standby");
        await assert.rejects(standby.look(), (error: Failure) => error.exit === "refused" && /not promoted/.test(error.message));
        await standby.guard.promote();
        await app(standby, "INSERT INTO orders VALUES (2)");
        assert.match(String((await admin(standby, "SELECT @@gtid_current_pos AS p"))[0]?.["p"]), /^0-2-\d+$/);
        // Its history goes on where the copy ended, so that the old one can follow it.
        await primary.seed();
        await primary.start();
        await primary.look();
        assert.equal((await primary.guard.rejoin()).way, "position");
        await until("row 2 arrives", async () => (await numbersIn(primary)).length === 2);
        assert.ok(existsSync(join(standby.place.volume, "at-start.sql")));
    });
});
