import { basename } from "node:path";
import { z } from "zod";
import type { SiteName } from "../../../model/estate.ts";
import { Failure } from "../../../model/failure.ts";
import { names } from "../../../model/names.ts";
import { bytes, formatDuration, formatSize, seconds } from "../../../model/units.ts";
import { sandboxAccount } from "../../addresses.ts";
import type { Sandbox } from "../../sandbox.ts";
import { inside } from "../harness.ts";
import type { JobResult } from "../inside/jobs.ts";
import { untilProtected } from "../protect.ts";
import { lastDocument } from "../restored.ts";
import { compareOwnData, type Loaded, type OwnDataFound, type Tables } from "./comparison.ts";
import type { Dump } from "./dump.ts";

/** What `lifeboat tables STORE --json` prints, and of what `lifeboat restore STORE --json` prints the part that is the same. */
const tablesDocument = z.looseObject({ tables: z.array(z.looseObject({ name: z.string(), rows: z.int(), checksum: z.string() })) });

const byName = (document: unknown): Tables =>
    Object.fromEntries(tablesDocument.parse(document).tables.map(({ name, rows, checksum }) => [name, { rows, checksum }]));

/** Rows and checksum of every table of a store, asked of the guard beside its server. */
export async function tablesOf(sandbox: Sandbox, site: SiteName, store: string): Promise<Tables> {
    const { namespace } = names(sandbox.estate, sandboxAccount);
    const command = ["lifeboat", "tables", store, "--json"];
    return byName(JSON.parse(await inside(sandbox, "exec", { context: site, namespace, pod: `${store}-0`, container: "guard", command })));
}

/** Tables of the point that a restore job restored; none when it did not. */
export const restoredTables = (job: JobResult | undefined): Tables => (job?.succeeded ? byName(lastDocument(job.log)) : {});

/**
 * Puts a dump into the primary's store, as the application would, over the wire.
 * @throws Failure("no") with the server's words when it refuses the SQL, or when no table came of it
 */
export async function loadDump(sandbox: Sandbox, dump: Dump): Promise<Loaded> {
    const { estate } = sandbox;
    const { store, file } = dump;
    const own = names(estate, sandboxAccount);
    const before = await tablesOf(sandbox, "primary", store);
    const { seconds: loadSeconds, refused } = await inside(sandbox, "load", {
        region: estate.sites.primary.region,
        secret: own.storeSecret(store),
        host: own.siteStoreHost(store, "primary"),
        database: estate.stores[store]!.database,
        dump,
    });
    if (refused !== undefined)
        throw new Failure(
            "no",
            `${file} was not loaded: ${store} refuses it: ${refused}`,
            "mend that line of the SQL (counted without compression), and rehearse again",
        );
    const after = await tablesOf(sandbox, "primary", store);
    const tables = Object.fromEntries(Object.entries(after).filter(([name]) => !Object.hasOwn(before, name)));
    if (Object.keys(tables).length === 0)
        throw new Failure("no", `${file} was loaded, and ${store} has no new table`, "name a dump that makes tables");
    return { store, file: basename(file), bytes: dump.bytes, sha256: dump.sha256, loadSeconds: Number(loadSeconds.toFixed(3)), tables };
}

/** Loads a dump, and waits until the replicas have it too. */
export async function bringOwnData(sandbox: Sandbox, dump: Dump, followMs: number): Promise<Loaded> {
    const loaded = await loadDump(sandbox, dump);
    await untilProtected(sandbox, followMs);
    return loaded;
}

/** After the activation: the loaded tables as the standby has them, and as the store's restored point has them. */
export async function checkOwnData(sandbox: Sandbox, loaded: Loaded, restored: readonly JobResult[]): Promise<OwnDataFound> {
    const job = restored.find(({ cronJob }) => cronJob === `restore-${loaded.store}`);
    try {
        return compareOwnData(loaded, await tablesOf(sandbox, "standby", loaded.store), restoredTables(job));
    } catch (error) {
        // What cannot be read is not there; the other findings of the rehearsal still count.
        const { evidence, reasons } = compareOwnData(loaded, {}, restoredTables(job));
        return { evidence, reasons: [`own data: the standby's tables cannot be read: ${(error as Error).message}`, ...reasons] };
    }
}

/** What loading came to, in words. */
export const tellLoaded = ({ store, tables, bytes: size, loadSeconds }: Loaded): string => {
    const rows = Object.values(tables).reduce((sum, table) => sum + table.rows, 0);
    return `${store} has ${Object.keys(tables).length} more tables with ${rows} rows, ${formatSize(bytes(size))} of SQL in ${formatDuration(seconds(loadSeconds))}; its replica follows`;
};
