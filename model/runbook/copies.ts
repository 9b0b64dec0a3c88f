import { coordination, names } from "../names.ts";
import type { RunbookOptions } from "./contents.ts";
import { chapter, code, shell } from "./markdown.ts";

/** Where a page lies, and how to get it. */
export function copies({ estate, account = "ACCOUNT" }: RunbookOptions, scenario: string): string {
    const bucket = `s3://${names(estate, account).coordinationBucket}`;
    return chapter(
        "Where this page lies",
        `In the standby, put there by ${code("lifeboat runbook --publish")}, and on a stick: ${code("lifeboat runbook --export DIRECTORY")}.`,
        shell(`aws s3 cp --region ${estate.sites.standby.region} ${bucket}/${coordination.runbook(`${scenario}.html`)} .`),
    );
}
