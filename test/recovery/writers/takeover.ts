/**
 * Runs inside a sandbox, outside both sites: claims the epoch for a site and fences the other one, as an activation does, until both are done. The last line on standard output says when the fence
 * had been passed, in ms of the machine's monotonic clock.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { SiteName } from "../../../model/estate.ts";
import { fenceWait } from "../../../model/lease.ts";
import { coordinationOf, witnessOf } from "../../../recovery/coordination.ts";
import { claimEpoch, readEpoch } from "../../../recovery/epoch.ts";
import { raiseFence } from "../../../recovery/fence.ts";
import { fenceStep } from "../../../recovery/steps/fence.ts";
import { sandboxAccount } from "../../../sandbox/addresses.ts";
import { monotonic } from "../../../sandbox/rehearsal/ledger.ts";
import { estate } from "../../../stacks/estate.ts";

const [site, activation] = process.argv.slice(2) as [SiteName, string];
const bucket = coordinationOf(estate, sandboxAccount);
const witness = witnessOf(estate, sandboxAccount);

async function untilDone<T>(step: string, work: () => Promise<T>): Promise<T> {
    for (;;)
        try {
            return await work();
        } catch (error) {
            process.stderr.write(`${step}: ${(error as Error).message}\n`);
            await sleep(200);
        }
}

const record = await untilDone("claim", async () => {
    const { record } = await readEpoch(bucket);
    if (record.activation === activation) return record;
    const claim = { active: site, at: new Date().toISOString(), by: "test", reason: "a schedule", activation };
    return claimEpoch(bucket, record.epoch, claim);
});
const terms = estate.lease;
const context = { signal: new AbortController().signal, note: (line: string) => void process.stderr.write(`fence: ${line}\n`) };
await untilDone("fence", async () => {
    if (site === "standby") return fenceStep({ bucket, witness, terms, epoch: record.epoch }).apply(context);
    // The way back has no plan yet: the same two acts.
    await raiseFence(witness, record);
    return sleep(fenceWait([terms.duration]) * 1000);
});
process.stdout.write(`${JSON.stringify({ site, epoch: record.epoch, from: monotonic() })}\n`, () => process.exit(0));
