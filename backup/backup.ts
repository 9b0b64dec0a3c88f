import { performance } from "node:perf_hooks";
import type { Store } from "../model/estate.ts";
import { Failure } from "../model/failure.ts";
import type { Manifest } from "../model/manifest.ts";
import { checkClock } from "./clock.ts";
import { encrypting } from "./envelope.ts";
import { findOrphans, type Orphans } from "./orphans.ts";
import { partBytes, send } from "./pipeline.ts";
import { newPoint } from "./point.ts";
import type { ServerAddress } from "../stores/adapter.ts";
import { kindOf } from "../stores/registry.ts";
import { createRecord, dataKey, manifestKey, vaultOf, type Standpoint } from "./vault.ts";

export interface BackupReport {
    manifest: Manifest;
    orphans: Orphans;
    seconds: number;
}

/** The declared store of that name. @throws Failure("usage") */
export function storeOf({ estate }: Standpoint, name: string): Store {
    const store = estate.stores[name];
    if (store) return store;
    throw new Failure("usage", `"${name}" is not a store of this estate`, `name one of ${Object.keys(estate.stores).join(", ")}`);
}

/**
 * Takes one backup of a store into the vault of its own site. It becomes a recovery point when the verifier has read it back.
 * Needs of AWS what the writer may: put, abort its own uploads, list; encrypt under the store's envelope key.
 * @throws Failure("no") when the dump fails, is cut off or is not done within the store's limit: nothing that looks like a backup is left
 */
export async function backup(
    standpoint: Standpoint,
    name: string,
    server: ServerAddress,
    options: { signal: AbortSignal; note: (line: string) => void },
): Promise<BackupReport> {
    const store = storeOf(standpoint, name);
    const { names, clients, bucket, region } = vaultOf(standpoint);
    const adapter = kindOf(store).operations.logical;
    const began = performance.now();

    const orphans = await findOrphans(clients.s3, bucket, name, store.backup.limit, new Date());
    checkClock(clients.s3);
    for (const key of orphans.aborted) options.note(`aborted the upload that a killed run left at ${key}`);
    for (const point of orphans.withoutManifest) options.note(`${point} has data and no manifest: a killed run left it`);

    const deadline = AbortSignal.timeout(store.backup.limit * 1000);
    const signal = AbortSignal.any([options.signal, deadline]);
    const facts = await adapter.describe(server);
    const startedAt = new Date();
    const point = newPoint(startedAt);
    const keyAlias = names.envelopeKeyAlias(name);
    const key = dataKey(name, point);
    options.note(
        `${name}: dumping ${server.database} at ${server.socketDirectory ?? server.host} (${facts.version}) to s3://${bucket}/${key}`,
    );
    const sent = await send({
        dump: adapter.dump(server, facts, signal),
        isWhole: adapter.isWhole,
        envelope: encrypting(clients.kms, `arn:aws:kms:${region}:${standpoint.account}:${keyAlias}`, { store: name, point }),
        s3: clients.s3,
        bucket,
        key,
        partBytes: partBytes(store.expected.data),
        signal,
    }).catch((error: unknown) => {
        if (options.signal.aborted) throw options.signal.reason;
        if (deadline.aborted)
            throw new Failure(
                "no",
                `the backup of ${name} was not done after ${store.backup.limit} s and was stopped`,
                "see what the database is busy with; raise backup.limit of the store in stacks/estate.ts if the data has grown",
            );
        throw new Failure("no", `the backup of ${name} failed; nothing of it is kept`, "correct the cause and run it again", {
            cause: error,
        });
    });

    const position = adapter.positionIn(sent) ?? facts.position;
    const manifest: Manifest = {
        version: 1,
        store: name,
        engine: store.engine,
        point,
        site: standpoint.site,
        startedAt: startedAt.toISOString(),
        finishedAt: new Date().toISOString(),
        key,
        compression: "zstd",
        encryption: { scheme: "aws-encryption-sdk", keyAlias },
        stored: sent.stored,
        dump: sent.dump,
        server: { version: facts.version, ...(position === undefined ? {} : { position }) },
    };
    // Last, and only where none is: a backup without a manifest does not exist.
    if (!(await createRecord(clients.s3, bucket, manifestKey(name, point), manifest)))
        throw new Failure(
            "no",
            `there is a manifest at ${manifestKey(name, point)} already`,
            "run the backup again: it draws another name",
        );
    return { manifest, orphans, seconds: (performance.now() - began) / 1000 };
}
