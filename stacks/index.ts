import "./machine-paths.ts";
import "./sdk-debugging.ts";
import "./sdk-serialization.ts";
import * as aws from "@pulumi/aws";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { names } from "../model/names.ts";
// eslint-disable-next-line no-restricted-imports -- the one question to STS; no other part of recovery is needed
import { askAccount } from "../recovery/account.ts";
import { recordsIn } from "./coordination.ts";
import { estate } from "./estate.ts";
import { forTheEngine } from "./failures.ts";
import { readInputs } from "./inputs.ts";
import { primary } from "./primary.ts";
import { hasJoined, readStandbyIds } from "./published.ts";
import type { Site } from "./site.ts";
import { standby } from "./standby.ts";
import { isActive } from "./truth.ts";

/** The program of both stacks: which site it stands up is configuration, and how much of it runs is the epoch record's to say. */
async function program() {
    const inputs = readInputs(new pulumi.Config("lifeboat"), pulumi.getStack());
    const { region } = estate.sites[inputs.site];
    // The engine starts their plugins while the program asks who and where it is.
    const providers = {
        aws: new aws.Provider(inputs.site, { region }),
        kubernetes: new k8s.Provider(`${inputs.site}-cluster`, { context: inputs.kubeContext }),
        random: new random.Provider("random"),
    };
    // Not asked of the provider: its plugin takes longer to start than this takes altogether.
    const account = await askAccount(estate.sites.standby.region);
    const derived = names(estate, account);
    const read = recordsIn(estate.sites.standby.region, derived.coordinationBucket);
    const [active, told] = await Promise.all([
        isActive({ site: inputs.site, read, assumed: inputs.assumeEpoch, dryRun: pulumi.runtime.isDryRun() }),
        inputs.site === "primary" ? readStandbyIds(read) : hasJoined(read),
    ]);
    const site: Site = { estate, names: derived, site: inputs.site, account, inputs, active, providers };
    return typeof told === "boolean" ? standby(site, told) : primary(site, told);
}

const outputs = await program().catch((error: unknown) => {
    throw forTheEngine(error);
});

/** Bucket of this site's recovery points. */
export const vault = outputs.vault;
/** Name servers to delegate the domain to (stack dr). */
export const nameServers = "nameServers" in outputs ? outputs.nameServers : undefined;
