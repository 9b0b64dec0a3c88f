import type { Estate } from "../model/estate.ts";
import { stackOf } from "../model/names.ts";
import type { Effects } from "./activation.ts";
import { clusterOf } from "./cluster.ts";
import type { CoordinationBucket } from "./conditional-bucket.ts";
import { coordinationOf, witnessOf } from "./coordination.ts";
import { guardsIn, type Guard } from "./guard.ts";
import type { Journal } from "./journal/journal.ts";
import { pulumiIn, type Pulumi } from "./pulumi.ts";
import { operator } from "./runner.ts";
import { claimStep } from "./steps/claim.ts";
import { fenceStep } from "./steps/fence.ts";
import { latchStep } from "./steps/latch.ts";
import { promoteStep } from "./steps/promote.ts";
import { scaleStep } from "./steps/scale.ts";
import { verifyStep } from "./steps/verify.ts";

/** What the real effects work with. Finding it changes nothing, so it is found before anything begins. */
export interface Tools {
    estate: Estate;
    bucket: CoordinationBucket;
    witness: CoordinationBucket;
    guard: Guard;
    pulumi: Pulumi;
}

/**
 * The standby's bucket, cluster and stack, the witness's bucket, and nothing of any other region.
 * @param directory the checkout, where Pulumi.yaml lies
 * @throws Failure "prerequisite" or "usage" where this machine lacks the context `standby` or the project.
 */
export const toolsIn = (directory: string, estate: Estate, account: string): Tools => ({
    estate,
    bucket: coordinationOf(estate, account),
    witness: witnessOf(estate, account),
    guard: guardsIn(clusterOf("standby"), estate),
    pulumi: pulumiIn(directory, estate, account),
});

/**
 * The real effects of an activation.
 * @param withoutWitness a person says that the primary is dead, and the witness is not asked
 */
export function realEffects({ estate, bucket, guard, pulumi, ...tools }: Tools, journal: Journal, withoutWitness: boolean): Effects {
    const { from, reason } = journal.state().opened;
    const witness = withoutWitness ? undefined : tools.witness;
    const epoch = from.epoch + 1;
    return {
        claim: claimStep({ bucket, witness, activation: journal.activation, from, to: "standby", by: operator(), reason }),
        fence: fenceStep({ bucket, witness, terms: estate.lease, epoch }),
        promote: (store) => promoteStep(guard, store),
        scale: scaleStep(pulumi, stackOf.standby),
        verify: verifyStep(estate, "standby", guard),
        latch: latchStep(estate, bucket, { thrown: true, epoch }),
    };
}
