import { names, stateBackend } from "../names.ts";
import { siteNames } from "../estate.ts";
import type { RunbookOptions } from "./contents.ts";
import { chapter, shell } from "./markdown.ts";

/** What is needed where both sites are worked on. @param credentials whose they are to be */
export function bothSitesMachine({ estate, account = "ACCOUNT" }: RunbookOptions, credentials: string): string {
    const contexts = siteNames.flatMap((site) => [
        `aws eks list-clusters --region ${estate.sites[site].region}`,
        `aws eks update-kubeconfig --region ${estate.sites[site].region} --name CLUSTER --alias ${site}`,
    ]);
    return chapter(
        "What your machine needs",
        `A checkout at the release that is running, with its packages, the Pulumi CLI and AWS credentials. ${credentials}`,
        "The clusters of both sites under these names (one whose region is dark: once it answers), and the state of the stacks, which lies in the standby:",
        shell(...contexts, `export PULUMI_BACKEND_URL='${stateBackend(estate, account)}'`),
        "All of these must answer, but for a region that is dark:",
        shell("lifeboat status", ...siteNames.map((site) => `kubectl --context ${site} -n ${names(estate, account).namespace} get pods`)),
    );
}
