import assert from "node:assert/strict";
import { chmodSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { backup } from "../../backup/backup.ts";
import { restoreToDirectory } from "../../backup/restore.ts";
import { verify } from "../../backup/verification.ts";
import type { Manifest } from "../../model/manifest.ts";
import { kindOf } from "../../stores/registry.ts";
import { at, enterAccount, replicate } from "../backup/support/account.ts";
import type { Server } from "../support/servers.ts";
import type { Dialect } from "./dialect.ts";
import { readCases, type Case } from "./read.ts";

const quiet = { signal: new AbortController().signal, note: () => undefined };
const databaseOf = (name: string) => `case_${name.slice(0, 2)}`;

/** Every case in one server, each in a database of its own; backed up, verified, restored once; then a server of its own is started from what came back. */
export function casesSuite(dialect: Dialect): void {
    const { engine } = dialect;
    const store = `shop-${engine}`;
    const cases = readCases(join(import.meta.dirname, engine), databaseOf);

    describe(`what public reports of ${engine} told of`, function () {
        this.timeout(300_000);
        let leave: () => void;
        let room: string;
        let source: Server;
        let restored: Server;
        let manifest: Manifest;

        before(async () => {
            leave = await enterAccount();
            room = await mkdtemp(join(tmpdir(), "lifeboat-cases-"));
            chmodSync(room, 0o711);
            source = await dialect.start();
            // Of the estate, where the report looks for tables; no case is about it.
            await dialect.makeDatabase(source, "shop");
            for (const { name, source: chapters } of cases) {
                await dialect.makeDatabase(source, databaseOf(name));
                for (const { as, statements } of chapters) await dialect.run(source, databaseOf(name), as, statements);
            }
            manifest = await backUp();
            await replicate(store, manifest.point, ["data", ...(manifest.contents ? (["contents"] as const) : []), "manifest.json"]);
            const findings = await verify(at("standby"), store, quiet);
            const found = findings.find(({ point }) => point === manifest.point);
            assert.ok(found?.outcome === "verified", JSON.stringify(found));
            assert.equal(found.record.verified.started, true);
            assert.equal(found.record.verified.notCompared, undefined, JSON.stringify(manifest));
            const data = join(room, "restored");
            await restoreToDirectory(at("standby"), store, { to: "newest" }, data, quiet);
            restored = await dialect.startFrom({ data, rootPassword: source.rootPassword });
        });
        after(async () => {
            await restored?.stop();
            await source?.stop();
            await rm(room, { recursive: true, force: true });
            leave?.();
        });

        async function backUp(): Promise<Manifest> {
            const { superuser: user } = kindOf({ engine }).server;
            const socketDirectory = engine === "mariadb" ? dirname(source.socket) : source.socket;
            const server = {
                ...{ host: "localhost", port: source.port, user, password: source.rootPassword },
                ...{ database: dialect.maintenance, socketDirectory },
            };
            const scratch = await mkdtemp(join(room, "copy-"));
            return (await backup(at("primary"), store, { server, data: join(source.directory, "data"), scratch }, quiet)).manifest;
        }
        /** What the point says that it does not carry is taken away from the source, too. */
        async function forgetUnprotected(database: string): Promise<void> {
            for (const { name } of manifest.unprotected) {
                const statements = dialect.forget(name, database);
                if (statements !== undefined) await dialect.run(source, database, "admin", statements);
            }
        }
        /** The same question to both: what is not the same is shown. */
        async function same(ask: (server: Server) => Promise<unknown>, about: string): Promise<void> {
            const before = await ask(source);
            assert.deepEqual(await ask(restored), before, about);
        }

        for (const each of cases)
            it(`${each.name}: ${each.about}`, async () => {
                const database = databaseOf(each.name);
                await forgetUnprotected(database);
                for (const probe of each.probes) await same((server) => dialect.ask(server, database, "admin", probe), probe);
                if (!each.flags.has("no-snapshot")) await same((server) => dialect.dump(server, database), "the engine's own dump");
                const { after } = each;
                if (after) await same((server) => dialect.ask(server, database, afterAs(each), after), "what is done with it afterwards");
            });

        it("accounts, roles and what they may are those of the source", () => same((server) => dialect.accounts(server), "accounts"));
        it("the same databases are there", () => same((server) => dialect.databases(server), "databases"));
    });
}

/** What an administrator's statements made is tried by an administrator. */
const afterAs = ({ source }: Case): "app" | "admin" => (source.some(({ as }) => as === "admin") ? "admin" : "app");
