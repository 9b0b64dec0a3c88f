import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { enterAccount, keysIn, tamper } from "../support/account.ts";
import { numbersIn } from "./support/engine.ts";
import { Bench, upTo } from "./support/fixture.ts";

const numbers = ({ directory, files }: { directory: string; files: readonly string[] }) => numbersIn(directory, files);

describe("shipping a log", function () {
    this.timeout(20_000);
    let leave: () => void;
    before(async () => void (leave = await enterAccount()));
    after(() => leave());

    it("puts every transaction into the vault once, over files and pieces", async () => {
        await using bench = await Bench.open("plain");
        const server = bench.server();
        const shipping = bench.ship(server, bench.directory("shipper"), { sealBytes: 1_000 });
        for (let round = 0; round < 12; round += 1) {
            server.write(40, 20);
            if (round % 4 === 3) server.rotate();
            await sleep(40);
        }
        await sleep(100);
        await shipping.seal();
        const history = await shipping.history();
        const fetched = await bench.fetch(history);
        assert.deepEqual(numbers(fetched), upTo(480));
        assert.equal(fetched.position, "480");
        assert.deepEqual(bench.histories, [history]);
        assert.ok(fetched.files.length >= 3);
    });

    it("puts nothing while nothing is written", async () => {
        await using bench = await Bench.open("idle");
        const server = bench.server();
        server.write(3);
        const shipping = bench.ship(server, bench.directory("shipper"));
        await shipping.history();
        await sleep(600);
        const before = await keysIn("standby", `${bench.store}/`);
        assert.equal(before.length, 1);
        await sleep(800);
        assert.deepEqual(await keysIn("standby", `${bench.store}/`), before);
        assert.equal(shipping.lag().seconds, 0);
        assert.equal(shipping.lag().receiving, true);
    });

    for (const [how, left] of [
        ["an empty directory", false],
        ["what the last one left", true],
    ] as const)
        it(`goes on in the same history without gap or repeat when it starts again with ${how}`, async () => {
            await using bench = await Bench.open(left ? "left-over" : "empty");
            const server = bench.server();
            server.write(1);
            const directory = bench.directory("shipper");
            let history: string | undefined;
            for (let round = 0; round < 6; round += 1) {
                const shipping = bench.ship(server, left ? directory : bench.directory("shipper"), { sealBytes: 700 });
                history ??= await shipping.history();
                server.write(30, 10);
                await sleep(100 + 30 * round);
                server.write(10, 10);
                if (round % 2 === 1) server.rotate();
                await shipping.stop();
                assert.equal(await shipping.history(), history);
            }
            const last = bench.ship(server, directory, { sealBytes: 700 });
            await last.history();
            await sleep(200);
            await last.seal();
            assert.deepEqual(numbers(await bench.fetch(history!)), upTo(241));
            assert.deepEqual(bench.histories, [history]);
        });

    it("does no harm beside another shipper of the same log", async () => {
        await using bench = await Bench.open("two");
        const server = bench.server();
        server.write(1);
        const one = bench.ship(server, bench.directory("one"), { sealBytes: 500, sealAfter: 70 });
        await one.history();
        await one.seal();
        await sleep(200);
        const other = bench.ship(server, bench.directory("other"), { sealBytes: 330, sealAfter: 130 });
        assert.equal(await other.history(), await one.history());
        for (let round = 0; round < 10; round += 1) {
            server.write(19, 13);
            if (round === 4) server.rotate();
            await sleep(50);
        }
        await sleep(150);
        await Promise.all([one.seal(), other.seal()]);
        assert.deepEqual(numbers(await bench.fetch(await one.history())), upTo(191));
    });

    it("begins a new history, loudly, when the server's log is another one by now", async () => {
        await using bench = await Bench.open("reset");
        const server = bench.server();
        server.write(50);
        const first = bench.ship(server, bench.directory("shipper"));
        const former = await first.history();
        await sleep(300);
        await first.seal();
        await first.stop();
        const other = bench.server();
        other.write(20);
        const second = bench.ship(other, bench.directory("shipper"));
        const history = await second.history();
        assert.notEqual(history, former);
        await sleep(200);
        await second.seal();
        assert.deepEqual(numbers(await bench.fetch(history)), upTo(20));
        assert.deepEqual(numbers(await bench.fetch(former)), upTo(50));
        assert.deepEqual(bench.histories, [former, history]);
        assert.ok(bench.notes.some((line) => line.includes("NEW HISTORY") && line.includes("reset, purged, or the server was restored")));
    });

    it("names the first missing range, before any file is used", async () => {
        await using bench = await Bench.open("gap");
        const server = bench.server();
        server.write(200, 20);
        const shipping = bench.ship(server, bench.directory("shipper"), { sealBytes: 1_000 });
        const history = await shipping.history();
        await sleep(200);
        await shipping.seal();
        const [, lost] = await keysIn("standby", `${bench.store}/log/${history}/`);
        await tamper(lost!, (bytes) => bytes.subarray(0, -1));
        await assert.rejects(bench.fetch(history), /bytes 1000 to 2000 of log\.000001 .* are not what was put there/);
    });
});
