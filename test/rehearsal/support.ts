import { engineHere } from "../../sandbox/engines.ts";
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { names } from "../../model/names.ts";
import { passwordDirectory } from "../../model/servers.ts";
import type { SiteName } from "../../model/estate.ts";
import { sandboxAccount } from "../../sandbox/addresses.ts";
import type { Evidence } from "../../sandbox/rehearsal/evidence.ts";
import { inside } from "../../sandbox/rehearsal/harness.ts";
import { operate } from "../../sandbox/rehearsal/provision.ts";
import { rehearse, type RehearsalOptions } from "../../sandbox/rehearsal/rehearsal.ts";
import type { Sandbox } from "../../sandbox/sandbox.ts";
import { estate } from "../../stacks/estate.ts";

export const source = fileURLToPath(new URL("../..", import.meta.url));
export const own = names(estate, sandboxAccount);

/** Rehearses the loss of the region five times as fast in a sandbox of its own, and gives the evidence. */
export async function rehearsed(
    name: string,
    seed: number,
    more: Partial<RehearsalOptions> = {},
): Promise<{ evidence: Evidence; path: string; said: string[] }> {
    const said: string[] = [];
    const start = performance.now();
    const note = (line: string) => {
        said.push(line);
        if (process.env["LIFEBOAT_VERBOSE"])
            process.stderr.write(`${((performance.now() - start) / 1000).toFixed(1).padStart(7)}  ${line}\n`);
    };
    const found = await rehearse({
        scenario: "region-loss",
        estate,
        source,
        name: `test-${name}`,
        seed,
        // What is late on a busy machine is multiplied back with the clocks: half of it is enough.
        fast: 5,
        evidenceDirectory: join(source, ".lifeboat", "evidence", "tests"),
        note,
        ...more,
    });
    return { ...found, said };
}

/** Fails unless the stack is what its program says, and the cloud is what the stack says. */
export async function assertNoDrift(sandbox: Sandbox, stack: string): Promise<void> {
    const flags = ["-s", stack, "--expect-no-changes", "--color", "never", "--non-interactive", "--diff"];
    await operate(sandbox, ["pulumi", "refresh", "--preview-only", ...flags], `pulumi refresh of ${stack}`);
    await operate(sandbox, ["pulumi", "preview", ...flags], `pulumi preview of ${stack}`);
}

/** Changes a file of the sandbox's copy of the checkout. Fails when there is nothing to change: a sabotage that does nothing proves nothing. */
export function edit(sandbox: Sandbox, file: string, from: string | RegExp, to: string): void {
    const path = join(sandbox.checkout, file);
    const before = readFileSync(path, "utf8");
    const after = before.replace(from, to);
    assert.notEqual(after, before, `${file} has nothing like ${from}`);
    writeFileSync(path, after);
}

/** Runs SQL in a store's server as its superuser, inside its own pod. */
export function sql(sandbox: Sandbox, site: SiteName, store: string, statements: string): Promise<string> {
    const { database } = estate.stores[store]!;
    const root = `"$(cat ${passwordDirectory(store)}/root)"`;
    const command = {
        mariadb: `MYSQL_PWD=${root} exec mariadb --no-defaults --socket=/run/mysqld/mysqld.sock -u root -N -e "$0" ${database}`,
        postgres: `PGPASSWORD=${root} exec psql -h /var/run/postgresql -U postgres -d ${database} -At -v ON_ERROR_STOP=1 -c "$0"`,
    }[engineHere(estate.stores[store]!)];
    return inside(sandbox, "exec", {
        context: site,
        namespace: own.namespace,
        pod: `${store}-0`,
        container: "server",
        command: ["sh", "-c", command, statements],
    });
}

/** Records of the coordination bucket under a prefix. */
export async function records(sandbox: Sandbox, prefix: string): Promise<Record<string, unknown>> {
    const found = await inside(sandbox, "objects", { region: estate.sites.standby.region, bucket: own.coordinationBucket, prefix });
    return Object.fromEntries(Object.entries(found).map(([key, text]) => [key, JSON.parse(text) as unknown]));
}
