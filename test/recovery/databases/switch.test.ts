import assert from "node:assert/strict";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Engine } from "../../../sandbox/engines.ts";
import type { Failure } from "../../../model/failure.ts";
import { kindOf } from "../../../stores/registry.ts";
import { readMarker, writeMarker } from "../../../recovery/databases/marker.ts";
import { beforeDirectory, markWhole, orderSwitch, restoredDirectory, switchData } from "../../../recovery/databases/switch.ts";
import { volumeState } from "../../../recovery/databases/seed.ts";
import { makePair } from "./pod.ts";

const refused = (error: Failure) => error.exit === "refused";

describe("a restore that takes the place of the data", () => {
    let place: { volume: string; engine: string; site: "primary"; store: string; note: () => void };
    let data: string;
    beforeEach(() => {
        const volume = mkdtempSync(join(tmpdir(), "lifeboat-switch-"));
        place = { volume, engine: "mariadb", site: "primary", store: "ledger", note: () => undefined };
        data = kindOf(place).dataDirectory(volume);
        fill(data, "old");
        fill(restoredDirectory(place, "r1"), "new");
        writeMarker(volume, { seed: "done", from: "standby", at: new Date().toISOString() });
    });
    afterEach(() => rmSync(place.volume, { recursive: true }));
    function fill(directory: string, text: string): void {
        mkdirSync(join(directory, "mysql"), { recursive: true });
        writeFileSync(join(directory, "rows"), text);
    }
    const rows = (directory: string) => readFileSync(join(directory, "rows"), "utf8");
    const done = () => {
        assert.equal(rows(data), "new");
        assert.equal(rows(beforeDirectory(place, "r1")), "old");
        assert.deepEqual(readdirSync(place.volume).sort(), ["before-r1", "data", "lifeboat.json"]);
        assert.deepEqual(readdirSync(data).sort(), ["mysql", "rows"]);
        assert.equal(readMarker(place.volume)?.seed, "restored");
        assert.equal(volumeState(place), "own");
    };

    it("is done by renames when the pod starts, and what was there is kept", () => {
        markWhole(restoredDirectory(place, "r1"));
        orderSwitch(place, "r1");
        switchData(place);
        done();
        switchData(place);
        done();
    });

    it("goes on from wherever it was killed", () => {
        markWhole(restoredDirectory(place, "r1"));
        orderSwitch(place, "r1");
        const order = readFileSync(join(place.volume, "switch.json"));
        const steps = [
            () => renameSync(data, beforeDirectory(place, "r1")),
            () => renameSync(restoredDirectory(place, "r1"), data),
            () => writeMarker(place.volume, { seed: "restored", from: "primary", at: new Date().toISOString() }),
            () => rmSync(join(data, "lifeboat-whole")),
        ];
        const kept = mkdtempSync(join(tmpdir(), "lifeboat-switch-kept-"));
        cpSync(place.volume, kept, { recursive: true });
        for (let killedAfter = 0; killedAfter <= steps.length; killedAfter++) {
            rmSync(place.volume, { recursive: true });
            cpSync(kept, place.volume, { recursive: true });
            for (const step of steps.slice(0, killedAfter)) step();
            writeFileSync(join(place.volume, "switch.json"), order);
            switchData(place);
            done();
        }
        rmSync(kept, { recursive: true });
    });

    it("is never a part: neither ordered nor carried out without the mark that it is whole", () => {
        assert.throws(() => orderSwitch(place, "r1"), refused);
        markWhole(restoredDirectory(place, "r1"));
        orderSwitch(place, "r1");
        rmSync(join(restoredDirectory(place, "r1"), "lifeboat-whole"));
        assert.throws(() => switchData(place), refused);
        assert.equal(rows(data), "old");
        rmSync(restoredDirectory(place, "r1"), { recursive: true });
        assert.throws(() => switchData(place), refused);
        assert.equal(rows(data), "old");
        assert.throws(() => orderSwitch(place, "../r1"));
    });

    for (const kind of ["mariadb", "postgres"] satisfies Engine[])
        it(`is what a ${kind} server serves from its next start on, and nothing makes it follow its peer`, async function () {
            this.timeout(120_000);
            const { epoch, primary, standby } = await makePair(kind);
            try {
                await primary.seed();
                await primary.start();
                await primary.look();
                const directory = kindOf({ engine: kind }).dataDirectory(primary.place.volume);
                await primary.stop(kind === "postgres" ? "SIGINT" : "SIGTERM");
                const restored = restoredDirectory(primary.place, "r1");
                cpSync(directory, restored, { recursive: true, preserveTimestamps: true });
                writeFileSync(join(directory, "only-in-the-old"), "");
                markWhole(restored);
                orderSwitch(primary.place, "r1");
                assert.equal(await primary.seed(), "keep");
                assert.ok(
                    !existsSync(join(directory, "only-in-the-old")) &&
                        existsSync(join(beforeDirectory(primary.place, "r1"), "only-in-the-old")),
                );
                await primary.start();
                assert.equal((await primary.guard.status()).role, "read-only");
                assert.match((await primary.look()) ?? "", /^writable/);
                assert.match((await primary.guard.status()).problem ?? "", /was restored at .* does not have this history/);
                epoch.set(2, "standby");
                assert.match((await primary.look()) ?? "", /^read-only/);
                assert.equal(await primary.look(), undefined);
                assert.equal((await primary.guard.status()).role, "read-only");
            } finally {
                await primary.remove();
                await standby.remove();
            }
        });
});
