import assert from "node:assert/strict";
import { Failure } from "../../../model/failure.ts";
import { seconds } from "../../../model/units.ts";
import { claimExperiment, lastExperiment, markOver } from "../../../recovery/chaos/record.ts";
import { bucketInMemory } from "../bucket.ts";

const wanted = { experiment: "latency", site: "primary", target: "orders", reason: "drill" } as const;
const isRefused = (message: RegExp, next: RegExp) => (error: unknown) =>
    error instanceof Failure && error.exit === "refused" && message.test(error.message) && next.test(error.next);

describe("the right to the one experiment", () => {
    it("is one person's, of many who ask at once, and free again when it is over", async () => {
        const bucket = bucketInMemory();
        for (let round = 0; round < 5; round += 1) {
            const asked = await Promise.allSettled(Array.from({ length: 20 }, () => claimExperiment(bucket, wanted, seconds(60))));
            const won = asked.flatMap((each) => (each.status === "fulfilled" ? [each.value] : []));
            assert.equal(won.length, 1);
            assert.equal((await lastExperiment(bucket))?.record.id, won[0]?.record.id);
            await assert.rejects(
                claimExperiment(bucket, wanted, seconds(60)),
                isRefused(/latency of orders in the primary, begun by .* is under way: one at a time/, /its fault ends by itself at /),
            );
            await won[0]?.end();
        }
    });

    it("is not taken from a killed run before its fault is surely over, and then only by a clean-up", async () => {
        const bucket = bucketInMemory();
        const dead = await claimExperiment(bucket, wanted, seconds(60));
        const older = {
            ...dead.record,
            runner: { ...dead.record.runner, started: "1" },
            at: "2020-01-01T00:00:00.000Z",
            until: "2020-01-01T00:01:00.000Z",
        };
        bucket.objects.set("chaos.json", JSON.stringify(older));
        await assert.rejects(
            claimExperiment(bucket, wanted, seconds(60)),
            isRefused(/was left without clean-up/, /^lifeboat chaos clean$/),
        );
        await markOver(bucket, "somebody-elses");
        assert.equal((await lastExperiment(bucket))?.record.over, null);
        await markOver(bucket, dead.record.id);
        assert.ok(await claimExperiment(bucket, wanted, seconds(60)));
    });

    it("is nobody's where the record is none of ours", async () => {
        const bucket = bucketInMemory(new Map([["chaos.json", "{}"]]));
        await assert.rejects(claimExperiment(bucket, wanted, seconds(60)), isRefused(/is no record of ours/, /delete it/));
    });
});
