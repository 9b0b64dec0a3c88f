import type { ServerRole } from "../../model/lease.ts";
import type { Unprotected } from "../../stores/physical.ts";
import type { GuardedServer } from "../../stores/place.ts";
import type { Marker } from "./marker.ts";

/** Asked anew after so many ms: it looks at every table. */
const unprotectedFor = 60_000;

/** What the server's replica does not carry, as it was asked within the last minute; where it could not be asked, that is said. */
export function unprotectedOf(server: Pick<GuardedServer, "unprotected">, store: string): () => Promise<Unprotected[]> {
    let listed: { at: number; found: Promise<Unprotected[]> } | undefined;
    return () => {
        if (listed && performance.now() - listed.at < unprotectedFor) return listed.found;
        const found = server
            .unprotected()
            .catch((error: unknown) => [
                { name: store, why: `was not asked what its replica does not carry: ${(error as Error).message}` },
            ]);
        listed = { at: performance.now(), found };
        return found;
    };
}

/** Until the peer was seeded anew, which nobody tells this volume: as long as it says `restored`, a person is to know. */
export function restoredProblem(marker: Marker | undefined, role: ServerRole, store: string): string | undefined {
    if (marker?.seed !== "restored" || role === "replica") return undefined;
    const next = `have that copied anew (lifeboat guard ${store} --rejoin in its pod, then replace the pod)`;
    return `it was restored at ${marker.at}, and a replica that had followed it before does not have this history: ${next}`;
}
