import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { siteNames } from "../../model/estate.ts";
import { Failure } from "../../model/failure.ts";

/** What is known of a volume's data, kept on the volume itself: it goes where the data goes. */
const marker = z.strictObject({
    /**
     * `wanted`: the server shall be seeded while it runs. `copying`: a seed has begun; until it is `done`, what lies there is a part.
     * A volume without a marker holds nothing, or data of its own.
     */
    seed: z.enum(["wanted", "copying", "done"]),
    /** Site that the data comes from. */
    from: z.enum(siteNames),
    at: z.iso.datetime(),
    /** When the server became writable in its own right. */
    promotedAt: z.iso.datetime().optional(),
});
export type Marker = z.output<typeof marker>;

const file = (volume: string) => join(volume, "lifeboat.json");

/** @throws Failure("refused") for a marker that cannot be read: nobody may guess what the data is */
export function readMarker(volume: string): Marker | undefined {
    let text: string;
    try {
        text = readFileSync(file(volume), "utf8");
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
        throw error;
    }
    try {
        return marker.parse(JSON.parse(text));
    } catch (error) {
        throw new Failure(
            "refused",
            `${file(volume)} does not say what the data is: ${(error as Error).message}`,
            "look at the volume; remove the file only if the data is whole and of its own",
            { cause: error },
        );
    }
}

/** Replaces the marker at once: a crash leaves the old one or the new one. */
export function writeMarker(volume: string, content: Marker): void {
    const draft = `${file(volume)}.new`;
    writeFileSync(draft, `${JSON.stringify(marker.parse(content))}\n`, { flush: true });
    renameSync(draft, file(volume));
}
