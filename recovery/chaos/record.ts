import { randomBytes } from "node:crypto";
import type { z } from "zod";
import { chaosRecord, standing, type ChaosRecord } from "../../model/chaos.ts";
import { Failure } from "../../model/failure.ts";
import { coordination } from "../../model/names.ts";
import type { Seconds } from "../../model/units.ts";
import type { CoordinationBucket } from "../conditional-bucket.ts";
import { isAlive, operator, runner, thisRunner } from "../runner.ts";

const storedRecord = chaosRecord.extend({ runner });
/** The record as it lies in the bucket: with the process that runs the experiment. */
export type StoredRecord = z.output<typeof storedRecord>;

export interface Held {
    record: StoredRecord;
    /** Writes that it is over. Harmless where somebody else wrote it. */
    end(): Promise<void>;
}

async function read(bucket: CoordinationBucket): Promise<{ record: StoredRecord; etag: string } | undefined> {
    const found = await bucket.get(coordination.chaos);
    if (found === undefined) return undefined;
    try {
        return { record: storedRecord.parse(JSON.parse(found.text)), etag: found.etag };
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

/** The record of the last experiment, and how it stands. */
export async function lastExperiment(
    bucket: CoordinationBucket,
): Promise<{ record: StoredRecord; state: ReturnType<typeof standing> } | undefined> {
    const record = (await read(bucket))?.record;
    return record && { record, state: standing(record, isAlive(record.runner), Date.now()) };
}

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
    if (found !== undefined) {
        const state = standing(found.record, isAlive(found.record.runner), now);
        if (state !== "free") throw busy(found.record, state);
    }
    const record = storedRecord.parse({
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
        runner: thisRunner(),
    });
    const text = JSON.stringify(record);
    const won = found === undefined ? bucket.create(coordination.chaos, text) : bucket.replace(coordination.chaos, text, found.etag);
    if (!(await won))
        throw new Failure("refused", "somebody else began an experiment this very moment", "lifeboat chaos clean, once theirs is over");
    return { record, end: () => markOver(bucket, record.id) };
}

export function busy({ experiment, target, site, by, at, until }: ChaosRecord, state: "under way" | "left"): Failure {
    const what = `${experiment} of ${target} in the ${site}, begun by ${by} at ${at},`;
    return state === "left"
        ? new Failure("refused", `${what} was left without clean-up`, "lifeboat chaos clean")
        : new Failure(
              "refused",
              `${what} is under way: one at a time`,
              `speak with them; its fault ends by itself at ${until}, then comes the recovery`,
          );
}

/** Writes that the experiment with this id is over. */
export async function markOver(bucket: CoordinationBucket, id: string): Promise<void> {
    const found = await read(bucket);
    if (found === undefined || found.record.id !== id || found.record.over !== null) return;
    await bucket.replace(coordination.chaos, JSON.stringify({ ...found.record, over: new Date().toISOString() }), found.etag);
}
