import assert from "node:assert/strict";
import { coordination } from "../../../model/names.ts";
import { runbookText, type RunbookScenario } from "../../../model/runbook.ts";
import type { Side } from "../../../recovery/steps/failback/side.ts";
import { backendUrl, type Pulumi } from "../../../recovery/pulumi.ts";
import { fenceStep } from "../../../recovery/steps/fence.ts";
import { rebuildStep } from "../../../recovery/steps/failback/rebuild.ts";
import { isActive } from "../../../stacks/truth.ts";
import { bucketInMemory } from "../bucket.ts";
import { estate, from } from "../doubles.ts";

const claimed = { ...from, epoch: 2, active: "standby" } as const;
const context = { signal: new AbortController().signal, note: () => undefined };

describe("what a runbook says will be seen", () => {
    const bucket = bucketInMemory(new Map([[coordination.epoch, JSON.stringify(claimed)]]));
    const witness = { ...bucketInMemory(), get: () => Promise.reject(new Error("no answer")) };
    const lock = { by: "anna", host: "laptop", pid: 1, since: "2026-11-21T22:00:00Z" };
    const pulumi = { lock: () => Promise.resolve(lock) } as Partial<Pulumi> as Pulumi;
    const side = {} as Side;
    const seen: [RunbookScenario, string, () => Promise<unknown>][] = [
        [
            "partition",
            "an update goes by the epoch record alone",
            () =>
                isActive({
                    site: "primary",
                    read: () => Promise.resolve(undefined),
                    assumed: { epoch: 1, active: "primary" },
                    dryRun: false,
                }),
        ],
        [
            "partition",
            "the witness cannot be told the new epoch",
            () => fenceStep({ bucket, witness, terms: estate.lease, epoch: 2 }).apply(context),
        ],
        ["failback", "an update holds the stack", () => rebuildStep(pulumi, "prod", [], side, false).apply(context)],
    ];
    for (const [scenario, words, run] of seen)
        it(`is what is said: "${words}"`, async () => {
            assert.ok(runbookText(scenario, { estate }).text.includes(words));
            await assert.rejects(run(), (error: Error) => error.message.includes(words));
        });

    it("has Pulumi find the state where our commands keep it", () => {
        const { AWS_ENDPOINT_URL: url, AWS_ENDPOINT_URL_S3: s3 } = process.env;
        delete process.env["AWS_ENDPOINT_URL"];
        delete process.env["AWS_ENDPOINT_URL_S3"];
        try {
            const line = `export PULUMI_BACKEND_URL='${backendUrl(estate, "123456789012")}'`;
            for (const scenario of ["standby-loss", "failback"] as const)
                assert.ok(runbookText(scenario, { estate, account: "123456789012" }).text.includes(line), line);
        } finally {
            if (url !== undefined) process.env["AWS_ENDPOINT_URL"] = url;
            if (s3 !== undefined) process.env["AWS_ENDPOINT_URL_S3"] = s3;
        }
    });
});
