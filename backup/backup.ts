import { performance } from "node:perf_hooks";
import { Readable } from "node:stream";
import type { Store } from "../model/estate.ts";
import { Failure } from "../model/failure.ts";
import type { Manifest } from "../model/manifest.ts";
import { checkClock } from "./clock.ts";
import { contentsContext } from "./contents.ts";
import { encrypting, type EnvelopeContext } from "./envelope.ts";
import { findOrphans, type Orphans } from "./orphans.ts";
import { asProgram, partBytes, send, type Sent } from "./pipeline.ts";
import { newPoint } from "./point.ts";
import { summed } from "./sum.ts";
import type { Contents, CopyFacts, CopySource } from "../stores/physical.ts";
import type { Program } from "../stores/program.ts";
import { kindOf } from "../stores/registry.ts";
import { contentsKey, createRecord, dataKey, manifestKey, vaultOf, type Standpoint } from "./vault.ts";

export interface BackupReport {
    manifest: Manifest;
    orphans: Orphans;
    seconds: number;
}

export interface BackupOptions {
    signal: AbortSignal;
    note: (line: string) => void;
    /** The history that this server's log is being shipped to. Absent where nobody ships it: then the copy's own moment is all that the point can give. */
    log?: { readonly history: string };
    /** Called when the contents have been read: the shipper is asked here to seal what it has, so that the verifier soon has the log up to there. */
    afterContents?: () => Promise<void>;
}

/** The declared store of that name. @throws Failure("usage") */
export function storeOf({ estate }: Standpoint, name: string): Store {
    const store = estate.stores[name];
    if (store) return store;
    throw new Failure("usage", `"${name}" is not a store of this estate`, `name one of ${Object.keys(estate.stores).join(", ")}`);
}

interface Counted {
    readonly contents: Contents | undefined;
    /** Why there are none. */
    readonly why?: string;
}

/**
 * Takes a copy of a store's whole server into the vault of this site. It becomes a recovery point when the verifier has started a server from it.
 * Needs of AWS what the writer may: put, abort its own uploads, list; encrypt under the store's envelope key.
 * @throws Failure("no") when the copy fails, is cut off or is not done within the store's limit: nothing that looks like a backup is left
 */
export async function backup(standpoint: Standpoint, name: string, source: CopySource, options: BackupOptions): Promise<BackupReport> {
    const store = storeOf(standpoint, name);
    const { names, clients, bucket, region } = vaultOf(standpoint);
    const { physical } = kindOf(store).operations;
    const began = performance.now();

    const orphans = await findOrphans(clients.s3, bucket, name, store.backup.limit, new Date());
    checkClock(clients.s3);
    for (const key of orphans.aborted) options.note(`aborted the upload that a killed run left at ${key}`);
    for (const point of orphans.withoutManifest) options.note(`${point} has data and no manifest: a killed run left it`);

    const deadline = AbortSignal.timeout(store.backup.limit * 1000);
    const signal = AbortSignal.any([options.signal, deadline]);
    const startedAt = new Date();
    const point = newPoint(startedAt);
    const keyAlias = names.envelopeKeyAlias(name);
    const put = (program: Program, whole: () => Promise<void>, key: string, context: EnvelopeContext, bytes: number): Promise<Sent> =>
        send({
            ...{ source: program, whole, s3: clients.s3, bucket, key, partBytes: partBytes(bytes), signal },
            envelope: encrypting(clients.kms, `arn:aws:kms:${region}:${standpoint.account}:${keyAlias}`, context),
        });

    const make = async (): Promise<Manifest> => {
        const copy = await physical.copy(source, signal);
        options.note(
            `${name}: copying the server at ${source.server.socketDirectory ?? source.server.host} to s3://${bucket}/${dataKey(name, point)}`,
        );
        let facts: CopyFacts | undefined;
        const whole = async () => {
            facts = await copy.facts();
        };
        const sent = await put(copy.program, whole, dataKey(name, point), { store: name, point }, store.expected.data);
        const copiedAt = new Date();
        const { contents, why } = await count(store, source, facts!, signal);
        if (why !== undefined) options.note(`${name} ${point}: its contents will not be compared: ${why}`);
        await options.afterContents?.();
        const counted =
            contents &&
            (await put(
                asProgram("the count", Readable.from([Buffer.from(JSON.stringify(contents))])),
                () => Promise.resolve(),
                contentsKey(name, point),
                contentsContext(name, point),
                0,
            ));
        return {
            ...{ version: 2, store: name, engine: store.engine, point, site: standpoint.site },
            ...{ startedAt: startedAt.toISOString(), copiedAt: copiedAt.toISOString(), finishedAt: new Date().toISOString() },
            ...{ key: dataKey(name, point), compression: "zstd", encryption: { scheme: "aws-encryption-sdk", keyAlias } },
            stored: sent.stored,
            dump: sent.dump,
            server: { version: facts!.version, position: facts!.position },
            ...(options.log && facts!.log ? { log: { history: options.log.history, ...facts!.log } } : {}),
            ...(counted ? { contents: { key: contentsKey(name, point), ...counted.stored, position: contents!.position } } : {}),
            ...(why === undefined ? {} : { withoutContents: why }),
            unprotected: [...(contents?.unprotected ?? [])],
        };
    };
    const manifest = await make().catch((error: unknown) => {
        if (options.signal.aborted) throw options.signal.reason;
        if (deadline.aborted)
            throw new Failure(
                "no",
                `the backup of ${name} was not done after ${store.backup.limit} s and was stopped`,
                "see what the database is busy with; raise backup.limit of the store in stacks/estate.ts if the data has grown",
            );
        if (error instanceof Failure) throw error;
        throw new Failure("no", `the backup of ${name} failed; nothing of it is kept`, "correct the cause and run it again", {
            cause: error,
        });
    });
    // Last, and only where none is: a backup without a manifest does not exist.
    if (!(await createRecord(clients.s3, bucket, manifestKey(name, point), summed(manifest))))
        throw new Failure(
            "no",
            `there is a manifest at ${manifestKey(name, point)} already`,
            "run the backup again: it draws another name",
        );
    return { manifest, orphans, seconds: (performance.now() - began) / 1000 };
}

/** A server whose rows cannot be counted is copied all the same: a copy that was not compared is worth more than none. */
async function count(store: Store, source: CopySource, facts: CopyFacts, signal: AbortSignal): Promise<Counted> {
    const kind = kindOf(store);
    try {
        const contents = await kind.operations.physical.contents(source.server, signal);
        if (!contents)
            return { contents, why: "the server was never still, so that its rows could not be counted at a position of its log" };
        if (!kind.covers(contents.position, facts.position))
            return { contents: undefined, why: `they were counted at ${contents.position}, before the copy's ${facts.position}` };
        return { contents };
    } catch (error) {
        signal.throwIfAborted();
        return { contents: undefined, why: `they could not be read: ${error instanceof Error ? error.message : String(error)}` };
    }
}
