import assert from "node:assert/strict";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { clientsOf, enterAccount } from "../support/account.ts";
import { lineLog, numbersIn } from "./support/engine.ts";
import { Bench, upTo } from "./support/fixture.ts";

/** Whether the vault takes what is put. */
let out = false;

async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
    for (const deadline = Date.now() + 10_000; !(await condition()); await sleep(20)) assert.ok(Date.now() < deadline, what);
}

function bytesIn(directory: string): number {
    return readdirSync(directory, { withFileTypes: true, recursive: true })
        .filter((entry) => entry.isFile())
        .reduce((sum, entry) => sum + (statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false })?.size ?? 0), 0);
}

describe("shipping a log while something is out", function () {
    this.timeout(30_000);
    let leave: () => void;
    before(async () => {
        leave = await enterAccount();
        clientsOf("standby").s3.middlewareStack.add(
            (next, context) => (args) => {
                if (out && context["commandName"] === "PutObjectCommand") throw new Error("no route to the region");
                return next(args);
            },
            { step: "initialize" },
        );
    });
    afterEach(() => (out = false));
    after(() => leave());

    it("goes on receiving, says so once, tells how far behind it is, and catches up", async () => {
        await using bench = await Bench.open("outage");
        const server = bench.server();
        const shipping = bench.ship(server, bench.directory("shipper"));
        server.write(10);
        const history = await shipping.history();
        await sleep(200);
        await shipping.seal();
        out = true;
        for (let round = 0; round < 6; round += 1) {
            server.write(20);
            if (round === 3) server.rotate();
            await sleep(200);
        }
        const { seconds, trouble, receiving } = shipping.lag();
        assert.ok(seconds > 0.9 && seconds < 3, String(seconds));
        assert.match(trouble!, /a piece of its log is not put: no route to the region/);
        assert.equal(receiving, true);
        assert.equal(bench.notes.filter((line) => line.includes("no route")).length, 1);
        out = false;
        await until(() => shipping.lag().seconds < 0.3, "it catches up");
        await shipping.seal();
        assert.deepEqual(numbersIn(...(await bench.fetched(history))), upTo(130));
        assert.ok(bench.notes.some((line) => line.includes("it works again")));
        assert.equal(shipping.lag().trouble, undefined);
    });

    it("stops receiving at the directory's limit, once, and loses nothing that the server keeps", async () => {
        await using bench = await Bench.open("limit");
        const server = bench.server();
        const directory = bench.directory("shipper");
        const shipping = bench.ship(server, directory, { limit: 4_000, sealBytes: 500 });
        server.write(1);
        const history = await shipping.history();
        await sleep(200);
        out = true;
        for (let round = 0; round < 10; round += 1) {
            server.write(20, 40);
            server.rotate();
            await sleep(50);
        }
        await until(() => !shipping.lag().receiving, "it stops receiving");
        await sleep(300);
        assert.ok(bytesIn(directory) < 9_000, String(bytesIn(directory)));
        assert.equal(bench.notes.filter((line) => line.includes("no more is received")).length, 1);
        await until(() => shipping.lag().seconds > 0.5, "it tells its lag");
        out = false;
        await until(async () => numbersIn(...(await bench.fetched(history))).length === 201, "all of it arrives");
        assert.deepEqual(numbersIn(...(await bench.fetched(history))), upTo(201));
        assert.deepEqual(bench.histories, [history]);
    });

    it("outlives a receiver that ends, and a server that does not answer", async () => {
        await using bench = await Bench.open("flapping");
        const server = bench.server();
        const log = lineLog();
        let away = false;
        const stops: AbortController[] = [];
        const refusing = <Result>(job: () => Promise<Result>): Promise<Result> =>
            away ? Promise.reject(new Error("connection refused")) : job();
        const shipping = bench.ship(server, bench.directory("shipper"), {
            log: {
                ...log,
                goesOn: (...args) => refusing(() => log.goesOn(...args)),
                receive: (address, file, directory, signal) =>
                    refusing(async () => {
                        const stop = new AbortController();
                        stops.push(stop);
                        const receiver = await log.receive(address, file, directory, AbortSignal.any([signal, stop.signal]));
                        const ended = receiver.ended.then(() => {
                            if (!signal.aborted) throw new Error("the server went away");
                        });
                        ended.catch(() => {});
                        return { ...receiver, ended };
                    }),
            },
        });
        server.write(1);
        const history = await shipping.history();
        for (let round = 0; round < 4; round += 1) {
            server.write(10);
            await sleep(150);
            away = true;
            stops.at(-1)!.abort();
            await sleep(600);
            server.write(10);
            server.rotate();
            away = false;
            await sleep(100);
        }
        await until(async () => numbersIn(...(await bench.fetched(history))).length === 81, "all of it arrives");
        assert.deepEqual(bench.histories, [history]);
        assert.ok(
            bench.notes.some((line) => line.includes("its log is not received: connection refused")),
            bench.notes.join("\n"),
        );
    });

    it("never puts bytes that the engine would not have written: it fetches them again", async () => {
        await using bench = await Bench.open("spoilt");
        const server = bench.server();
        const log = lineLog();
        let faults = 2;
        const shipping = bench.ship(server, bench.directory("shipper"), {
            log: { ...log, reach: (...args) => ((faults -= 1) >= 0 ? Promise.reject(new Error("checksum")) : log.reach(...args)) },
        });
        server.write(10);
        const history = await shipping.history();
        await until(() => faults < 0 && shipping.lag().seconds === 0, "it puts them");
        await sleep(200);
        await shipping.seal();
        assert.deepEqual(numbersIn(...(await bench.fetched(history))), upTo(10));
        assert.ok(bench.notes.some((line) => line.includes("checksum")));
    });
});
