import type { Estate } from "../model/estate.ts";

/** How each store's points are kept in a vault: immutable for so long, and in the cold tier once they have outlived their daily retention. */
export const protections = (estate: Estate) =>
    Object.fromEntries(
        Object.entries(estate.stores).map(([store, { backup }]) => [store, { lock: backup.lock, coldAfter: backup.retention.daily }]),
    );
