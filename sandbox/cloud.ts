import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { siteNames, type SiteName } from "../model/estate.ts";
import { siteAddresses } from "./addresses.ts";
import type { Daemon } from "./daemon.ts";
import {
    apiServer,
    controllerManager,
    etcd,
    kubeconfig,
    prepareControlPlane,
    type ControlPlaneOptions,
} from "./kubernetes/control-plane.ts";
import { nodeDaemon } from "./node/daemon.ts";
import type { SandboxDeclaration } from "./supervisor.ts";

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
    const sites = Object.fromEntries(siteNames.map((site) => [site, siteControlPlane(directory, site)])) as Record<
        SiteName,
        ControlPlaneOptions
    >;
    for (const site of siteNames) prepareControlPlane(sites[site]);
    const planes = siteNames.map((site) => ({ name: site, directory: sites[site].directory, address: sites[site].address }));
    writeFileSync(`${directory}/kubeconfig`, kubeconfig(planes, "standby"), { mode: 0o600 });

    const cluster = async (site: SiteName) => {
        await start(etcd(sites[site]));
        await start(apiServer(sites[site]));
        await Promise.all([
            start(controllerManager(sites[site])),
            start(nodeDaemon({ directory, site, region: declaration.estate.sites[site].region })),
        ]);
    };
    await Promise.all(siteNames.map(cluster));
}

function siteControlPlane(directory: string, site: SiteName): ControlPlaneOptions {
    const { node, serviceRange } = siteAddresses(site);
    return { name: site, site, directory: `${directory}/sites/${site}`, address: node, serviceRange };
}
