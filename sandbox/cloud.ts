import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { siteNames, type SiteName } from "../model/estate.ts";
import { regionsOf, siteAddresses } from "./addresses.ts";
import { makeAccount } from "./aws/account.ts";
import { awsDaemons } from "./aws/daemons.ts";
import { oidcIssuer } from "./aws/issuers.ts";
import type { Daemon } from "./daemon.ts";
import { dnsDaemons } from "./dns/daemons.ts";
import {
    apiServer,
    controllerManager,
    etcd,
    kubeconfig,
    prepareControlPlane,
    type ControlPlaneOptions,
} from "./kubernetes/control-plane.ts";
import { nodeDaemon } from "./node/daemon.ts";
import type { SandboxDeclaration } from "./declaration.ts";

interface CloudOptions {
    readonly directory: string;
    readonly declaration: SandboxDeclaration;
    /** Starts one daemon and waits until it is ready. */
    start(daemon: Daemon): Promise<void>;
}

/** The repository that the sandbox's own programs run from. */
export const sourceRoot = fileURLToPath(new URL("..", import.meta.url));

/** Starts everything that a cloud has before anybody has declared anything: the account, names, and two empty clusters. */
export async function startCloud({ directory, declaration, start }: CloudOptions): Promise<void> {
    const sites = Object.fromEntries(
        siteNames.map((site) => [site, siteControlPlane(directory, site, declaration.estate.sites[site].region)]),
    ) as Record<SiteName, ControlPlaneOptions>;
    for (const site of siteNames) prepareControlPlane(sites[site]);
    const planes = siteNames.map((site) => ({ name: site, directory: sites[site].directory, address: sites[site].address }));
    writeFileSync(`${directory}/kubeconfig`, kubeconfig(planes, "standby"), { mode: 0o600 });

    const regions = regionsOf(declaration.estate);
    const account = async () => {
        const [moto, ...rest] = awsDaemons({ directory, regions });
        await start(moto!);
        await Promise.all([
            makeAccount({ directory, regions }),
            ...[...rest, ...dnsDaemons({ directory, regions, fast: declaration.fast })].map(start),
        ]);
    };
    const cluster = (site: SiteName) => startCluster({ directory, declaration, start }, site);
    await Promise.all([account(), ...(declaration.clusters ? siteNames.map(cluster) : [])]);
}

/** Starts a site's control plane and machines: empty ones, or those that were there before, with what their disks hold. */
export async function startCluster({ directory, declaration, start }: CloudOptions, site: SiteName): Promise<void> {
    const { region } = declaration.estate.sites[site];
    const plane = siteControlPlane(directory, site, region);
    await start(etcd(plane));
    await start(apiServer(plane));
    await Promise.all([start(controllerManager(plane)), start(nodeDaemon({ directory, site, region }))]);
}

function siteControlPlane(directory: string, site: SiteName, region: string): ControlPlaneOptions {
    const { node, serviceRange } = siteAddresses(site);
    return {
        name: site,
        site,
        directory: `${directory}/sites/${site}`,
        address: node,
        serviceRange,
        issuer: `https://${oidcIssuer(site, region)}`,
    };
}
