import assert from "node:assert/strict";
import { appendFileSync, existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startPostgres, type Server } from "../../support/servers.ts";
import type { ServerAddress } from "../../../stores/adapter.ts";
import type { Contents } from "../../../stores/physical.ts";
import { physical } from "../../../stores/postgres/physical.ts";
import { Bench, contentsOf, copied, never, open, run, started, superuser } from "./bench.ts";
import * as kinds from "./kinds.ts";

const names = ({ relations }: Contents, database: string) => relations.filter((one) => one.database === database).map(({ name }) => name);

describe("A copy of a PostgreSQL server", function () {
    this.timeout(120_000);
    const bench = new Bench();
    let server: Server;
    let source: ServerAddress;

    before(async () => {
        server = await startPostgres({ arguments: ["-c", "max_prepared_transactions=5"] });
        source = superuser(server);
        await run(source, "postgres", ...kinds.databases);
        await run(source, "orders", ...kinds.orders);
        await run(source, "latin", ...kinds.latin);
    });
    after(async () => {
        await server.stop();
        bench.remove();
    });

    it("holds every kind of thing that its source held, and its source's schema", async () => {
        const before = await contentsOf(source);
        const copy = await copied(source, bench);
        await using scratch = await started(copy.directory, { to: "copy" });
        assert.equal(scratch.position, copy.facts.position);
        await scratch.check(never);
        const after = await contentsOf(scratch.address);
        assert.deepEqual(after.relations, before.relations);
        assert.equal(after.schema, before.schema);
        assert.match(before.schema!, /^[0-9a-f]{64}$/);
        assert.deepEqual(names(before, "latin"), ["public.umlauts"]);
        const found = new Map(before.relations.map((one) => [one.name, one]));
        assert.equal(found.get("public.plain")?.rows, 503);
        assert.equal(found.get("public.parted"), undefined);
        assert.equal(found.get("public.parted_high")?.rows, 10);
        assert.equal(found.get("public.parent")?.rows, 1);
        assert.equal(found.get("public.nothing")?.rows, 1);
        assert.equal(found.get("public.unseen")?.checksum, "not populated");
        assert.equal(found.get("large objects")?.rows, 1);
        assert.equal(found.get("public.guarded")?.rows, 2);
        assert.deepEqual(
            before.unprotected.map(({ name }) => name),
            ["orders: public.away", "orders: public.fleeting"],
        );
    });

    it("shows a changed value of any kind", async () => {
        const changes: [string, string][] = [
            ["public.plain", "UPDATE plain SET value = '0' WHERE id = 1001"],
            ["public.plain", "UPDATE plain SET lifeboat = 1.000 WHERE id = 1002"],
            ["public.plain", "UPDATE plain SET t = NULL WHERE id = 1001"],
            ["public.plain", "UPDATE plain SET held = '\\xfffe01' WHERE id = 1002"],
            ["public.plain", "UPDATE plain SET value = 0.33333333333333337 WHERE id = 1"],
            ["public.lifeboat", "UPDATE lifeboat SET lifeboat = 3"],
            ["public.kinds", `UPDATE kinds SET j = '{"a":2, "b": 1}'`],
            ["public.kinds", "UPDATE kinds SET tz = tz + interval '1 us'"],
            ["public.counted", "SELECT setval('counted', -999)"],
            ["public.fresh", "SELECT setval('fresh', 41, true)"],
            ["large objects", "SELECT lo_put(4711, 1, '\\x01')"],
            ["large objects", "ALTER LARGE OBJECT 4711 OWNER TO postgres"],
            ["public.viewed", "REFRESH MATERIALIZED VIEW viewed"],
        ];
        const client = await open(source, "orders");
        try {
            await client.query("ALTER EVENT TRIGGER refusing DISABLE");
            await client.query("DELETE FROM plain WHERE id = 7");
            for (const [name, statement] of changes) {
                const checksum = async () => {
                    const found = await physical.contents(source, never, { database: "orders" });
                    return found!.relations.find((one) => one.name === name)!.checksum;
                };
                const before = await checksum();
                await client.query(statement);
                assert.notEqual(await checksum(), before, statement);
            }
        } finally {
            await client.query("ALTER EVENT TRIGGER refusing ENABLE ALWAYS");
            await client.end();
        }
    });

    it("is a server of its own once it was stopped, with the settings that it was copied with", async () => {
        await run(
            source,
            "postgres",
            "ALTER SYSTEM SET ssl_cert_file TO '/nowhere/cert.pem'",
            "ALTER SYSTEM SET shared_preload_libraries TO 'not_here'",
        );
        await run(source, "postgres", "ALTER SYSTEM SET archive_command TO 'false'", "ALTER SYSTEM SET log_directory TO '/nowhere/at/all'");
        const copy = await copied(source, bench);
        const file = (name: string) => join(copy.directory, name);
        const kept = ["postgresql.conf", "postgresql.auto.conf", "pg_hba.conf", "pg_ident.conf"];
        const before = kept.map((name) => readFileSync(file(name), "utf8"));
        writeFileSync(file("standby.signal"), "");
        const scratch = await started(copy.directory, { to: "copy" });
        assert.deepEqual(await run(scratch.address, "postgres", "SELECT pg_is_in_recovery() AS recovering"), [{ recovering: false }]);
        await scratch.stop();
        assert.deepEqual(
            kept.map((name) => readFileSync(file(name), "utf8")),
            before,
        );
        for (const name of ["recovery.signal", "standby.signal", "postmaster.pid", "backup_label"])
            assert.equal(existsSync(file(name)), false, name);
        assert.deepEqual(
            readdirSync(copy.directory).filter((name) => name.includes("lifeboat")),
            [],
        );
        await run(source, "postgres", "ALTER SYSTEM RESET ALL");
        appendFileSync(file("postgresql.auto.conf"), "shared_preload_libraries = ''\n");
        const restored = await startPostgres({ restored: { data: copy.directory, rootPassword: server.rootPassword } });
        try {
            const rows = await run(
                superuser(restored),
                "orders",
                "SELECT count(*)::int AS n FROM public.plain",
                "SELECT pg_walfile_name(pg_current_wal_lsn()) AS file",
            );
            assert.match(String(rows[0]!.file), /^00000002/);
        } finally {
            await restored.stop();
        }
    });

    it("is refused where one bit of it was flipped", async () => {
        const copy = await copied(source, bench);
        const [row] = await run(source, "orders", "SELECT pg_relation_filepath('public.plain') AS path");
        const path = join(copy.directory, String(row!.path));
        const bytes = readFileSync(path);
        bytes[5000]! ^= 1;
        writeFileSync(path, bytes);
        await assert.rejects(started(copy.directory, { to: "copy" }), /checksum mismatch for file/);
    });

    it("is refused where the server keeps data outside its data directory", async () => {
        await run(source, "postgres", `SET allow_in_place_tablespaces TO on`, `CREATE TABLESPACE outside LOCATION ''`).catch(
            () => undefined,
        );
        const { rows } = await (async () => {
            const client = await open(source);
            try {
                return await client.query("SELECT FROM pg_tablespace WHERE spcname = 'outside'");
            } finally {
                await client.end();
            }
        })();
        assert.equal(rows.length, 1);
        await assert.rejects(physical.copy({ server: source, data: undefined, scratch: bench.room() }, never), /tablespace outside/);
        await run(source, "postgres", "DROP TABLESPACE outside");
    });
});
