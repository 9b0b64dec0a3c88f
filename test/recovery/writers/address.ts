import type { SiteName } from "../../../model/estate.ts";
import { siteAddresses } from "../../../sandbox/addresses.ts";

/** The address of a site's one pod. */
export const podAddress = (site: SiteName): string => `${siteAddresses(site).podPrefix}.0.2`;
