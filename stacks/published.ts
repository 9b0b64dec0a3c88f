import { z } from "zod";
import { Failure } from "../model/failure.ts";
import { coordination } from "../model/names.ts";
import type { ReadRecord } from "./truth.ts";

/** What `dr` tells `prod`: ids with a random part, of what both sites need. */
const standbyIds = z.object({
    zoneId: z.string(),
    bucketKeyArn: z.string(),
    /** By store. */
    envelopeKeyArns: z.record(z.string(), z.string()),
});
export type StandbyIds = z.output<typeof standbyIds>;

/** What `prod` tells `dr`: that it is there. */
export const primaryIds = { joined: true } as const;

/** @throws Failure "prerequisite" where `dr` was never brought up, "refused" where what it left is no such thing. */
export async function readStandbyIds(read: ReadRecord): Promise<StandbyIds> {
    const key = coordination.published("standby");
    const text = await read(key);
    if (text === undefined)
        throw new Failure(
            "prerequisite",
            "the standby has published nothing yet: it is brought up before the primary",
            "run `pulumi up -s dr` first",
        );
    try {
        return standbyIds.parse(JSON.parse(text));
    } catch (error) {
        throw new Failure("refused", `${key} is not what stack dr publishes`, "run `pulumi up -s dr`, which writes it again", {
            cause: error,
        });
    }
}

/** Whether the primary was ever brought up beside the standby. */
export const hasJoined = async (read: ReadRecord): Promise<boolean> => (await read(coordination.published("primary"))) !== undefined;
