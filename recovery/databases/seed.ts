import { existsSync } from "node:fs";
import type { EpochRecord } from "../../model/epoch.ts";
import { otherSite } from "../../model/estate.ts";
import { Failure } from "../../model/failure.ts";
import type { DatabasePlace } from "../../stores/place.ts";
import { readMarker, writeMarker } from "./marker.ts";
import { switchData } from "./switch.ts";
import { kindOf } from "../../stores/registry.ts";

/** What lies on a volume before its server starts. */
export type VolumeState =
    | "empty"
    /** A seed began and did not end. */
    | "half"
    /** Whole: a seed that was finished, or data of its own. */
    | "seeded"
    | "own";

export function volumeState(place: Pick<DatabasePlace, "engine" | "volume">): VolumeState {
    const marker = readMarker(place.volume);
    switch (marker?.seed) {
        case "wanted":
        case "copying":
            return "half";
        case "copied":
        case "done":
            return "seeded";
        case "restored":
            return "own";
        case undefined:
    }
    return existsSync(kindOf(place).firstFile(place.volume)) ? "own" : "empty";
}

export type SeedDecision =
    /** The data is whole, whoever is active: start with it, read-only. */
    | "keep"
    /** This site is where the data begins: the server makes its own. */
    | "origin"
    /** Copy it from the peer; a half copy is wiped first. */
    | "seed";

/** @param siteIsActive undefined where the epoch was not read */
export function decideSeed(state: VolumeState, siteIsActive: boolean | undefined): SeedDecision | "ask the epoch" | "refuse" {
    if (state === "own" || state === "seeded") return "keep";
    if (siteIsActive === undefined) return "ask the epoch";
    if (!siteIsActive) return "seed";
    return state === "half" ? "refuse" : "origin";
}

/**
 * Runs before a store's server, at every start of its pod. First a restore that was ordered takes the place of the data (switch.ts). An empty volume in a passive site becomes a
 * copy of the peer's data. Whole data is left alone.
 * @param epoch reads the epoch record; asked only where something depends on it, so that a server with data starts while the standby region is lost
 * @throws Failure("refused") when this site is active and its copy was never finished
 */
export async function seed(place: DatabasePlace, epoch: () => Promise<EpochRecord>, signal: AbortSignal): Promise<SeedDecision> {
    const { site } = place;
    const { seeding } = kindOf(place).operations;
    switchData(place);
    seeding.prepare(place);
    const state = volumeState(place);
    let decision = decideSeed(state, undefined);
    if (decision === "ask the epoch") decision = decideSeed(state, (await epoch()).active === site);
    switch (decision) {
        case "refuse":
        case "ask the epoch":
            throw new Failure(
                "refused",
                `${site} is active, but its copy of ${place.store} was never finished: starting it would serve a part of the data`,
                "restore a recovery point into an empty volume, or make the other site active",
            );
        case "origin":
            place.note(`${place.store}: ${site} is active and its volume is empty: the server makes its own data`);
            return decision;
        case "keep":
            seeding.keep(place, state === "seeded");
            place.note(`${place.store}: the volume holds data (${state}); it starts read-only`);
            return decision;
        case "seed": {
            const marker = { from: otherSite(site), at: new Date().toISOString() } as const;
            writeMarker(place.volume, { ...marker, seed: "copying" });
            const { position } = await seeding.copy(place, signal);
            const at = new Date().toISOString();
            writeMarker(
                place.volume,
                position === undefined ? { ...marker, seed: "done", at } : { ...marker, seed: "copied", position, at },
            );
            return decision;
        }
    }
}
