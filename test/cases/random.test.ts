import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { kindOf } from "../../stores/registry.ts";
import { Bench, copied, never, started, superuser } from "../stores/support/copied.ts";
import { mariadb, postgres, type Dialect } from "./dialect.ts";
import { mariadbSchema, postgresSchema } from "./random.ts";

/** Of each engine; a copy and two starts each. */
const runs = process.env["LIFEBOAT_LONG"] ? 40 : 3;

for (const [dialect, schemas] of [
    [mariadb, mariadbSchema],
    [postgres, postgresSchema],
] as const)
    describe(`a ${dialect.engine} server with whatever schema and values`, function () {
        this.timeout(runs * 60_000);

        it("comes back from its copy the same: every row, object, account and sum", async () => {
            await fc.assert(
                fc.asyncProperty(schemas, (statements) => roundTrip(dialect, statements)),
                { numRuns: runs, endOnFailure: true },
            );
        });
    });

async function roundTrip(dialect: Dialect, statements: string): Promise<void> {
    const { operations, server } = kindOf(dialect);
    const bench = new Bench();
    const source = await dialect.start();
    try {
        await dialect.makeDatabase(source, "shop");
        await dialect.run(source, "shop", "admin", statements);
        const socketDirectory = dialect.engine === "mariadb" ? dirname(source.socket) : source.socket;
        const root = superuser(source, server.superuser, socketDirectory, dialect.maintenance);
        const held = await operations.physical.contents(root, never);
        const { directory } = await copied(operations.physical, root, join(source.directory, "data"), bench);
        const scratch = await started(operations.physical, directory, { to: "copy" });
        try {
            await scratch.check(never);
            const found = await operations.physical.contents(scratch.address, never);
            assert.deepEqual(found?.relations, held?.relations);
            assert.equal(found?.schema, held?.schema);
        } finally {
            await scratch.stop();
        }
        const restored = await dialect.startFrom({ data: directory, rootPassword: source.rootPassword });
        try {
            assert.equal(await dialect.dump(restored, "shop"), await dialect.dump(source, "shop"));
            assert.equal(await dialect.accounts(restored), await dialect.accounts(source));
        } finally {
            await restored.stop();
        }
    } finally {
        await source.stop();
        bench.remove();
    }
}
