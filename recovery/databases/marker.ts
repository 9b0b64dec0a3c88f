import { join } from "node:path";
import { z } from "zod";
import { siteNames } from "../../model/estate.ts";
import { readRecord, replaceRecord } from "./volume-record.ts";

export const seedStates = ["wanted", "copying", "copied", "done", "restored"] as const;

/** What is known of a volume's data, kept on the volume itself: it goes where the data goes. */
const marker = z.strictObject({
    /**
     * `wanted`: the server shall be a copy of its peer's. `copying`: a seed has begun, and what lies there is a part. `copied`: it is whole, and does not follow the peer yet. `done`: it did.
     * `restored`: a recovery point was put in its place: data of its own again, which its replica does not have. A volume without a marker holds nothing, or data of its own.
     */
    seed: z.enum(seedStates),
    /** Site that the data comes from; its own where it was restored. */
    from: z.enum(siteNames),
    /** What a copy shows that does not follow yet, as its engine has it. */
    position: z.string().optional(),
    at: z.iso.datetime(),
    /** Of a restored one: its history was parted from what was written after its moment. */
    parted: z.literal(true).optional(),
    /** When the server became writable in its own right. */
    promotedAt: z.iso.datetime().optional(),
});
export type Marker = z.output<typeof marker>;

const file = (volume: string) => join(volume, "lifeboat.json");

/** @throws Failure("refused") for a marker that cannot be read: nobody may guess what the data is */
export const readMarker = (volume: string): Marker | undefined =>
    readRecord(file(volume), marker, {
        about: "what the data is",
        next: "look at the volume; remove the file only if the data is whole and of its own",
    });

export const writeMarker = (volume: string, content: Marker): void => replaceRecord(file(volume), marker, content);
