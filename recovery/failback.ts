import { kindOf } from "../stores/registry.ts";
import type { Estate, SiteName } from "../model/estate.ts";
import { handOverLag } from "../model/failback.ts";
import { names, stackOf } from "../model/names.ts";
import type { StepEffects } from "./activation.ts";
import { clusterOf, contextOf } from "./cluster.ts";
import type { CoordinationBucket } from "./conditional-bucket.ts";
import { coordinationOf, witnessOf } from "./coordination.ts";
import { guardsIn } from "./guard.ts";
import type { Journal } from "./journal/journal.ts";
import { pulumiIn, type Pulumi } from "./pulumi.ts";
import { operator } from "./runner.ts";
import { claimStep } from "./steps/claim.ts";
import { asideStep } from "./steps/failback/aside.ts";
import { catchUpStep } from "./steps/failback/catch-up.ts";
import { checkStep } from "./steps/failback/check.ts";
import { followStep } from "./steps/failback/follow.ts";
import { handOverStep } from "./steps/failback/hand-over.ts";
import { rebuildStep } from "./steps/failback/rebuild.ts";
import { rejoinStep } from "./steps/failback/rejoin.ts";
import type { Side } from "./steps/failback/side.ts";
import { latchStep } from "./steps/latch.ts";
import { promoteStep } from "./steps/promote.ts";
import { scaleStep } from "./steps/scale.ts";
import { verifyStep } from "./steps/verify.ts";
import { workloadsOf } from "./workloads.ts";

/** What the real effects of a fail-back work with. Finding it changes nothing, so it is found before anything begins. */
export interface FailbackTools {
    estate: Estate;
    bucket: CoordinationBucket;
    witness: CoordinationBucket;
    primary: Side;
    standby: Side;
    pulumi: Pulumi;
}

/**
 * Both sites' clusters and stacks, and the buckets of standby and witness.
 * @param directory the checkout, where Pulumi.yaml lies
 * @throws Failure "prerequisite" or "usage" where this machine lacks a context or the project.
 */
export function failbackToolsIn(directory: string, estate: Estate, account: string): FailbackTools {
    const side = (site: SiteName): Side => ({
        site,
        guard: guardsIn(clusterOf(site), estate),
        workloads: workloadsOf(contextOf(site), names(estate, account).namespace),
    });
    return {
        estate,
        bucket: coordinationOf(estate, account),
        witness: witnessOf(estate, account),
        primary: side("primary"),
        standby: side("standby"),
        pulumi: pulumiIn(directory, estate, account),
    };
}

/** The real effects of a fail-back. */
export function failbackEffects({ estate, bucket, witness, primary, standby, pulumi }: FailbackTools, journal: Journal): StepEffects {
    const { opened, steps } = journal.state();
    const { from, reason } = opened;
    const begunBefore = (name: string) => steps.some((step) => step.name === name && step.state !== "waiting");
    const epoch = from.epoch + 1;
    const stores = Object.keys(estate.stores);
    return {
        check: checkStep(stores, primary, standby),
        rebuild: rebuildStep(pulumi, stackOf.primary, stores, primary, begunBefore("rebuild")),
        aside: (store) => asideStep(store, primary),
        rejoin: (store) => rejoinStep(store, primary),
        follow: followStep(stores, primary, handOverLag),
        claim: claimStep({ bucket, witness, activation: journal.activation, from, to: "primary", by: operator(), reason }),
        fence: handOverStep({ bucket, witness, terms: estate.lease, epoch, stores, from: standby }),
        scale: scaleStep(pulumi, stackOf.primary),
        "catch-up": (store) => catchUpStep(store, kindOf(estate.stores[store]!), standby, primary),
        promote: (store) => promoteStep(primary.guard, store),
        latch: latchStep(estate, bucket, { thrown: false, epoch }),
        verify: verifyStep(estate, "primary", primary.guard),
        retire: scaleStep(pulumi, stackOf.standby),
        protect: (store) => rejoinStep(store, standby),
    };
}
