import assert from "node:assert/strict";
import { cpSync, readFileSync, statSync, truncateSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { ServerAddress } from "../../../stores/adapter.ts";
import { connectMariadb } from "../../../stores/mariadb/client.ts";
import { physical } from "../../../stores/mariadb/physical.ts";
import { covers } from "../../../stores/mariadb/position.ts";
import { startMariadb, type Server } from "../../support/servers.ts";
import { positionOf, query } from "./asked.ts";
import { Bench, never, superuser } from "../support/copied.ts";

describe("the receiver of MariaDB's log", function () {
    this.timeout(120_000);
    const bench = new Bench();
    let server: Server;
    let root: ServerAddress;
    before(async () => {
        server = await startMariadb({ database: "shop" });
        root = superuser(server, "root", dirname(server.socket), "shop");
        await query(root, "CREATE TABLE t (n int PRIMARY KEY, b varchar(200))");
    });
    after(async () => {
        await server?.stop();
        bench.remove();
    });
    const logFile = (name: string) => readFileSync(join(server.directory, "data", name));

    async function reached(
        directory: string,
        files: () => Promise<readonly { file: string; bytes: number }[]>,
        position: string,
    ): Promise<number> {
        const begun = performance.now();
        for (const deadline = begun + 20_000; performance.now() < deadline; await sleep(20)) {
            const newest = (await files()).at(-1);
            if (newest === undefined || newest.bytes === 0) continue;
            const { position: has = "" } = await physical.log.reach(join(directory, newest.file), 0, newest.bytes);
            if (covers(has, position)) return performance.now() - begun;
        }
        assert.fail(`the log did not reach ${position}`);
    }

    it("goes on after it was killed, over what it left, byte for byte; older files are closed", async () => {
        const directory = bench.room();
        let file = (await physical.log.oldest(root))!;
        for (let round = 0; round < 3; round++) {
            const stop = new AbortController();
            const receiver = await physical.log.receive(root, file, directory, stop.signal);
            for (let n = 0; n < 20; n++) await query(root, `INSERT INTO t VALUES (${round * 100 + n}, REPEAT('x', 200))`);
            await query(root, "FLUSH BINARY LOGS", `INSERT INTO t VALUES (${round * 100 + 50}, '')`);
            await reached(directory, () => receiver.files(), await positionOf(root));
            stop.abort();
            await assert.rejects(receiver.ended);
            const files = await receiver.files();
            assert.deepEqual(
                files.slice(0, -1).map(({ whole }) => whole),
                files.slice(0, -1).map(() => true),
            );
            const newest = files.at(-1)!;
            assert.equal(newest.whole, false);
            // As a kill in the middle of a write would.
            truncateSync(join(directory, newest.file), newest.bytes - 10);
            file = newest.file;
            for (const { file: name, bytes } of files.slice(0, -1)) {
                assert.equal(statSync(join(directory, name)).size, bytes);
                assert.deepEqual(readFileSync(join(directory, name)), logFile(name));
                assert.ok(physical.log.follows(name, files[files.findIndex((each) => each.file === name) + 1]!.file));
            }
        }
    });

    it("does not end another receiver, nor is ended by one", async () => {
        const file = (await physical.log.oldest(root))!;
        const stop = new AbortController();
        const both = await Promise.all(
            [bench.room(), bench.room()].map(async (directory) => ({
                directory,
                receiver: await physical.log.receive(root, file, directory, stop.signal),
            })),
        );
        await query(root, "INSERT INTO t VALUES (1000, '')");
        const position = await positionOf(root);
        for (const { directory, receiver } of both) await reached(directory, () => receiver.files(), position);
        stop.abort();
        for (const { receiver } of both) await assert.rejects(receiver.ended);
    });

    it("has a transaction within two seconds, while thousands are written", async () => {
        const directory = bench.room();
        const stop = new AbortController();
        const receiver = await physical.log.receive(root, (await physical.log.oldest(root))!, directory, stop.signal);
        const connection = await connectMariadb(root, "shop");
        let slowest = 0;
        try {
            for (let round = 0; round < 5; round++) {
                for (let n = 0; n < 1000; n += 1)
                    await connection.query("INSERT INTO t VALUES (?, ?)", [10_000 + round * 1000 + n, "x".repeat(100)]);
                slowest = Math.max(slowest, await reached(directory, () => receiver.files(), await positionOf(root)));
            }
        } finally {
            connection.destroy();
            stop.abort();
        }
        await assert.rejects(receiver.ended);
        assert.ok(slowest < 2000, `${slowest} ms`);
    });

    it("shows whole transactions alone, wherever the file was cut, and none of a bit that was turned", async () => {
        const directory = bench.room();
        const name = (await physical.log.oldest(root))!;
        const bytes = logFile(name);
        cpSync(join(server.directory, "data", name), join(directory, name));
        const whole = await physical.log.reach(join(directory, name), 0);
        assert.ok(whole.position);
        for (let cut = bytes.length - 1; cut > bytes.length - 400; cut -= 7) {
            const found = await physical.log.reach(join(directory, name), 0, cut).catch((error: Error) => error.message);
            assert.ok(
                typeof found === "string" ? /no event ends at byte/.test(found) : covers(whole.position, found.position ?? ""),
                `byte ${cut}`,
            );
        }
        const { writeFile } = await import("node:fs/promises");
        for (let tried = 0; tried < 200; tried++) {
            const at = 4 + Math.floor((tried * (bytes.length - 4)) / 200);
            const turned = Buffer.from(bytes);
            turned[at]! ^= 1 << (tried % 8);
            // Flags of the file's first event, which the server itself turns when it closes the file, are no content.
            if (at >= 21 && at < 23) continue;
            await writeFile(join(directory, name), turned);
            const found = await physical.log.reach(join(directory, name), 0).then(
                (reach) => reach.position,
                () => "refused",
            );
            assert.ok(found === "refused" || found !== whole.position, `byte ${at}`);
        }
    });

    it("is refused in a sentence by a server that lets nobody in", async () => {
        const receiver = await physical.log.receive({ ...root, password: "wrong" }, "binlog.000001", bench.room(), never);
        await assert.rejects(receiver.ended, /the binary log is not received: .*Access denied/);
        const gone = await physical.log.receive(root, "binlog.009999", bench.room(), never);
        await assert.rejects(gone.ended, /the binary log is not received: .*[Cc]ould not find/);
    });
});
