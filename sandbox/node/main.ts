import type { SiteName } from "../../model/estate.ts";
import { join } from "node:path";
import { Cluster, log } from "./cluster.ts";
import { Kubelet } from "./kubelet.ts";
import { runProvisioner } from "./provisioner.ts";
import { registerNodes, Scheduler } from "./scheduler.ts";
import { serveStreams } from "./streams.ts";

// node main.ts DIRECTORY SITE REGION: the machines of one site (see daemon.ts).
const [directory, site, region] = process.argv.slice(2);
if (!directory || !site || !region) throw new Error("usage: main.ts DIRECTORY SITE REGION");
process.on("unhandledRejection", (error) => log(`unhandled: ${(error as Error).stack ?? String(error)}`));

const cluster = new Cluster({ directory, site: site as SiteName, region });
await registerNodes(cluster);
await runProvisioner(cluster);
const kubelet = new Kubelet(cluster, new Scheduler(cluster), join(directory, "checkout"));
await kubelet.run();
await serveStreams(cluster, kubelet);
log(`the machines of ${site} are ready`);
