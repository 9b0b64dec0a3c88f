import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { fetchLog } from "../../../backup/log/fetch.ts";
import { searchLog, type Hit } from "../../../backup/log/search.ts";
import { shipLog } from "../../../backup/log/ship.ts";
import { verifyLog } from "../../../backup/log/verify.ts";
import { kindOf } from "../../../stores/registry.ts";
import { enterAccount } from "../support/account.ts";
import { postgres } from "../support/postgres.ts";
import { Bench, never, standby } from "./support/fixture.ts";

const { covers } = kindOf({ engine: "postgres" });

describe("the log of a real PostgreSQL", function () {
    this.timeout(120_000);
    let leave: () => void;
    let running: Awaited<ReturnType<typeof postgres.start>>;
    before(async () => {
        leave = await enterAccount();
        running = await postgres.start();
        await postgres.run(running.server, ["CREATE TABLE orders (n int primary key, pad text)"]);
    });
    after(async () => {
        await running.stop();
        leave();
    });

    it("is shipped without gap or repeat over segments and restarts of the shipper, verified, and searched", async () => {
        await using bench = await Bench.open("real-pg", "postgres");
        const begin = () => {
            const stop = new AbortController();
            const options = { signal: stop.signal, note: (line: string) => bench.notes.push(line), sealAfter: 200 };
            const shipped = shipLog(standby, bench.store, running.server, bench.directory("shipper"), options);
            const end = async () => (stop.abort(), shipped.ended);
            return { ...shipped, stop: end, [Symbol.asyncDispose]: end };
        };
        const insert = (n: number) => postgres.run(running.server, [`INSERT INTO orders VALUES (${n}, repeat('x', 100))`]);
        await using first = begin();
        const history = await first.history();
        for (let n = 1; n <= 40; n += 1) await insert(n);
        await postgres.run(running.server, ["SELECT pg_switch_wal()"]);
        for (let n = 41; n <= 60; n += 1) await insert(n);
        await first.stop();
        for (let n = 61; n <= 80; n += 1) await insert(n);
        await using second = begin();
        assert.equal(await second.history(), history, bench.notes.join("\n"));
        await postgres.run(running.server, ["DROP TABLE orders"]);
        const wanted = (await postgres.rows(running.server, "SELECT pg_current_wal_flush_lsn()"))[0]![0]!;
        await insertUntil(bench, wanted);
        const files = (await bench.list()).at(-1)!.files;
        const log = await fetchLog(
            standby,
            bench.store,
            { history, from: { file: files[0]!.file, offset: 0 } },
            bench.directory("fetched"),
            never,
        );
        assert.ok(covers(log.position!, wanted), `${log.position} ${wanted}`);
        const [found] = await verifyLog(standby, bench.store, { signal: never, note: (line) => bench.notes.push(line) });
        assert.ok(found?.outcome === "looked" && !found.trouble, JSON.stringify(found));
        const hits: Hit[] = [];
        await searchLog(standby, bench.store, { like: "orders", signal: never, note: () => {} }, (hit) => hits.push(hit));
        assert.ok(hits.length > 0, String(hits.length));

        async function insertUntil(of: Bench, position: string) {
            for (const deadline = Date.now() + 20_000; ; await sleep(50)) {
                await second.seal();
                const there = (await of.list()).at(-1)?.files.findLast((file) => file.position !== undefined)?.position;
                if (there !== undefined && covers(there, position)) return;
                assert.ok(Date.now() < deadline, `the vault has ${there}, the server ${position}`);
            }
        }
    });
});
