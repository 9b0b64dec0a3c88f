import { performance } from "node:perf_hooks";
import { Failure } from "../model/failure.ts";
import type { RecoveryPoint } from "../model/manifest.ts";
import { storeOf } from "./backup.ts";
import { Catalog } from "./catalog.ts";
import { receive } from "./pipeline.ts";
import type { ServerAddress, TableSummary } from "../stores/adapter.ts";
import { kindOf } from "../stores/registry.ts";
import { sizeOf, vaultOf, type Standpoint } from "./vault.ts";

export interface RestoreReport {
    store: string;
    point: string;
    /** Where it went, without the password. */
    target: string;
    tables: TableSummary[];
    /** From the choice of the point until it stood in the target's place. */
    seconds: number;
    /** Of the dump. */
    bytes: number;
    /** Database that holds what was in the target before. */
    kept?: string;
}

export interface RestoreOptions {
    /** The newest point that is not after this. Default: the newest. */
    at?: Date;
    /** Take the place of a target that holds tables; they are kept beside it. Default false. */
    replace?: boolean;
    signal: AbortSignal;
    note: (line: string) => void;
}

async function choose(standpoint: Standpoint, store: string, at: Date | undefined): Promise<RecoveryPoint> {
    const record = await new Catalog(standpoint).newest(store, at);
    if (!record)
        throw new Failure(
            "no",
            `there is no verified recovery point of ${store}${at ? ` from before ${at.toISOString()}` : ""}`,
            `see \`lifeboat backups ${store}\`; \`lifeboat verify ${store}\` checks what has arrived`,
        );
    return record;
}

/**
 * Restores a recovery point from this site's vault into the target database. It is streamed into a scratch database on the target's server; when
 * every byte was what the manifest says, the loader ended well and each table was read back, the scratch takes the target's place.
 * After any failure the target is as it was, and the scratch is gone.
 * @throws Failure("refused") when the target holds tables and `replace` is not set; Failure("no") when the point does not restore
 */
export async function restore(
    standpoint: Standpoint,
    store: string,
    target: ServerAddress,
    options: RestoreOptions,
): Promise<RestoreReport> {
    const began = performance.now();
    const { clients, bucket } = vaultOf(standpoint);
    const kind = kindOf(storeOf(standpoint, store));
    const adapter = kind.operations.logical;
    const { manifest } = await choose(standpoint, store, options.at);
    const { point, stored, dump } = manifest;
    const size = await sizeOf(clients.s3, bucket, manifest.key);
    if (size !== stored.bytes)
        throw new Failure(
            "no",
            `${store} ${point} has ${size ?? "no"} bytes at s3://${bucket}/${manifest.key}; its manifest says ${stored.bytes}`,
            "choose an earlier point with --at",
        );
    options.note(`${store}: restoring ${point} (${dump.bytes} bytes of ${manifest.server.version}) into ${target.database}`);
    const label = point.toLowerCase().replace("-", "_");
    const scratch = await adapter.scratch(target, label, options.replace ?? false);
    try {
        const loader = scratch.load(options.signal);
        loader.stdout.resume();
        const received = await receive({
            s3: clients.s3,
            kms: clients.kms,
            account: standpoint.account,
            bucket,
            store,
            point,
            bytes: stored.bytes,
            sink: loader.stdin,
            signal: options.signal,
        }).catch(async (error: unknown) => {
            // A loader that stops at an error breaks the pipe: its own words are the cause.
            const broken =
                (error as { code?: string }).code === "EPIPE" || (error as { code?: string }).code === "ERR_STREAM_PREMATURE_CLOSE";
            if (broken) await loader.ended;
            loader.kill();
            throw error;
        });
        await loader.ended;
        if (received.stored.sha256 !== stored.sha256 || received.dump.sha256 !== dump.sha256 || !adapter.isWhole(received.tail))
            throw new Error("what was read is not what the manifest describes");
        const tables = await scratch.check();
        options.note(`${store}: ${tables.length} tables read back; taking the place of ${target.database}`);
        const { kept } = await scratch.takePlace();
        return {
            store,
            point,
            target: `${kind.schemes[0]}://${target.user}@${target.socketDirectory ?? `${target.host}:${target.port}`}/${target.database}`,
            tables,
            seconds: (performance.now() - began) / 1000,
            bytes: dump.bytes,
            ...(kept === undefined ? {} : { kept }),
        };
    } catch (error) {
        if (options.signal.aborted) throw options.signal.reason;
        if (error instanceof Failure) throw error;
        throw new Failure(
            "no",
            `${store} ${point} was not restored; ${target.database} is as it was`,
            `correct the cause, or choose an earlier point: lifeboat restore ${store} --at ${manifest.startedAt}`,
            { cause: error },
        );
    } finally {
        await scratch.discard();
    }
}
