import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { setTimeout as sleep } from "node:timers/promises";
import { enterAccount } from "../support/account.ts";
import { numbersIn } from "./support/engine.ts";
import { Bench, upTo } from "./support/fixture.ts";

const program = fileURLToPath(new URL("support/shipper.ts", import.meta.url));

describe("a shipper that is killed with -9, again and again", function () {
    this.timeout(120_000);
    let leave: () => void;
    before(async () => void (leave = await enterAccount()));
    after(() => leave());

    for (const [how, keeps] of [
        ["in the directory that the killed one left", true],
        ["in an empty directory", false],
    ] as const)
        it(`leaves neither gap nor repeat when the next one starts ${how}`, async () => {
            await using bench = await Bench.open(keeps ? "killed-left" : "killed-empty");
            const server = bench.server();
            const directory = bench.directory("shipper");
            const histories = new Set<string>();
            let written = 0;
            const write = (count: number) => {
                server.write(count, 17);
                written += count;
            };
            write(5);
            for (let round = 0; round < 12; round += 1) {
                const options = {
                    store: bench.store,
                    server: server.directory,
                    directory: keeps ? directory : bench.directory("shipper"),
                    sealBytes: 300 + 37 * round,
                    pause: 25,
                };
                const child = spawn(process.execPath, [program, JSON.stringify(options)], { stdio: ["ignore", "pipe", "ignore"] });
                child.stdout.setEncoding("utf8");
                const gone = once(child, "exit");
                const [line] = (await Promise.race([once(child.stdout, "data"), gone.then(() => ["nothing"])])) as [string];
                histories.add(line.trim());
                for (let step = 0; step < 4; step += 1) {
                    write(11);
                    if (round % 3 === 2 && step === 1) server.rotate();
                    await sleep(25 + ((round * 29) % 60));
                }
                child.kill("SIGKILL");
                await gone;
                write(3);
            }
            const last = bench.ship(server, bench.directory("last"));
            histories.add(await last.history());
            await sleep(300);
            await last.seal();
            // A first one that was killed before anything of its history was put has left nothing to go on with.
            const [history] = [...histories].reverse();
            assert.ok(histories.size <= 2, [...histories].join());
            assert.deepEqual(numbersIn(...(await bench.fetched(history!))), upTo(written));
        });
});
