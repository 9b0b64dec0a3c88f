import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseDocument } from "yaml";
import { siteNames, type SiteName } from "../model/estate.ts";

const stacks = { primary: "prod", standby: "dr" } as const satisfies Record<SiteName, string>;

/**
 * Tells the stacks of a sandbox's checkout what stands in their regions before Lifeboat: the lines that `pulumi config set` would write, from
 * account.json. A stack's own lines and comments stay.
 */
export function writeStackConfig(directory: string, checkout: string): void {
    const { sites } = JSON.parse(readFileSync(join(directory, "account.json"), "utf8")) as {
        sites: Record<SiteName, Record<string, unknown>>;
    };
    for (const site of siteNames) {
        const file = join(checkout, `Pulumi.${stacks[site]}.yaml`);
        const document = parseDocument(existsSync(file) ? readFileSync(file, "utf8") : "config: {}\n");
        const { region: _region, ...declared } = sites[site];
        for (const [key, value] of Object.entries({ ...declared, site, kubeContext: site }))
            document.setIn(["config", `lifeboat:${key}`], document.createNode(value));
        writeFileSync(file, String(document));
    }
}
