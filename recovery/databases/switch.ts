import { existsSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";
import { Failure } from "../../model/failure.ts";
import { kindOf } from "../../stores/registry.ts";
import type { DatabasePlace } from "../../stores/place.ts";
import { writeMarker } from "./marker.ts";
import { readRecord, replaceRecord } from "./volume-record.ts";

/**
 * A restore in place: the restored data directory lies beside the old one on the volume, and takes its name before the server starts the next time. The order is a record on the volume; it is carried out by renames,
 * each of which is done or not done, and removed last. What was there stays, under a name of its own, until a person removes it.
 */
const order = z.strictObject({
    /** Of the restore: letters, digits, - and _. */
    id: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/),
    at: z.iso.datetime(),
});
export type SwitchOrder = z.output<typeof order>;
type Volume = Pick<DatabasePlace, "engine" | "volume">;

const orderFile = (volume: string): string => join(volume, "switch.json");

/** Where a restore is unpacked: beside the data directory, on the same file system, so that a rename moves it. */
export const restoredDirectory = (place: Volume, id: string): string =>
    join(dirname(kindOf(place).dataDirectory(place.volume)), `restored-${id}`);
export const beforeDirectory = (place: Volume, id: string): string =>
    join(dirname(kindOf(place).dataDirectory(place.volume)), `before-${id}`);
/** A file in a restored directory that is written when all the rest is there, and durable. */
const wholeFile = (directory: string): string => join(directory, "lifeboat-whole");

export const markWhole = (directory: string): void => writeFileSync(wholeFile(directory), "whole\n", { flush: true });
export const isWhole = (directory: string): boolean => existsSync(wholeFile(directory));

/**
 * Orders the switch to a restored directory: at the next start of the pod.
 * @throws Failure("refused") where it is not there, or was not unpacked to its end
 */
export function orderSwitch(place: Volume, id: string): void {
    const restored = restoredDirectory(place, id);
    if (!isWhole(restored))
        throw new Failure("refused", `${restored} is no whole restore`, "restore again: what is there was not unpacked to its end");
    replaceRecord(orderFile(place.volume), order, { id, at: new Date().toISOString() });
}

export const readOrder = (volume: string): SwitchOrder | undefined =>
    readRecord(orderFile(volume), order, {
        about: "which restore is to take the place of the data",
        next: "remove the file, and order the switch again",
    });

/**
 * Carries an order out, if there is one, whatever an earlier try did of it.
 * @throws Failure("refused") where what it names is not there, or is a part: nothing was changed then
 */
export function switchData(place: Volume & Pick<DatabasePlace, "site" | "store" | "note">): void {
    const { volume, site, store } = place;
    const asked = readOrder(volume);
    if (!asked) return;
    const { id, at } = asked;
    const data = kindOf(place).dataDirectory(volume);
    const [restored, before] = [restoredDirectory(place, id), beforeDirectory(place, id)];
    if (existsSync(restored)) {
        if (!isWhole(restored))
            throw new Failure(
                "refused",
                `${restored} is no whole restore: the data stays what it was`,
                `remove ${orderFile(volume)}, and restore again`,
            );
        if (existsSync(data)) {
            if (existsSync(before))
                throw new Failure("refused", `${before} is there already: the data stays what it was`, `remove it or ${orderFile(volume)}`);
            renameSync(data, before);
        }
        renameSync(restored, data);
    } else if (!existsSync(before) || !existsSync(data))
        throw new Failure(
            "refused",
            `${restored}, which is to take the place of the data, is not there`,
            `remove ${orderFile(volume)}, and restore again`,
        );
    writeMarker(volume, { seed: "restored", from: site, at });
    rmSync(wholeFile(data), { force: true });
    rmSync(orderFile(volume));
    place.note(`${store}: the restore ${id} took the place of the data; what was there is kept as ${before}`);
}
