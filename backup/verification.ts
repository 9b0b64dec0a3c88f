import { Catalog } from "./catalog.ts";
import { storeOf } from "./backup.ts";
import { examine, type ExamineOptions, type Finding } from "./examination.ts";
import { listPoints, vaultOf, type Standpoint } from "./vault.ts";

export type { Finding } from "./examination.ts";

export interface VerifyOptions extends ExamineOptions {
    readonly note: (line: string) => void;
}

/** What is said of a finding, in words. */
function tell(finding: Finding): string {
    switch (finding.outcome) {
        case "verified": {
            const { manifest, verified } = finding.record;
            const how = verified.started ? "a server was started from it" : "its bytes were read back";
            const compared = verified.notCompared === undefined ? "" : `; contents not compared: ${verified.notCompared}`;
            return `verified: ${how}, ${manifest.stored.bytes} bytes in ${verified.seconds.toFixed(1)} s${compared}`;
        }
        case "rejected":
            return `REJECTED: ${finding.reason}`;
        case "waiting":
            return `its ${finding.for} is not replicated yet${finding.late ? ", and is late" : ""}`;
        case "unchecked":
            return `not checked: ${finding.reason}`;
    }
}

/**
 * Examines every backup in the vault of this site that the catalog does not know yet, newest first, and enters what it finds. A recovery point exists only once
 * it is in the catalog, and nobody else writes there. Two verifiers at once do no harm: a record is written once.
 */
export async function verify(standpoint: Standpoint, store: string, options: VerifyOptions): Promise<Finding[]> {
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
        const finding = await examine(standpoint, store, point, options);
        findings.push(finding);
        if (finding.outcome === "verified") await catalog.enter(finding.record);
        if (finding.outcome === "rejected") await catalog.reject({ store, point, at: new Date().toISOString(), reason: finding.reason });
        options.note(`${store} ${point}: ${tell(finding)}`);
    }
    return findings;
}
