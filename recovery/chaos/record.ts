import { randomBytes } from "node:crypto";
import { chaosRecord, faultSlack, standing, type ChaosRecord } from "../../model/chaos.ts";
import { Failure } from "../../model/failure.ts";
import { coordination } from "../../model/names.ts";
import { formatDuration, seconds, type Seconds } from "../../model/units.ts";
import type { CoordinationBucket } from "../conditional-bucket.ts";
import { operator } from "../runner.ts";

export interface Held {
    record: ChaosRecord;
    /** Writes that it is over. Harmless where somebody else wrote it. */
    end(): Promise<void>;
}

async function read(bucket: CoordinationBucket): Promise<{ record: ChaosRecord; etag: string } | undefined> {
    const found = await bucket.get(coordination.chaos);
    if (found === undefined) return undefined;
    try {
        return { record: chaosRecord.parse(JSON.parse(found.text)), etag: found.etag };
    } catch (error) {
        throw new Failure(
            "refused",
            `${coordination.chaos} in the coordination bucket is no record of ours`,
            "look at it, and delete it if nobody experiments",
            {
                cause: error,
            },
        );
    }
}

/** The record of the last experiment. */
export const lastExperiment = async (bucket: CoordinationBucket): Promise<ChaosRecord | undefined> => (await read(bucket))?.record;

/**
 * Claims the right to the one experiment.
 * @param wanted what is to be done
 * @param span how long the fault lasts
 * @throws Failure "refused" while another one is under way, and where one was left that nobody cleaned up after
 */
export async function claimExperiment(
    bucket: CoordinationBucket,
    wanted: Pick<ChaosRecord, "experiment" | "site" | "target" | "reason">,
    span: Seconds,
): Promise<Held> {
    const found = await read(bucket);
    const now = Date.now();
    const state = standing(found?.record, now);
    if (found !== undefined && state !== "free") throw busy(found.record, state, now);
    const record: ChaosRecord = chaosRecord.parse({
        ...wanted,
        version: 1,
        id: `${new Date(now)
            .toISOString()
            .replace(/[-:]|\.\d+/g, "")
            .toLowerCase()}-${randomBytes(2).toString("hex")}`,
        by: operator(),
        at: new Date(now).toISOString(),
        until: new Date(now + span * 1000).toISOString(),
        over: null,
    });
    const text = JSON.stringify(record);
    const won = found === undefined ? bucket.create(coordination.chaos, text) : bucket.replace(coordination.chaos, text, found.etag);
    if (!(await won))
        throw new Failure("refused", "somebody else began an experiment this very moment", "lifeboat chaos clean, once theirs is over");
    return { record, end: () => markOver(bucket, record.id) };
}

function busy({ experiment, target, site, by, at, until }: ChaosRecord, state: "under way" | "left", now: number): Failure {
    const what = `${experiment} of ${target} in the ${site}, begun by ${by} at ${at},`;
    if (state === "left") return new Failure("refused", `${what} was left without clean-up`, "lifeboat chaos clean");
    const left = seconds(Math.max(1, (Date.parse(until) + faultSlack * 1000 - now) / 1000));
    return new Failure("refused", `${what} is under way: one at a time`, `speak with them; its end is sure in ${formatDuration(left)}`);
}

/** Writes that the experiment with this id is over. */
export async function markOver(bucket: CoordinationBucket, id: string): Promise<void> {
    const found = await read(bucket);
    if (found === undefined || found.record.id !== id || found.record.over !== null) return;
    await bucket.replace(coordination.chaos, JSON.stringify({ ...found.record, over: new Date().toISOString() }), found.etag);
}
