import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { Failure } from "../model/failure.ts";
import type { Moment } from "../model/moment.ts";
import { kindOf } from "../stores/registry.ts";
import type { TableSummary } from "../stores/adapter.ts";
import { storeOf } from "./backup.ts";
import { recover, recoveryLifetime, type Recovered, type RecoverOptions } from "./recover.ts";
import { scratchDirectory } from "./scratch.ts";
import type { Standpoint } from "./vault.ts";

export interface RestoreReport {
    store: string;
    point: string;
    /** Position that was reached. */
    position: string;
    /** Where it went; absent for a drill, which leaves nothing. */
    target?: string;
    /** Of the store's declared database. */
    tables: TableSummary[];
    /** From the choice of the point until it stood in its place. */
    seconds: number;
    /** Of the copy's stream and the log. */
    bytes: number;
    /** How far before the moment that was asked for it stands, in words. */
    short?: string;
    /** Database that holds what somebody put into the empty target meanwhile. */
    kept?: string;
}

/** What was recovered, as the reports have it. */
export async function reportOf(standpoint: Standpoint, store: string, recovered: Recovered, began: number): Promise<RestoreReport> {
    const declared = storeOf(standpoint, store);
    const { point, server, bytes, short } = recovered;
    const tables = await kindOf(declared).operations.logical.tables({ ...server.address, database: declared.database });
    return {
        ...{ store, point: point.manifest.point, position: server.position, tables, bytes },
        seconds: (performance.now() - began) / 1000,
        ...(short === undefined ? {} : { short }),
    };
}

/** Recovers a store as a restore would, has it checked, says what it holds, and removes it. */
export async function drill(standpoint: Standpoint, store: string, moment: Moment, options: RecoverOptions): Promise<RestoreReport> {
    const began = performance.now();
    await using scratch = await scratchDirectory(options.scratch, recoveryLifetime);
    await using recovered = await recover(standpoint, store, moment, join(scratch.path, "data"), options);
    return await reportOf(standpoint, store, recovered, began);
}

/** Recovers a store into a data directory, from which a server of the same kind and version can start. @throws Failure as `recover` does */
export async function restoreToDirectory(
    standpoint: Standpoint,
    store: string,
    moment: Moment,
    directory: string,
    options: RecoverOptions,
): Promise<RestoreReport> {
    const began = performance.now();
    await using recovered = await recover(standpoint, store, moment, directory, options);
    const report = await reportOf(standpoint, store, recovered, began);
    await recovered.server.stop().catch((error: unknown) => {
        throw new Failure(
            "no",
            `the server on ${directory} did not end in an orderly way`,
            "remove the directory and run the restore again",
            { cause: error },
        );
    });
    return { ...report, target: directory, seconds: (performance.now() - began) / 1000 };
}
