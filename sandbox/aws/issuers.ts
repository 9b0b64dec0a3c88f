import { join } from "node:path";
import type { SiteName } from "../../model/estate.ts";

/**
 * Issuer of a site's service-account tokens, without `https://`, in the form that EKS gives its clusters.
 * https://docs.aws.amazon.com/eks/latest/userguide/enable-iam-roles-for-service-accounts.html
 */
export const oidcIssuer = (site: SiteName, region: string): string =>
    `oidc.eks.${region}.amazonaws.com/id/${Buffer.from(site.padEnd(16, "-")).toString("hex").toUpperCase()}`;

/** PEM of the public key that a site's cluster signs its tokens for; the control plane puts it there. */
export const tokenKeyFile = (directory: string, site: SiteName): string => join(directory, "sites", site, "certs", "service-account.pub");
