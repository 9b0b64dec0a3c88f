import { setTimeout as sleep } from "node:timers/promises";
import type { EpochRecord } from "../../model/epoch.ts";
import { Failure } from "../../model/failure.ts";
import type { DatabasePlace, DatabaseRole, DatabaseStatus, GuardedServer } from "./database.ts";
import { readMarker, writeMarker, type Marker } from "./marker.ts";

/** Between two looks at the epoch, in ms. */
const interval = 2_000;

export type GuardAction = "open" | "close" | "leave";

/** What the epoch demands of a server. A replica in the active site is the activation's to promote: the guard alone never does. */
export function actionFor(siteIsActive: boolean, role: DatabaseRole): GuardAction {
    switch (role) {
        case "replica":
            return "leave";
        case "read-only":
            return siteIsActive ? "open" : "leave";
        case "writable":
            return siteIsActive ? "leave" : "close";
    }
}

export interface GuardTools {
    place: DatabasePlace;
    server: GuardedServer;
    /** Reads the epoch record. @throws when it cannot be read */
    epoch(): Promise<EpochRecord>;
    signal: AbortSignal;
}

const unfinished = (marker: Marker | undefined): boolean => marker?.seed === "wanted" || marker?.seed === "copying";

/**
 * One look, and what follows from it. Where the epoch cannot be read nothing is changed (the lease that will end this comes later).
 * @returns what was done, in words; undefined for nothing
 */
export async function guardOnce({ place, server, epoch, signal }: GuardTools): Promise<string | undefined> {
    const { active, epoch: number } = await epoch();
    const siteIsActive = active === place.standpoint.site;
    const marker = readMarker(place.volume);
    const status = await server.status();
    if (unfinished(marker)) {
        if (siteIsActive)
            throw new Failure(
                "refused",
                `epoch ${number} makes this site active, but its copy of ${place.store} was never finished: it stays closed`,
                `restore a recovery point into it: lifeboat restore ${place.store}`,
            );
        if (!server.seedRunning) return undefined;
        place.note(`${place.store}: seeding from ${place.peer.host}`);
        writeMarker(place.volume, { ...marker!, seed: "copying" });
        await server.seedRunning(signal);
        writeMarker(place.volume, { ...marker!, seed: "done", at: new Date().toISOString() });
        return `seeded from ${place.peer.host}, and follows it`;
    }
    switch (actionFor(siteIsActive, status.role)) {
        case "open":
            await server.open();
            return `writable: epoch ${number} makes ${active} active`;
        case "close":
            await server.close();
            return `read-only: epoch ${number} makes ${active} active`;
        case "leave":
            return undefined;
    }
}

/** Runs until the signal. What is wrong is told once, until it changes. */
export async function guard(tools: GuardTools): Promise<void> {
    const { place, signal } = tools;
    let told = "";
    const tell = (line: string) => {
        if (line !== told) place.note(`${new Date().toISOString()} ${place.store}: ${line}`);
        told = line;
    };
    while (!signal.aborted) {
        try {
            const done = await guardOnce(tools);
            if (done !== undefined) tell(done);
            else if (told.startsWith("nothing is changed")) tell("all is as the epoch says");
        } catch (error) {
            const { message, cause } = error as Error;
            tell(`nothing is changed: ${message}${cause instanceof Error ? ` (${cause.message})` : ""}`);
        }
        await sleep(interval, undefined, { signal }).catch(() => {});
    }
}

/**
 * Promotes the server in place, if the epoch says that this site is active. Repeated, it finds the work done and answers the same.
 * @throws Failure("refused") when the site is not the active one or its copy was never finished, Failure("unavailable") when the epoch or the server does
 * not answer
 */
export async function promote({
    place,
    server,
    epoch,
    signal,
}: GuardTools): Promise<{ store: string; promotedAt: string; position: string }> {
    const { active, epoch: number } = await epoch();
    const { site } = place.standpoint;
    if (active !== site)
        throw new Failure(
            "refused",
            `${place.store} in ${site} may not be promoted: epoch ${number} makes ${active} active`,
            "claim the epoch first: lifeboat activate",
        );
    const marker = readMarker(place.volume);
    if (unfinished(marker))
        throw new Failure(
            "refused",
            `the copy of ${place.store} in ${site} was never finished: promoting it would serve a part of the data`,
            `restore a recovery point into it: lifeboat restore ${place.store}`,
        );
    const { position } = await server.promote(signal);
    const promotedAt = marker?.promotedAt ?? new Date().toISOString();
    if (marker && marker.promotedAt === undefined) writeMarker(place.volume, { ...marker, promotedAt });
    return { store: place.store, promotedAt, position };
}

export async function status({ place, server }: Pick<GuardTools, "place" | "server">): Promise<DatabaseStatus & { store: string }> {
    const found = await server.status();
    const problem = unfinished(readMarker(place.volume)) ? "its seed is not finished" : found.problem;
    return { store: place.store, ...found, ...(problem === undefined ? {} : { problem }) };
}
