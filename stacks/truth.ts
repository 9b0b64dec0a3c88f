import type { SiteName } from "../model/estate.ts";
import { epochRecord } from "../model/epoch.ts";
import { Failure } from "../model/failure.ts";
import { coordination } from "../model/names.ts";
import type { AssumedEpoch } from "./inputs.ts";

/** Reads an object of the coordination bucket; undefined where there is none. @throws Failure where the bucket does not answer. */
export type ReadRecord = (key: string) => Promise<string | undefined>;

export interface Question {
    site: SiteName;
    read: ReadRecord;
    assumed?: AssumedEpoch | undefined;
    dryRun: boolean;
}

/**
 * Whether a site is active. The epoch record says so, and nothing else; a preview may suppose another one.
 * @throws Failure "refused" for a supposition in an update, "prerequisite" where there is no record yet.
 */
export async function isActive({ site, read, assumed, dryRun }: Question): Promise<boolean> {
    if (assumed !== undefined) {
        if (dryRun) return assumed.active === site;
        throw new Failure(
            "refused",
            "the configuration says lifeboat:assumeEpoch, which is for previews: an update goes by the epoch record alone",
            "remove it with `pulumi config rm lifeboat:assumeEpoch`",
        );
    }
    const text = await read(coordination.epoch);
    if (text === undefined)
        throw new Failure(
            "prerequisite",
            "there is no epoch record: nobody has said which site is active",
            "run `lifeboat bootstrap` first",
        );
    return parseEpoch(text).active === site;
}

function parseEpoch(text: string) {
    try {
        return epochRecord.parse(JSON.parse(text));
    } catch (error) {
        throw new Failure(
            "refused",
            `${coordination.epoch} is not an epoch record`,
            "look at it, and at its older versions, in the coordination bucket",
            {
                cause: error,
            },
        );
    }
}
