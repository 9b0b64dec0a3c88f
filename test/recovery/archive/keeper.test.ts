import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { listObjects, readText } from "../../../backup/vault.ts";
import type { ServerRole } from "../../../model/lease.ts";
import { askForBackup } from "../../../recovery/archive/client.ts";
import { keeperOf, type Keeper } from "../../../recovery/archive/keeper.ts";
import { serveArchive } from "../../../recovery/archive/server.ts";
import { Turn } from "../../../recovery/archive/turn.ts";
import { at, clientsOf, derived, enterAccount } from "../../backup/support/account.ts";
import { mariadb } from "../../backup/support/mariadb.ts";

const store = "shop-mariadb";
const never = new AbortController().signal;

describe("What an archive keeps", function () {
    this.timeout(120_000);

    const directory = mkdtempSync(join(tmpdir(), "lifeboat-archive-"));
    const notes: string[] = [];
    const turn = new Turn();
    let role: ServerRole = "read-only";
    let guardAnswers = true;
    let running: Awaited<ReturnType<typeof mariadb.start>>;
    let leave: () => void;
    let keeper: Keeper;
    let kept: Promise<void>;

    /** What other suites of this process left in the account's vault. */
    const others = new Set<string>();
    const keys = async () => {
        const found: string[] = [];
        for await (const { key } of listObjects(clientsOf("primary").s3, derived.vaultBucket("primary"), `${store}/`))
            if (!others.has(key)) found.push(key);
        return found;
    };
    const manifests = async () => (await keys()).filter((key) => key.endsWith("/manifest.json"));
    const read = async (key: string) =>
        JSON.parse((await readText(clientsOf("primary").s3, derived.vaultBucket("primary"), key))!) as { log?: { history: string } };
    const until = async (what: string, done: () => boolean | Promise<boolean>) => {
        const deadline = performance.now() + 60_000;
        while (!(await done())) {
            if (performance.now() > deadline) assert.fail(`${what}: not within a minute; ${notes.join("\n")}`);
            await sleep(100);
        }
    };
    const write = (n: number) => mariadb.run({ ...running.server, database: "shop" }, [`INSERT INTO t VALUES (${n})`]);

    before(async () => {
        leave = await enterAccount();
        for (const key of await keys()) others.add(key);
        running = await mariadb.start();
        await mariadb.run(running.server, ["CREATE DATABASE shop", "CREATE TABLE shop.t (n int primary key)"]);
        mkdirSync(join(directory, "copies", "of-a-killed-one"), { recursive: true });
        keeper = keeperOf({
            ...{ standpoint: at("primary"), store, server: running.server, data: running.data, directory, turn },
            role: () => (guardAnswers ? Promise.resolve(role) : Promise.reject(new Error("no guard"))),
            note: (line) => void notes.push(line),
            every: 100,
        });
        kept = keeper.run();
    });
    after(async () => {
        await keeper?.stop();
        await running?.stop();
        leave?.();
        rmSync(directory, { recursive: true, force: true });
    });

    it("is nothing of a server that takes no writes, and no backup of it either", async () => {
        for (const passive of ["read-only", "replica"] as const) {
            role = passive;
            await assert.rejects(keeper.backup({ signal: never, note: () => {} }), {
                exit: "refused",
                message: new RegExp(`is ${passive}:`),
            });
        }
        await sleep(300);
        assert.deepEqual(await keys(), []);
        assert.deepEqual(readdirSync(join(directory, "copies")), [], "what a killed archive left is removed");
    });
    it("is the log from the moment on at which the server takes writes, and a first copy at once", async () => {
        role = "writable";
        await until("a first copy", async () => (await manifests()).length === 1);
        const [first] = await manifests();
        const history = (await read(first!)).log?.history;
        assert.ok(history !== undefined && (await keys()).some((key) => key.startsWith(`${store}/log/${history}/`)), `${history}`);
    });
    it("is a backup when it is asked for one over the wire, in the history that is shipped", async () => {
        await until("a free turn", () => turn.current === undefined);
        const served = await serveArchive({
            ...{ store, turn, note: () => {}, signal: never, listen: { host: "127.0.0.1", port: 0 }, password: () => "p".repeat(32) },
            ...{ backup: keeper.backup, copy: keeper.copy },
        });
        try {
            await write(1);
            const address = { store, host: "127.0.0.1", port: served.port, identity: "backup" as const, password: "p".repeat(32) };
            const { manifest } = (await askForBackup(address, () => {}, never)) as {
                manifest: { point: string; log: { history: string } };
            };
            const [first] = await manifests();
            assert.equal(manifest.log.history, (await read(first!)).log?.history);
            assert.ok((await manifests()).includes(`${store}/${manifest.point}/manifest.json`));
            assert.deepEqual(readdirSync(join(directory, "copies")), []);
        } finally {
            await served.close();
        }
    });
    it("goes on while the guard does not answer", async () => {
        guardAnswers = false;
        const before = (await keys()).length;
        await write(2);
        await until("a piece", async () => (await keys()).length > before);
        guardAnswers = true;
        await until("word of the guard", () => notes.some((line) => line.includes("the guard answers again")));
    });
    it("is all of the log when the server is closed, and no more is shipped", async () => {
        await write(3);
        role = "read-only";
        await until("the end of shipping", () =>
            notes.some((line) => line.includes("ships its log no more: the server is read-only; all that was received")),
        );
        const before = (await keys()).length;
        await write(4);
        await sleep(3_000);
        assert.equal((await keys()).length, before);
    });
    it("goes on in the same history when the server takes writes again, and seals what it has when it is told to end", async () => {
        const copies = (await manifests()).length;
        role = "writable";
        const before = (await keys()).length;
        await until("a piece", async () => (await keys()).length > before);
        await keeper.stop();
        await kept;
        assert.equal((await manifests()).length, copies, "no new history, no first copy");
        assert.match(notes.at(-1)!, /ships its log no more: the archive ends; all that was received is in the vault/);
    });
});
