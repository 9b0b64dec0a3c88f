import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import { startPostgres, type Server } from "../../support/servers.ts";
import type { ServerAddress } from "../../../stores/adapter.ts";
import type { Moment } from "../../../model/moment.ts";
import type { FoundTransaction, LogPlace, LogReceiver, ReceivedFile } from "../../../stores/physical.ts";
import { physical } from "../../../stores/postgres/physical.ts";
import { covers } from "../../../stores/postgres/position.ts";
import { Bench, contentsOf, copied, open, run, started, superuser, type Copied } from "./bench.ts";

const { log } = physical;

/** Puts what was received together as a shipper does: bytes up to where whole records are known to be. */
function gather(from: string, files: readonly ReceivedFile[], into: string): void {
    for (const { file, bytes } of files) {
        copyFileSync(join(from, file), join(into, file));
        truncateSync(join(into, file), bytes);
    }
}

const flushed = async (client: pg.Client): Promise<string> =>
    (await client.query<{ lsn: string }>("SELECT pg_current_wal_flush_lsn()::text AS lsn")).rows[0]!.lsn;

/** Waits until all that the server has is received. */
async function caughtUp(receiver: LogReceiver, directory: string, position: string): Promise<readonly ReceivedFile[]> {
    for (const deadline = Date.now() + 20_000; ; await sleep(50)) {
        const files = await receiver.files();
        const newest = files.at(-1);
        const reached = newest && (await log.reach(join(directory, newest.file), 0, newest.bytes)).position;
        if (reached !== undefined && covers(reached, position)) return files;
        assert.ok(Date.now() < deadline, `received up to ${reached}, not ${position}`);
    }
}

