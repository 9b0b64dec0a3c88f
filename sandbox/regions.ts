import { siteNames, type Estate } from "../model/estate.ts";
import type { SandboxStatus } from "./supervisor.ts";

/**
 * What AWS can no longer do between regions when sites are lost or cut off: the settings of the gate (`PUT /refuse`) and of the replicator (`PUT /`).
 *
 * Global control planes stand in one region, and take no writes while any site is lost or out of the outside's reach: the worst case. What had not been copied
 * out of a lost region never will be; between regions that are cut off from each other copies wait.
 */
export function withoutRegions({ sites, cuts }: Pick<SandboxStatus, "sites" | "cuts">, estate: Estate) {
    const isCut = (one: keyof typeof cuts, other: keyof typeof cuts) =>
        (cuts[one]?.includes(other) ?? false) || (cuts[other]?.includes(one) ?? false);
    const lost = siteNames.filter((site) => sites[site].state === "lost");
    const regions = lost.map((site) => estate.sites[site].region);
    return {
        gate: { globalWrites: lost.length > 0 || siteNames.some((site) => isCut(site, "outside")), regions },
        replicator: { regions: isCut("primary", "standby") ? [estate.sites.primary.region] : regions },
    };
}
