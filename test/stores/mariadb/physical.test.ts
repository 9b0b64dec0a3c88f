import assert from "node:assert/strict";
import { appendFileSync, chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Failure } from "../../../model/failure.ts";
import type { ServerAddress } from "../../../stores/adapter.ts";
import { connectMariadb } from "../../../stores/mariadb/client.ts";
import { walk, type EventGroup } from "../../../stores/mariadb/physical/events.ts";
import { covers } from "../../../stores/mariadb/position.ts";
import { physical } from "../../../stores/mariadb/physical.ts";
import type { LogPlace } from "../../../stores/physical.ts";
import { startMariadb, type Server } from "../../support/servers.ts";
import { query, sorted } from "./asked.ts";
import { Bench, copied, never, started, superuser } from "../support/copied.ts";

async function groupsOf(path: string): Promise<EventGroup[]> {
    const groups: EventGroup[] = [];
    await walk(path, {}, (group) => groups.push(group) > 0);
    return groups;
}
describe("a physical copy of MariaDB", function () {
    this.timeout(120_000);
    const bench = new Bench();
    let server: Server;
    let root: ServerAddress;
    const data = () => join(server.directory, "data");
    before(async () => {
        server = await startMariadb({ database: "shop", arguments: ["--character-set-server=utf8mb4"] });
        root = superuser(server, "root", dirname(server.socket), "shop");
    });
    after(async () => {
        await server?.stop();
        bench.remove();
    });

    /** Receives the server's log until it holds a position; files of a directory of their own. */
    async function received(from: LogPlace, position: string): Promise<string> {
        const directory = bench.room();
        const stop = new AbortController();
        const receiver = await physical.log.receive(root, from.file, directory, stop.signal);
        try {
            for (const deadline = Date.now() + 20_000; Date.now() < deadline; await sleep(50))
                for (const { file, bytes } of await receiver.files()) {
                    const { position: reached } = await physical.log.reach(join(directory, file), 0);
                    if (reached === position && bytes > 0) return directory;
                }
            assert.fail(`the log did not reach ${position}`);
        } finally {
            stop.abort();
            await receiver.ended.catch(() => undefined);
        }
    }
    const now = async () => (await query(root, "SELECT @@gtid_binlog_pos"))[0]![0]!;

    it("holds all that the server held: versions, floats, accounts, sequences, routines, other databases", async () => {
        await query(
            root,
            "CREATE TABLE f (n int PRIMARY KEY, f float, b blob)",
            "INSERT INTO f VALUES (1, 16777215, 0x00ff), (2, 1.2345678, NULL)",
            "CREATE TABLE price (item int PRIMARY KEY, cents int) WITH SYSTEM VERSIONING",
            "INSERT INTO price VALUES (1, 100)",
            "UPDATE price SET cents = 120",
            "CREATE SEQUENCE s START WITH 5",
            "SELECT NEXTVAL(s)",
            "CREATE DATABASE other",
            "CREATE TABLE other.t (n int)",
            "INSERT INTO other.t VALUES (1), (1)",
            "CREATE USER reader@'%' IDENTIFIED BY 'pw'",
            "GRANT SELECT (n) ON shop.f TO reader@'%'",
            "CREATE FUNCTION twice(n int) RETURNS int DETERMINISTIC RETURN n * 2",
            "CREATE VIEW v AS SELECT twice(n) FROM f",
            "CREATE TABLE cache (n int) ENGINE=MEMORY",
            "INSERT INTO cache VALUES (1)",
            "CREATE TABLE old (n int) ENGINE=MyISAM",
        );
        const held = (await physical.contents(root, never))!;
        assert.ok(held.schema);
        assert.deepEqual(
            held.unprotected.map(({ name }) => name),
            ["shop.cache", "shop.old"],
        );
        const { directory, facts } = await copied(physical, root, data(), bench);
        assert.equal(facts.position, await now());
        await using scratch = await started(physical, directory, { to: "copy" });
        assert.equal(scratch.position, facts.position);
        await scratch.check(never);
        const found = (await physical.contents(scratch.address, never))!;
        assert.deepEqual(sorted(found), sorted(held));
        assert.equal(found.relations.find(({ name }) => name === "price")?.rows, 2);
    });

    it("tells one bit of history, and one account, from what was there", async () => {
        const before = (await physical.contents(root, never))!;
        await query(root, "SET @@system_versioning_alter_history = KEEP", "DELETE HISTORY FROM price");
        const after = (await physical.contents(root, never))!;
        assert.notDeepEqual(after.relations, before.relations);
        await query(root, "CREATE USER another@'%'");
        assert.notEqual((await physical.contents(root, never))!.schema, after.schema);
    });

    it("shows one moment, while others write", async () => {
        await query(root, "CREATE TABLE a (n int PRIMARY KEY)", "CREATE TABLE b (n int PRIMARY KEY)");
        let writing = true;
        const writer = (async () => {
            const connection = await connectMariadb(root, "shop");
            for (let n = 1; writing; n++)
                for (const statement of ["BEGIN", `INSERT INTO a VALUES (${n})`, `INSERT INTO b VALUES (${n})`, "COMMIT"])
                    await connection.query(statement);
            connection.destroy();
        })();
        await sleep(50);
        const { directory, facts } = await copied(physical, root, data(), bench);
        const held = (await physical.contents(root, never))!;
        writing = false;
        await writer;
        const log = { directory: await received(facts.log!, await now()), from: facts.log! };
        await using scratch = await started(physical, directory, { to: "position", position: held.position }, log);
        assert.equal(scratch.position, held.position);
        assert.deepEqual(sorted((await physical.contents(scratch.address, never))!), sorted(held));
        const [[a, b]] = (await query(
            { ...scratch.address, database: "shop" },
            "SELECT (SELECT count(*) FROM a), (SELECT count(*) FROM b)",
        )) as [[string, string]];
        assert.equal(a, b);
        assert.ok(Number(a) > 0);
    });

    describe("with its log", () => {
        let copy: Awaited<ReturnType<typeof copied>>;
        let log: { directory: string; from: LogPlace };
        const gtids: string[] = [];
        before(async () => {
            await query(root, "CREATE TABLE numbered (n int PRIMARY KEY)");
            copy = await copied(physical, root, data(), bench);
            for (let n = 1; n <= 30; n++) {
                await query(root, `INSERT INTO numbered VALUES (${n})`, ...(n % 10 === 0 ? ["FLUSH BINARY LOGS"] : []));
                gtids.push(await now());
                if (n === 15) await sleep(1100);
            }
            log = { directory: await received(copy.facts.log!, gtids.at(-1)!), from: copy.facts.log! };
        });
        const at = async (until: Parameters<typeof started>[2], from = log): Promise<string[]> => {
            const directory = bench.room();
            cpSync(copy.directory, directory, { recursive: true });
            await using scratch = await started(physical, directory, until, from);
            return (await query({ ...scratch.address, database: "shop" }, "SELECT n FROM numbered ORDER BY n")).map(([n]) => n!);
        };
        const to = (n: number) => Array.from({ length: n }, (_, index) => String(index + 1));

        it("comes to a GTID, to the transaction before one, to a place, and to its end: all up to it, and nothing after it", async () => {
            assert.deepEqual(await at({ to: "position", position: gtids[16]! }), to(17));
            assert.deepEqual(await at({ to: "before", transaction: gtids[20]! }), to(20));
            assert.deepEqual(await at({ to: "newest" }), to(30));
            assert.deepEqual(await at({ to: "copy" }), []);
            const files = readdirSync(log.directory).sort();
            const groups = await groupsOf(join(log.directory, files[1]!));
            assert.deepEqual(await at({ to: "place", file: files[1]!, offset: groups[2]!.to }), to(13));
        });

        it("comes to a second", async () => {
            const groups = await groupsOf(join(log.directory, readdirSync(log.directory).sort()[1]!));
            const sixteenth = groups[5]!;
            assert.deepEqual(await at({ to: "time", at: sixteenth.at }), to(15));
        });

        it("refuses a moment that is not in it, before anything is started", async () => {
            await assert.rejects(
                at({ to: "position", position: "0-1-999999" }),
                /does not reach 0-1-999999: the log has 0-1-\d+ to 0-1-\d+/,
            );
            await assert.rejects(at({ to: "before", transaction: "0-1-999999" }), /is not in the log/);
            await assert.rejects(at({ to: "position", position: "0-1-1" }), /has it|already/);
        });

        it("refuses a log whose first file is missing, and finds one flipped bit", async () => {
            const files = readdirSync(log.directory).sort();
            const broken = bench.room();
            for (const file of files.slice(1)) cpSync(join(log.directory, file), join(broken, file));
            await assert.rejects(at({ to: "newest" }, { directory: broken, from: log.from }), /the log lacks/);
            const bytes = readFileSync(join(log.directory, files[0]!));
            const flipped = Buffer.from(bytes);
            flipped[bytes.length - 60]! ^= 4;
            writeFileSync(join(broken, files[0]!), flipped);
            await assert.rejects(physical.log.reach(join(broken, files[0]!), 0), /is damaged/);
        });

        it("is whole events up to where its receiver says, whatever was written of the next one", async () => {
            const files = readdirSync(log.directory).sort();
            const torn = bench.room();
            cpSync(join(log.directory, files[0]!), join(torn, files[0]!));
            const before = await physical.log.reach(join(torn, files[0]!), 0);
            appendFileSync(join(torn, files[0]!), Buffer.alloc(10, 1));
            assert.deepEqual(await physical.log.reach(join(torn, files[0]!), 0), before);
        });

        it("goes on where it is the server's own, and nowhere else", async () => {
            const { file, offset } = log.from;
            assert.equal(await physical.log.goesOn(root, { file, offset }, copy.facts.position), true);
            assert.equal(await physical.log.goesOn(root, { file, offset }, "0-7-1"), false);
            assert.equal(await physical.log.goesOn(root, { file: "binlog.999999", offset }, undefined), false);
        });

        it("tells who dropped the table", async () => {
            await query(root, "CREATE TABLE precious (n int)", "INSERT INTO precious VALUES (1), (2)", "DROP TABLE precious");
            const dropped = await now();
            const directory = await received(log.from, dropped);
            const found = [];
            for await (const each of physical.log.find(directory, readdirSync(directory).sort(), { like: "precious" }, never))
                found.push(each);
            assert.deepEqual(
                found.map(({ statements }) => statements[0]),
                ["CREATE TABLE precious (n int)", "INSERT shop.precious: 2 rows", "DROP TABLE `precious` /* generated by server */"],
            );
            assert.equal(found.at(-1)!.transaction, dropped);
        });
    });

    it("is refused to a user who may not read all of the server, with the grant that is lacking", async () => {
        const grants = "RELOAD, PROCESS, LOCK TABLES, BINLOG MONITOR, SELECT, SHOW VIEW, TRIGGER, EXECUTE ON *.*";
        await query(root, `CREATE USER carrier@localhost IDENTIFIED BY '${server.rootPassword}'`, `GRANT ${grants} TO carrier@localhost`);
        const carrier = { ...root, user: "carrier" };
        await assert.rejects(copied(physical, carrier, data(), bench), (failure: Failure) => {
            assert.equal(failure.exit, "refused");
            assert.match(
                failure.message,
                /of the server: 'carrier'@'localhost' lacks EVENT: .* \(GRANT EVENT ON \*\.\* TO 'carrier'@'localhost'\)$/,
            );
            return true;
        });
        await query(root, "GRANT EVENT ON *.* TO carrier@localhost");
        await copied(physical, carrier, data(), bench);
        await query(root, "DROP USER carrier@localhost");
    });

    it("never opens the source's own files, wherever they lie", async () => {
        const elsewhere = join(server.directory, "elsewhere");
        mkdirSync(elsewhere);
        chmodSync(elsewhere, 0o777);
        await query(root, `CREATE TABLE far (n int PRIMARY KEY) DATA DIRECTORY = '${elsewhere}'`, "INSERT INTO far VALUES (1)");
        const { directory } = await copied(physical, root, data(), bench);
        await using scratch = await started(physical, directory, { to: "copy" });
        await query({ ...scratch.address, database: "shop" }, "INSERT INTO far VALUES (2)", "FLUSH TABLES");
        assert.deepEqual(await query({ ...scratch.address, database: "shop" }, "SELECT n FROM far"), [["1"], ["2"]]);
        assert.deepEqual(await query(root, "SELECT n FROM far"), [["1"]]);
        await query(root, "DROP TABLE far");
        assert.deepEqual(await query({ ...scratch.address, database: "shop" }, "SELECT n FROM far"), [["1"], ["2"]]);
    });

    it("is a data directory that a server starts from in its own right", async () => {
        const held = (await physical.contents(root, never))!;
        const { directory } = await copied(physical, root, data(), bench);
        const scratch = await started(physical, directory, { to: "copy" });
        const { position } = scratch;
        await scratch.stop();
        const restored = await startMariadb({ restored: { data: directory, rootPassword: server.rootPassword } });
        try {
            const address = superuser(restored, "root", dirname(restored.socket), "shop");
            assert.deepEqual(sorted((await physical.contents(address, never))!), sorted(held));
            // A MEMORY table that is found empty after a restart is told to replicas: a transaction of the server's own.
            assert.ok(covers((await query(address, "SELECT @@gtid_current_pos"))[0]![0]!, position));
        } finally {
            await restored.stop();
        }
    });
});