describe("PostgreSQL's log", function () {
    this.timeout(120_000);
    const bench = new Bench();
    const over = new AbortController();
    let server: Server;
    let source: ServerAddress;
    let client: pg.Client;
    let copy: Copied;
    let receiver: LogReceiver;
    let incoming: string;
    let shipped: string;
    let dropped: string;
    /** After each numbered transaction: where its commit ends, its number, and the time then. */
    const steps: { lsn: string; xid: string; at: Date }[] = [];

    /** Unpacked anew each time: a scratch becomes what it was started to. */
    const reach = async (until: Moment, directory = shipped, from: LogPlace = copy.facts.log!) => {
        const room = bench.room();
        execFileSync("cp", ["-a", `${copy.directory}/.`, room]);
        return started(room, until, { directory, from });
    };
    const numbers = async (address: ServerAddress): Promise<number[]> =>
        (await run(address, "postgres", "SELECT n FROM numbered ORDER BY n")).map(({ n }) => Number(n));
    const upTo = (last: number): number[] => Array.from({ length: last }, (_, index) => index + 1);

    before(async () => {
        server = await startPostgres({
            arguments: ["-c", "max_slot_wal_keep_size=1GB", "-c", "max_wal_size=64MB", "-c", "checkpoint_timeout=30s"],
        });
        source = superuser(server);
        client = await open(source);
        await client.query("CREATE TABLE numbered (n int, filler text)");
        await client.query("CREATE TABLE orders AS SELECT i AS id FROM generate_series(1, 30) i");
        incoming = bench.room();
        receiver = await log.receive(source, (await log.oldest(source))!, incoming, over.signal);
        receiver.ended.catch(() => {});
        copy = await copied(source, bench);
        for (let n = 1; n <= 60; n += 1) {
            await client.query("BEGIN");
            // Some are long, so that records span pages and files.
            const { rows } = await client.query<{ xid: string }>(
                "INSERT INTO numbered SELECT $1, string_agg(md5(random()::text || g), '') FROM generate_series(1, $2) g RETURNING pg_current_xact_id()::text AS xid",
                [n, n % 5 === 0 ? 90_000 : 10],
            );
            await client.query("COMMIT");
            const { rows: now } = await client.query<{ at: Date }>(
                "SELECT clock_timestamp() + interval '1 millisecond' AS at, pg_sleep(0.005)",
            );
            steps.push({ lsn: await flushed(client), xid: rows[0]!.xid, at: now[0]!.at });
            await sleep(2);
            if (n === 40) await client.query("SELECT pg_switch_wal()");
        }
        await client.query("DELETE FROM orders WHERE id <= 12");
        const { rows } = await client.query<{ id: string }>("SELECT pg_relation_filepath('orders') AS id");
        await client.query("DROP TABLE orders");
        dropped = rows[0]!.id.replace("base/", "1663/");
        shipped = bench.room();
        gather(incoming, await caughtUp(receiver, incoming, await flushed(client)), shipped);
    });
    after(async () => {
        over.abort();
        await client.end();
        await receiver.ended.catch(() => {});
        await server.stop();
        bench.remove();
    });

    it("is received in files that follow each other, byte for byte the server's", async () => {
        const files = await receiver.files();
        assert.ok(files.length >= 3);
        for (const [index, { file, bytes, whole }] of files.entries()) {
            if (index > 0) assert.ok(log.follows(files[index - 1]!.file, file));
            assert.equal(whole, index < files.length - 1);
            const mine = readFileSync(join(incoming, file)).subarray(0, bytes);
            const theirs = readFileSync(join(server.directory, "data", "pg_wal", file)).subarray(0, bytes);
            assert.ok(mine.equals(theirs), file);
            await log.reach(join(incoming, file), 0, bytes);
        }
    });

    it("is replayed to a position exactly: all up to it, none after", async () => {
        for (const n of [1, 5, 17, 39, 40, 41]) {
            await using scratch = await reach({ to: "position", position: steps[n - 1]!.lsn });
            assert.deepEqual(await numbers(scratch.address), upTo(n));
            assert.equal(scratch.position, steps[n - 1]!.lsn);
        }
    });

    it("is replayed to before a transaction, to a time, to a byte, and to its end", async () => {
        const moments: [Moment, number][] = [
            [{ to: "before", transaction: steps[22]!.xid }, 22],
            [{ to: "time", at: steps[30]!.at }, 31],
            [{ to: "newest" }, 60],
        ];
        for (const [until, last] of moments) {
            await using scratch = await reach(until);
            assert.deepEqual(await numbers(scratch.address), upTo(last), JSON.stringify(until));
        }
        const file = readdirSync(shipped).sort().at(-1)!;
        const { position } = await log.reach(join(shipped, file), 0);
        await using scratch = await reach({
            to: "place",
            file,
            offset: Number.parseInt(position!.split("/")[1]!, 16) % (16 * 1024 * 1024),
        });
        assert.equal(scratch.position, position);
        assert.deepEqual(await numbers(scratch.address), upTo(60));
    });

    it("ends where the contents of its source were read, and shows the same", async () => {
        await client.query("CREATE SEQUENCE given");
        await client.query("SELECT nextval('given') FROM generate_series(1, 3)");
        const contents = await contentsOf(source);
        await client.query("SELECT nextval('given') FROM generate_series(1, 100)");
        await client.query("INSERT INTO numbered VALUES (1000, '')");
        const room = bench.room();
        gather(incoming, await caughtUp(receiver, incoming, await flushed(client)), room);
        await using scratch = await reach({ to: "position", position: contents.position }, room);
        await scratch.check(over.signal);
        const found = await contentsOf(scratch.address);
        assert.equal(scratch.position, contents.position);
        assert.deepEqual(found.relations, contents.relations);
        assert.equal(found.schema, contents.schema);
        await client.query("DELETE FROM numbered WHERE n = 1000");
    });

    it("that lacks a file, or has a flipped bit, or does not reach the moment, is refused", async () => {
        const room = () => {
            const made = bench.room();
            for (const file of readdirSync(shipped)) copyFileSync(join(shipped, file), join(made, file));
            return made;
        };
        const files = readdirSync(shipped)
            .sort()
            .filter((file) => file >= copy.facts.log!.file);
        const lacking = room();
        rmSync(join(lacking, files[1]!));
        await assert.rejects(reach({ to: "newest" }, lacking), /the log lacks what follows/);
        const first = room();
        rmSync(join(first, files[0]!));
        await assert.rejects(reach({ to: "newest" }, first), /the log lacks .*, in which it goes on/);
        const flipped = room();
        const bytes = readFileSync(join(flipped, files[1]!));
        bytes[9_000_001]! ^= 4;
        writeFileSync(join(flipped, files[1]!), bytes);
        await assert.rejects(reach({ to: "newest" }, flipped), /the log is damaged, or lacks a part/);
        await assert.rejects(log.reach(join(flipped, files[1]!), 0), /damaged/);
        await assert.rejects(reach({ to: "before", transaction: "4000000" }), /transaction 4000000 is not in the log/);
        await assert.rejects(reach({ to: "time", at: new Date(Date.now() + 3_600_000) }), /the log does not reach 20/);
        await assert.rejects(reach({ to: "position", position: "F/0" }), /the log does not reach F\/0/);
        await assert.rejects(reach({ to: "position", position: "0/1000100" }), /lies before the copy/);
    });

    it("tells the transaction that dropped a table, by the table's name and file, and who deleted its rows", async () => {
        const files = readdirSync(shipped).sort();
        const search = async (like: string) => {
            const found: FoundTransaction[] = [];
            for await (const one of log.find(shipped, files, { like }, over.signal)) found.push(one);
            return found;
        };
        const drops = (await search("drop")).filter(({ statements }) => statements.some((one) => one.includes(dropped)));
        assert.equal(drops.length, 1);
        assert.ok(
            drops[0]!.statements.some((one) => one.includes(`TABLE orders (${dropped})`)),
            drops[0]!.statements.join("\n"),
        );
        const deletions = (await search("delete orders")).map(({ statements }) => statements);
        assert.deepEqual(deletions, [[`DELETE orders (${dropped}): 12 rows`]]);
        await using scratch = await reach({ to: "before", transaction: drops[0]!.transaction });
        assert.deepEqual(await run(scratch.address, "postgres", "SELECT count(*)::int AS n FROM orders"), [{ n: 18 }]);
        const numbered = await search(`insert numbered`);
        assert.deepEqual(
            numbered.map(({ transaction }) => transaction),
            steps.map(({ xid }) => xid),
        );
        assert.ok(Math.abs(numbered[0]!.committedAt.getTime() - steps[0]!.at.getTime()) < 1_000);
    });

    it("is received without a gap or a repeat by receivers that are killed at any time", async () => {
        const directory = bench.room();
        let file = (await log.oldest(source))!;
        const seen = new Map<string, Buffer>();
        let writing = true;
        const writer = (async () => {
            const writes = await open(source);
            for (let n = 0; writing; n += 1)
                await writes.query("INSERT INTO numbered SELECT 5000, string_agg(md5(g::text), '') FROM generate_series(1, $1) g", [
                    (n * 7919) % 20_000,
                ]);
            await writes.end();
        })();
        for (let round = 0; round < 6; round += 1) {
            const stop = new AbortController();
            const one = await log.receive(source, file, directory, stop.signal);
            for (const until = Date.now() + 150 + round * 100; Date.now() < until; await sleep(30))
                for (const { file: name, bytes } of await one.files()) {
                    const now = readFileSync(join(directory, name)).subarray(0, bytes);
                    const before = seen.get(name);
                    if (before && before.length <= now.length) assert.ok(now.subarray(0, before.length).equals(before), `${name} changed`);
                    if (!before || now.length > before.length) seen.set(name, Buffer.from(now));
                    file = name;
                }
            stop.abort();
            await one.ended;
        }
        writing = false;
        await writer;
        const names = [...seen.keys()].sort();
        for (const [index, name] of names.entries()) {
            if (index > 0) assert.ok(log.follows(names[index - 1]!, name));
            const theirs = readFileSync(join(server.directory, "data", "pg_wal", name)).subarray(0, seen.get(name)!.length);
            assert.ok(theirs.equals(seen.get(name)!), name);
        }
        assert.ok(names.length > 1);
    });

    it("stays on the server until it is released, and a file that is gone is refused with the next step", async () => {
        const oldest = (await log.oldest(source))!;
        const newest = (await receiver.files()).at(-1)!;
        for (let turn = 0; turn < 3; turn += 1) await client.query("CHECKPOINT");
        assert.equal(await log.oldest(source), oldest);
        await receiver.release({ file: newest.file, offset: newest.bytes });
        for (let turn = 0; turn < 3; turn += 1) await client.query("CHECKPOINT");
        assert.ok((await log.oldest(source))! > oldest);
        await assert.rejects(log.receive(source, oldest, bench.room(), over.signal), (error: Error & { next?: string }) => {
            assert.match(error.message, new RegExp(`no longer has ${oldest}`));
            assert.match(error.next ?? "", /full copy/);
            return true;
        });
    });

    it("goes on where the server has what came before, and not on another timeline, in the future or in a file that is gone", async () => {
        const newest = (await receiver.files()).at(-1)!;
        const at = { file: newest.file, offset: newest.bytes };
        assert.equal(await log.goesOn(source, at, steps.at(-1)!.lsn), true);
        assert.equal(await log.goesOn(source, { ...at, file: at.file.replace(/^.{8}/, "00000002") }, undefined), false);
        assert.equal(await log.goesOn(source, at, "F/0"), false);
        assert.equal(await log.goesOn(source, { file: "000000010000000F00000000", offset: 0 }, undefined), false);
        assert.match(await log.identity(source), /^\d{19}$/);
    });

    it("is refused by a copy's start when nothing of it is there", async () => {
        const empty = bench.room();
        mkdirSync(join(empty, "x"));
        await assert.rejects(reach({ to: "newest" }, empty), /the log lacks .*, in which it goes on/);
    });
});
