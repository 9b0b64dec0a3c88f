import type { Standpoint } from "../backup/vault.ts";
import { siteNames, type SiteName } from "../model/estate.ts";
import { Failure } from "../model/failure.ts";
import { accountNumber } from "../recovery/account.ts";
import { estate } from "../stacks/estate.ts";

const isSite = (name: string): name is SiteName => siteNames.some((site) => site === name);

/**
 * Where this command stands: LIFEBOAT_SITE and LIFEBOAT_ACCOUNT, as pods have them.
 * @param fallback the site when LIFEBOAT_SITE is not set (a person's own machine); without one it must be set
 */
export async function standpoint(fallback?: SiteName): Promise<Standpoint> {
    const site = process.env["LIFEBOAT_SITE"] || fallback;
    if (site === undefined || !isSite(site))
        throw new Failure(
            "usage",
            site === undefined ? "it is not said which site this is" : `LIFEBOAT_SITE is "${site}"`,
            `set LIFEBOAT_SITE to ${siteNames.join(" or ")}`,
        );
    return { estate, site, account: await accountNumber(estate.sites[site].region) };
}
