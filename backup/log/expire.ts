import type { SiteName } from "../../model/estate.ts";
import { kindOf } from "../../stores/registry.ts";
import { storeOf } from "../backup.ts";
import { Catalog } from "../catalog.ts";
import type { ExpiryPlan, Reason } from "../expiry.ts";
import type { Standpoint } from "../vault.ts";
import { planLogExpiry, type GivenUp, type KeptPoint } from "./expiry.ts";
import { pieceKey } from "./key.ts";
import { listLog, piecesOf } from "./list.ts";

/** Tags an object; false where it was tagged already, or is gone. */
export type Tag = (key: string) => Promise<boolean>;

/** Objects that are tagged at once. */
const taggers = 16;

/** For moments after it, or for its own alone. */
const purpose: Readonly<Record<Reason, "all" | "only" | "none">> = {
    "newest verified": "all",
    recent: "all",
    "newest of its day": "only",
    "not yet verified": "all",
    "kept to be looked into": "none",
};

/** Files of a store's log that no kept point needs, by what lies in this site's vault and what the catalog says of the points. */
export async function logToExpire(standpoint: Standpoint, store: string, keep: ExpiryPlan["keep"], now: Date): Promise<GivenUp[]> {
    const histories = await listLog(standpoint, store);
    if (histories.length === 0) return [];
    const catalog = new Catalog(standpoint);
    const points: KeptPoint[] = [];
    for (const { point, because } of keep) {
        if (purpose[because] === "none") continue;
        if (because === "not yet verified") {
            points.push({ point, only: false });
            continue;
        }
        const { manifest } = await catalog.verified(store, point);
        // A point without a log needs none.
        if (!manifest.log) continue;
        points.push({
            point,
            log: manifest.log,
            position: manifest.contents?.position ?? manifest.server.position,
            only: purpose[because] === "only",
        });
    }
    const declared = storeOf(standpoint, store);
    return planLogExpiry(histories, points, kindOf(declared).covers, declared.backup.retention.all * 1000, now);
}

/** Tags the pieces of files that are given up, in one site's vault. @returns how many were not tagged before */
export async function tagLog(standpoint: Standpoint, site: SiteName, store: string, given: readonly GivenUp[], tag: Tag): Promise<number> {
    let tagged = 0;
    for (const { history, files } of given) {
        const gone = new Set(files);
        const pieces = (await piecesOf({ ...standpoint, site }, store, history)).filter(({ file }) => gone.has(file));
        for (let from = 0; from < pieces.length; from += taggers)
            for (const isNew of await Promise.all(pieces.slice(from, from + taggers).map((piece) => tag(pieceKey(store, piece)))))
                tagged += isNew ? 1 : 0;
    }
    return tagged;
}
