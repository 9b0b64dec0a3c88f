import assert from "node:assert/strict";
import { cpSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { ServerAddress } from "../../../stores/adapter.ts";
import { connectPostgres } from "../../../stores/postgres/client.ts";
import { physical } from "../../../stores/postgres/physical.ts";
import { knownSegment, placeAt, startOf as startOfSegment } from "../../../stores/postgres/physical/segment.ts";
import { lsnOf as parseLsn } from "../../../stores/postgres/position.ts";
import type { Contents, LogPlace } from "../../../stores/physical.ts";
import { startPostgres, type Server } from "../../support/servers.ts";
import { Bench, copied, never, started, superuser } from "../support/copied.ts";

const query = async (address: ServerAddress, ...statements: string[]): Promise<string[][]> => {
    const client = await connectPostgres(address);
    try {
        let rows: object[] = [];
        for (const statement of statements) ({ rows } = await client.query<object>(statement));
        return rows.map((row) => Object.values(row).map(String));
    } finally {
        await client.end();
    }
};
const startOf = (file: string) => startOfSegment(knownSegment(file));
const sorted = ({ relations, schema }: Contents) => ({
    schema,
    relations: relations.toSorted((a, b) => (`${a.database}.${a.name}` < `${b.database}.${b.name}` ? -1 : 1)),
});

describe("a physical copy of PostgreSQL", function () {
    this.timeout(120_000);
    const bench = new Bench();
    let server: Server;
    let root: ServerAddress;
    const data = () => join(server.directory, "data");
    before(async () => {
        server = await startPostgres({ database: "shop" });
        root = superuser(server, "postgres", server.socket, "shop");
    });
    after(async () => {
        await server?.stop();
        bench.remove();
    });
    const now = async () => (await query(root, "SELECT pg_current_wal_insert_lsn()"))[0]![0]!;

    /** Receives the server's log until it holds a position; files of a directory of their own, cut where what arrived ends. */
    async function received(from: LogPlace, position: string): Promise<string> {
        const [directory, cut] = [bench.room(), bench.room()];
        const stop = new AbortController();
        const receiver = await physical.log.receive(root, from.file, directory, stop.signal);
        try {
            for (const deadline = Date.now() + 20_000; Date.now() < deadline; await sleep(50)) {
                const files = await receiver.files();
                const last = files.at(-1);
                if (last === undefined || startOf(last.file) + BigInt(last.bytes) < parseLsn(position)) continue;
                try {
                    for (const { file, path, bytes } of files) writeFileSync(join(cut, file), readFileSync(path).subarray(0, bytes));
                    return cut;
                } catch (error) {
                    // A segment that became whole in between has its final name.
                    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
                }
            }
            assert.fail(`the log did not reach ${position}`);
        } finally {
            stop.abort();
            await receiver.ended.catch(() => undefined);
        }
    }

    it("holds all that the server held: databases, roles, large objects, row security, sequences, settings, other bytes", async () => {
        await physical.log.oldest(root); // as the archive does before the first copy: the log is kept from here on
        await query(
            root,
            "CREATE ROLE app LOGIN PASSWORD 'x'",
            "CREATE TABLE tenants (id int PRIMARY KEY, t text, value bytea)",
            "INSERT INTO tenants VALUES (1, 'a', '\\x00ff'), (2, NULL, NULL)",
            "ALTER TABLE tenants ENABLE ROW LEVEL SECURITY",
            "SELECT lo_from_bytea(424242, '\\x00ff4865790a')",
            "CREATE SEQUENCE s",
            "SELECT nextval('s')",
            "CREATE FUNCTION how_many() RETURNS bigint LANGUAGE plpgsql STABLE AS 'BEGIN RETURN (SELECT count(*) FROM tenants); END'",
            "CREATE MATERIALIZED VIEW figures AS SELECT how_many() AS n",
            "ALTER DATABASE shop SET work_mem = '64MB'",
            "CREATE UNLOGGED TABLE sessions (id int)",
            "INSERT INTO sessions VALUES (1)",
            "CREATE TABLE part (id int) PARTITION BY RANGE (id)",
            "CREATE TABLE p1 PARTITION OF part FOR VALUES FROM (0) TO (10)",
            "INSERT INTO part VALUES (1)",
            "CREATE TABLE none ()",
            "INSERT INTO none DEFAULT VALUES",
            `CREATE DATABASE old ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0`,
        );
        await query({ ...root, database: "old" }, "CREATE TABLE t (s text)", "INSERT INTO t VALUES ('é')");
        const held = (await physical.contents(root, never))!;
        assert.ok(held.schema);
        assert.deepEqual(
            held.unprotected.map(({ name }) => name),
            ["shop: public.sessions"],
        );
        const { directory, facts } = await copied(physical, root, data(), bench);
        assert.ok(facts.log);
        const scratch = await started(physical, directory, { to: "copy" });
        await scratch.check(never);
        const found = (await physical.contents(scratch.address, never))!;
        assert.deepEqual(sorted(found), sorted(held));
        await scratch.stop();
        const restored = await startPostgres({ restored: { data: directory, rootPassword: server.rootPassword } });
        try {
            assert.deepEqual(
                sorted((await physical.contents(superuser(restored, "postgres", restored.socket, "shop"), never))!),
                sorted(held),
            );
        } finally {
            await restored.stop();
        }
    });

    it("tells a value from another whose column has the name of an alias, and one byte of a large object", async () => {
        await query(root, "CREATE TABLE readings (t timestamp PRIMARY KEY, value int)", "INSERT INTO readings VALUES ('2026-01-01', 1)");
        const before = (await physical.contents(root, never))!;
        await query(root, "UPDATE readings SET value = 999");
        const after = (await physical.contents(root, never))!;
        assert.notDeepEqual(after.relations, before.relations);
        await query(root, "SELECT lo_put(424242, 1, '\\x01')");
        assert.notDeepEqual((await physical.contents(root, never))!.relations, after.relations);
    });

    describe("with its log", () => {
        let copy: Awaited<ReturnType<typeof copied>>;
        let log: { directory: string; from: LogPlace };
        const lsns: string[] = [];
        const xids: string[] = [];
        const times: Date[] = [];
        before(async () => {
            await query(root, "CREATE TABLE numbered (n int PRIMARY KEY)");
            copy = await copied(physical, root, data(), bench);
            for (let n = 1; n <= 30; n++) {
                times.push(new Date());
                xids.push((await query(root, `INSERT INTO numbered VALUES (${n}) RETURNING pg_current_xact_id()`))[0]![0]!);
                lsns.push(await now());
                if (n % 10 === 0) await query(root, "SELECT pg_switch_wal()");
                await sleep(5);
            }
            log = { directory: await received(copy.facts.log!, lsns.at(-1)!), from: copy.facts.log! };
        });
        const at = async (until: Parameters<typeof started>[2], from = log): Promise<string[]> => {
            const [directory, files] = [bench.room(), bench.room()];
            cpSync(copy.directory, directory, { recursive: true });
            cpSync(from.directory, files, { recursive: true });
            await using scratch = await started(physical, directory, until, { ...from, directory: files });
            return (await query({ ...scratch.address, database: "shop" }, "SELECT n FROM numbered ORDER BY n")).map(([n]) => n!);
        };
        const to = (n: number) => Array.from({ length: n }, (_, index) => String(index + 1));

        it("comes to an LSN, to the transaction before one, to an instant, to a place, and to its end: all up to it, and nothing after it", async () => {
            assert.deepEqual(await at({ to: "position", position: lsns[16]! }), to(17));
            assert.deepEqual(await at({ to: "before", transaction: xids[20]! }), to(20));
            assert.deepEqual(await at({ to: "time", at: times[12]! }), to(12));
            assert.deepEqual(await at({ to: "newest" }), to(30));
            assert.ok(readdirSync(log.directory).length > 2);
            assert.deepEqual(await at({ to: "place", ...placeAt(1, parseLsn(lsns[4]!)) }), to(5));
        });

        it("shows a position exactly that a server was read at", async () => {
            const held = (await physical.contents(root, never))!;
            await query(root, "INSERT INTO numbered VALUES (99)");
            const directory = await received(copy.facts.log!, await now());
            const room = bench.room();
            cpSync(copy.directory, room, { recursive: true });
            await using scratch = await started(
                physical,
                room,
                { to: "position", position: held.position },
                { directory, from: copy.facts.log! },
            );
            assert.equal(scratch.position, held.position);
            assert.deepEqual(sorted((await physical.contents(scratch.address, never))!), sorted(held));
        });

        it("refuses a moment that is not in it, a log that lacks a segment, and one that is damaged", async () => {
            await assert.rejects(at({ to: "position", position: "F/0" }), /does not reach F\/0: it ends at/);
            await assert.rejects(at({ to: "before", transaction: "4000000" }), /is not in the log/);
            const files = readdirSync(log.directory)
                .sort()
                .filter((file) => file >= log.from.file);
            const [gap, torn] = [bench.room(), bench.room()];
            for (const file of files.filter((_, index) => index !== 1)) cpSync(join(log.directory, file), join(gap, file));
            await assert.rejects(at({ to: "newest" }, { ...log, directory: gap }), /the log lacks/);
            for (const file of files) cpSync(join(log.directory, file), join(torn, file));
            const bytes = readFileSync(join(torn, files[1]!));
            bytes[112]! ^= 1; // of a record, not of the zeros between two
            writeFileSync(join(torn, files[1]!), bytes);
            await assert.rejects(at({ to: "newest" }, { ...log, directory: torn }), /the log is damaged/);
            await assert.rejects(physical.log.reach(join(torn, files[1]!), 0), /the log is damaged/);
        });

        it("tells what was dropped", async () => {
            await query(root, "CREATE TABLE precious (n int)", "INSERT INTO precious VALUES (1)", "DROP TABLE precious");
            const directory = await received(log.from, await now());
            const found = [];
            for await (const each of physical.log.find(directory, readdirSync(directory).sort(), { like: "dropped" }, never))
                found.push(each);
            assert.equal(found.length, 1);
            assert.match(found[0]!.statements[0]!, /TABLE precious \(1663\/\d+\/\d+\)$/);
            assert.match(found[0]!.statements[1]!, /^dropped 1 relation: 1663\/\d+\/\d+$/);
        });
    });
});
