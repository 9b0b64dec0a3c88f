/** One operation of the rehearsal inside the sandbox: `node main.ts NAME REQUEST`, both from operations.ts; the answer is JSON on stdout. */
import { KubeConfig } from "@kubernetes/client-node";
import type { OperationName, Operations } from "./operations.ts";

type Run<Name extends OperationName> = (config: KubeConfig, request: Operations[Name]["request"]) => Promise<Operations[Name]["answer"]>;
const load: { [Name in OperationName]: () => Promise<Run<Name>> } = {
    jobs: async () => (await import("./jobs.ts")).jobs,
    guards: async () => (await import("./guards.ts")).guards,
    rows: async () => (await import("./rows.ts")).rows,
    load: async () => (await import("./load.ts")).load,
    exec: async () => (await import("./exec.ts")).execIn,
    scale: async () => (await import("./workload.ts")).scale,
    log: async () => (await import("./workload.ts")).log,
    discard: async () => (await import("./discard.ts")).discard,
    objects: async () => (await import("./objects.ts")).objects,
};

const [name, request] = process.argv.slice(2);
if (name === undefined || request === undefined || !Object.hasOwn(load, name)) throw new Error(`no such operation: ${name}`);
const run = (await load[name as OperationName]()) as (config: KubeConfig, request: unknown) => Promise<unknown>;
const config = new KubeConfig();
config.loadFromDefault();
const parsed = JSON.parse(request) as { context?: string };
if (parsed.context !== undefined) config.setCurrentContext(parsed.context);
process.stdout.write(JSON.stringify(await run(config, parsed)), () => process.exit(0));
