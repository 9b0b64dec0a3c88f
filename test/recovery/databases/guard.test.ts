import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { seconds } from "../../../model/units.ts";
import type { DatabaseStatus, GuardedServer } from "../../../stores/place.ts";
import { guardOf } from "../../../recovery/databases/guard.ts";
import { proofsOf } from "../../../recovery/databases/proofs.ts";

describe("what a guard remembers of a replica", () => {
    let volume: string;
    beforeEach(() => void (volume = mkdtempSync(join(tmpdir(), "lifeboat-guard-"))));
    afterEach(() => rmSync(volume, { recursive: true }));

    it("is when it last heard from its peer, and how far it was behind: told once the peer is silent, and only then", async () => {
        let found: DatabaseStatus = { role: "replica", lagSeconds: 0.4, position: "1" };
        const none = () => assert.fail("nothing is done to a replica");
        const server: GuardedServer = {
            status: () => Promise.resolve(found),
            unprotected: () => Promise.reject(new Error("asked in vain")),
            open: none,
            close: none,
            promote: none,
        };
        const guard = guardOf({
            place: {
                site: "standby",
                store: "ledger",
                engine: "postgres",
                database: "orders",
                volume,
                socketDirectory: volume,
                port: 5432,
                peer: { host: "127.0.0.1", port: 5432 },
                copyFromPeer: () => assert.fail("nothing is copied"),
                password: () => "",
                note: () => undefined,
            },
            server,
            proofs: proofsOf({
                site: "standby",
                terms: { duration: seconds(1), renewEvery: seconds(0.1) },
                provers: [],
                memory: { before: undefined, keep: () => undefined },
            }),
            drop: () => undefined,
            signal: new AbortController().signal,
        });
        await guard.look();
        assert.equal((await guard.status()).heard, undefined);
        found = { role: "replica", lagSeconds: null, position: "1", problem: "it does not hear from its peer" };
        await sleep(200);
        await guard.look();
        const { heard } = await guard.status();
        assert.equal(heard?.lagSeconds, 0.4);
        assert.ok(heard.secondsAgo >= 0.19 && heard.secondsAgo < 5, `${heard.secondsAgo}`);
        const { unprotected } = await guard.status();
        assert.deepEqual(unprotected, [{ name: "ledger", why: "was not asked what its replica does not carry: asked in vain" }]);
        found = { role: "writable", lagSeconds: null, position: "2" };
        assert.equal((await guard.status()).heard, undefined);
    });
});
