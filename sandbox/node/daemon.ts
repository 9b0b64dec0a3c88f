import { request } from "node:https";
import { fileURLToPath } from "node:url";
import { siteAddresses } from "../addresses.ts";
import { until, type Daemon } from "../daemon.ts";
import { tools } from "../tools.ts";
import type { NodePlace } from "./cluster.ts";

/**
 * The machines of one site: scheduler, kubelet, volume provisioner, service proxy and load balancers in one process. It runs each container's command
 * as a process of this machine, in namespaces of its own. Needs the site's API server, the sandbox's network and root.
 *
 * It refuses what it does not know (refusals.ts, images.ts). Accepted and not done: requests and limits, sizes of volumes, spread and affinity
 * between pods, seccomp profiles, added terminal sizes.
 */
export function nodeDaemon({ directory, site, region }: NodePlace): Daemon {
    const { node } = siteAddresses(site);
    const healthy = () =>
        new Promise<boolean>((resolve, reject) => {
            // Only whether it has started: its certificate is the API server's own.
            request({ host: node, port: 10250, path: "/healthz", rejectUnauthorized: false, agent: false }, (answer) =>
                resolve(answer.resume().statusCode === 200),
            )
                .on("error", reject)
                .end();
        });
    return {
        name: `node-${site}`,
        site,
        command: [tools.node, fileURLToPath(new URL("main.ts", import.meta.url)), directory, site, region],
        ready: async () => void (await until(`node of ${site}`, 300_000, healthy)),
    };
}
