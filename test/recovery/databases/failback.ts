import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { kindOf } from "../../../stores/registry.ts";
import { heldAlone } from "../../../model/difference.ts";
import type { Engine } from "../../../sandbox/engines.ts";
import type { Failure } from "../../../model/failure.ts";
import { readMarker } from "../../../recovery/databases/marker.ts";
import { makePair, passwords, type Epoch, type Pod } from "./pod.ts";

/** Runs statements as a user in the database `shop`, over TCP. */
export type Statements = (port: number, user: "app" | "backup", password: string, statements: readonly string[]) => Promise<void>;

/** Two servers whose histories have parted, and their way back to one. The tests are one story, told in order. */
export function failbackSuite(kind: Engine, binaryType: string, run: Statements): void {
    describe(`${kind} servers that have parted`, function () {
        this.timeout(120_000);
        let epoch: Epoch;
        let primary: Pod;
        let standby: Pod;
        const write = (pod: Pod, ...statements: string[]) => run(pod.port, "app", passwords.app, statements);
        const order = (number: number, customer: string) => `INSERT INTO orders (number, customer) VALUES (${number}, '${customer}')`;
        const until = async (what: string, holds: () => Promise<boolean>) => {
            for (const deadline = Date.now() + 30_000; Date.now() < deadline; await sleep(50)) if (await holds()) return;
            assert.fail(`${what}: not within 30 s`);
        };
        const address = ({ port }: Pod) => ({ host: "127.0.0.1", port, user: "backup", password: passwords.backup, database: "shop" });
        /** What the first holds and the second does not, by table. */
        async function alone(here: Pod, there: Pod): Promise<Record<string, string[]>> {
            await using ours = await kindOf({ engine: kind }).operations.openRows(address(here));
            await using theirs = await kindOf({ engine: kind }).operations.openRows(address(there));
            const found: Record<string, string[]> = {};
            for (const table of await ours.tables())
                for await (const { kind: difference, row } of heldAlone(ours.read(table), theirs.read(table)))
                    (found[table] ??= []).push(`${difference} ${JSON.stringify(JSON.parse(row.content))}`);
            for (const rows of Object.values(found)) rows.sort();
            return found;
        }
        /** What happens to a pod that is replaced. */
        async function replaced(pod: Pod): Promise<void> {
            await pod.stop(kind === "postgres" ? "SIGQUIT" : "SIGKILL");
            await pod.seed();
            await pod.start();
        }
        const follows = (pod: Pod) => until("it follows", async () => (await pod.guard.status()).lagSeconds === 0);

        let failed = false;
        beforeEach(function () {
            if (failed) this.skip();
        });
        afterEach(function () {
            failed ||= this.currentTest?.state === "failed";
        });

        before(async () => {
            ({ epoch, primary, standby } = await makePair(kind));
            await primary.seed();
            await primary.start();
            await primary.look();
            await write(
                primary,
                "CREATE TABLE orders (number int primary key, customer varchar(40))",
                "CREATE TABLE notes (line varchar(40))",
                `CREATE TABLE files (name ${binaryType} NOT NULL, part int NOT NULL, body ${binaryType}, PRIMARY KEY (part, name))`,
                order(1, "anna"),
                order(2, "o''brien, \u00e9"),
                "INSERT INTO notes (line) VALUES ('twice'), ('twice'), (NULL)",
            );
            await standby.seed();
            await standby.start();
            await standby.look();
            await follows(standby);
            // What the standby never hears of.
            await standby.stop(kind === "postgres" ? "SIGQUIT" : "SIGKILL");
            await write(
                primary,
                order(3, "alone"),
                "UPDATE orders SET customer = 'changed alone' WHERE number = 2",
                "INSERT INTO notes (line) VALUES ('twice')",
                kind === "postgres" ? "INSERT INTO files VALUES ('\\x00ff', 1, NULL)" : "INSERT INTO files VALUES (0x00ff, 1, NULL)",
                "CREATE TABLE only_here (id int primary key)",
                "INSERT INTO only_here (id) VALUES (7)",
            );
            await primary.stop();
            await standby.seed();
            await standby.start();
            epoch.set(2, "standby");
            await standby.look();
            await standby.guard.promote();
            await write(standby, order(3, "other"), order(4, "berta"));
            await primary.seed();
            await primary.start();
            await primary.look();
        });
        after(async () => {
            await primary?.remove();
            await standby?.remove();
        });

        it("tell what the old one holds alone: rows by key, equal rows by their number, tables that the other has not", async () => {
            assert.deepEqual(await alone(primary, standby), {
                orders: ['differs {"number":2,"customer":"changed alone"}', 'differs {"number":3,"customer":"alone"}'],
                notes: ['absent {"line":"twice"}'],
                files: [`absent {"name":${kind === "postgres" ? '"\\\\x00ff"' : '"00FF"'},"part":1,"body":null}`],
                only_here: ['absent {"id":7}'],
            });
        });

        it("do not rejoin while the site is active, nor while nobody says that it is not", async () => {
            const refused = (error: Failure) => error.exit === "refused";
            await assert.rejects(standby.guard.rejoin(), refused);
            assert.equal((await standby.guard.status()).role, "writable");
        });

        it("are one again: the old one is copied from the active one, because its history is no part of that one's", async () => {
            const { way, restart } = await primary.guard.rejoin();
            assert.equal(way, "copy");
            assert.equal(readMarker(primary.place.volume)?.seed, "wanted");
            assert.equal(restart, true);
            await replaced(primary);
            if (kind === "mariadb") assert.match((await primary.look()) ?? "", /^seeded/);
            await follows(primary);
            assert.deepEqual(await alone(primary, standby), {});
            assert.deepEqual(await alone(standby, primary), {});
            assert.deepEqual(await primary.guard.rejoin(), { store: primary.place.store, way: "followed already", restart: false });
        });

        it("hand over without losing a write: the closed one's position is reached before the other is promoted", async () => {
            await write(standby, order(5, "the last"));
            epoch.set(3, "primary");
            assert.match((await standby.look()) ?? "", /^read-only: epoch 3/);
            await assert.rejects(write(standby, order(6, "too late")));
            const closed = await standby.guard.status();
            assert.equal(closed.lease.state, "ceded");
            await until("it has caught up", async () =>
                kindOf({ engine: kind }).covers((await primary.guard.status()).position, closed.position),
            );
            await primary.guard.promote();
            assert.deepEqual(await alone(standby, primary), {});
            await write(primary, order(7, "carla"));
        });

        it("change their parts: the standby's becomes the replica", async () => {
            // Customers go on: the peer is never idle while it is asked whether it can be followed.
            let shopping = true;
            const customers = (async () => {
                for (let number = 100; shopping; number++) await write(primary, order(number, "berta"));
            })();
            const { way, restart } = await standby.guard.rejoin().finally(() => (shopping = false));
            await customers;
            // Its history is a part of the other's now; PostgreSQL's log says so only after a rewind, and is copied.
            assert.equal(way, kind === "mariadb" ? "position" : "copy");
            if (restart) await replaced(standby);
            await follows(standby);
            assert.equal(readMarker(standby.place.volume)?.seed, "done");
            await write(primary, order(8, "dora"));
            await until("row 8 arrives", async () => Object.keys(await alone(primary, standby)).length === 0);
            await assert.rejects(write(standby, order(9, "too late")));
        });

        it("do it all again, the other way round", async () => {
            await primary.stop();
            epoch.set(4, "standby");
            await standby.look();
            await standby.guard.promote();
            await write(standby, order(10, "emil"));
            await primary.seed();
            await primary.start();
            await primary.look();
            assert.deepEqual(await alone(primary, standby), {});
            const { way, restart } = await primary.guard.rejoin();
            assert.equal(way, kind === "mariadb" ? "position" : "copy");
            if (restart) await replaced(primary);
            await follows(primary);
            assert.deepEqual(await alone(standby, primary), {});
        });
    });
}
