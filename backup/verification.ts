import { Writable } from "node:stream";
import { performance } from "node:perf_hooks";
import type { Manifest, RecoveryPoint } from "../model/manifest.ts";
import { storeOf } from "./backup.ts";
import { Catalog } from "./catalog.ts";
import { isOutage } from "./outage.ts";
import { receive } from "./pipeline.ts";
import { timeOf } from "./point.ts";
import { kindOf } from "../stores/registry.ts";
import { dataKey, listPoints, manifestKey, parseManifest, readText, sizeOf, vaultOf, type Standpoint } from "./vault.ts";

/** What the verifier found of one backup. */
export type Finding =
    | { outcome: "verified"; point: string; record: RecoveryPoint }
    /** It is bad, and stays so. */
    | { outcome: "rejected"; point: string; reason: string }
    /** Its manifest arrived before its data, as replication may: asked again next time. */
    | { outcome: "waiting"; point: string; late: boolean }
    /** The region or the key did not answer: says nothing about the data. Asked again next time. */
    | { outcome: "unchecked"; point: string; reason: string };

const nowhere = () => new Writable({ write: (_chunk, _encoding, done) => done() });

async function readBack(standpoint: Standpoint, manifest: Manifest, signal: AbortSignal): Promise<void> {
    const { clients, bucket } = vaultOf(standpoint);
    const { store, point, stored, dump } = manifest;
    const read = await receive({
        s3: clients.s3,
        kms: clients.kms,
        account: standpoint.account,
        bucket,
        store,
        point,
        bytes: stored.bytes,
        sink: nowhere(),
        signal,
    });
    if (read.stored.sha256 !== stored.sha256)
        throw new Error("the stored bytes are not those that the manifest describes (SHA-256 differs)");
    if (read.dump.bytes !== dump.bytes || read.dump.sha256 !== dump.sha256)
        throw new Error("the dump is not the one that the manifest describes (size or SHA-256 differs)");
    if (!kindOf(manifest).operations.logical.isWhole(read.tail)) throw new Error("the dump lacks its end marker");
}

async function examine(standpoint: Standpoint, store: string, point: string, signal: AbortSignal): Promise<Finding> {
    const { clients, bucket } = vaultOf(standpoint);
    const began = performance.now();
    try {
        const text = await readText(clients.s3, bucket, manifestKey(store, point));
        if (text === undefined) return { outcome: "unchecked", point, reason: "its manifest was listed and is gone" };
        const manifest = parseManifest(text, store, point);
        const size = await sizeOf(clients.s3, bucket, dataKey(store, point));
        if (size === undefined) {
            const age = Date.now() - timeOf(point).getTime();
            return { outcome: "waiting", point, late: age > storeOf(standpoint, store).objective.rpo * 1000 };
        }
        if (size !== manifest.stored.bytes)
            return { outcome: "rejected", point, reason: `the data has ${size} bytes, the manifest says ${manifest.stored.bytes}` };
        await readBack(standpoint, manifest, signal);
        const verified = { at: new Date().toISOString(), site: standpoint.site, seconds: (performance.now() - began) / 1000 };
        // What was written in the other site and read here lies in both.
        return { outcome: "verified", point, record: { manifest, verified, copies: manifest.site === standpoint.site ? 1 : 2 } };
    } catch (error) {
        if (signal.aborted) throw signal.reason;
        const reason = error instanceof Error ? error.message : String(error);
        return { outcome: isOutage(error) ? "unchecked" : "rejected", point, reason };
    }
}

/**
 * Reads back every backup in the vault of this site that the catalog does not know yet, newest first, and enters what it finds. A recovery point
 * exists only once it is in the catalog, and nobody else writes there.
 */
export async function verify(
    standpoint: Standpoint,
    store: string,
    options: { signal: AbortSignal; note: (line: string) => void },
): Promise<Finding[]> {
    storeOf(standpoint, store);
    const { clients, bucket } = vaultOf(standpoint);
    const catalog = new Catalog(standpoint);
    const [points, known] = await Promise.all([listPoints(clients.s3, bucket, store), catalog.index(store)]);
    const open = [...points]
        .filter(
            ([point, { manifest }]) => manifest && !known.verified.has(point) && !known.rejected.has(point) && !known.expired.has(point),
        )
        .map(([point]) => point)
        .sort()
        .reverse();
    const findings: Finding[] = [];
    for (const point of open) {
        const finding = await examine(standpoint, store, point, options.signal);
        findings.push(finding);
        switch (finding.outcome) {
            case "verified":
                await catalog.enter(finding.record);
                options.note(
                    `${store} ${point}: verified, ${finding.record.manifest.stored.bytes} bytes in ${finding.record.verified.seconds.toFixed(1)} s`,
                );
                break;
            case "rejected":
                await catalog.reject({ store, point, at: new Date().toISOString(), reason: finding.reason });
                options.note(`${store} ${point}: REJECTED: ${finding.reason}`);
                break;
            case "waiting":
                options.note(`${store} ${point}: its data is not replicated yet${finding.late ? ", and is late" : ""}`);
                break;
            case "unchecked":
                options.note(`${store} ${point}: not checked: ${finding.reason}`);
                break;
            default:
                finding satisfies never;
        }
    }
    return findings;
}
