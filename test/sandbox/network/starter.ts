import { startSandbox } from "../../../sandbox/sandbox.ts";
import { estate } from "../../../stacks/estate.ts";
import { source } from "../source.ts";

// node starter.ts NAME: starts a sandbox whose life hangs on this process, says "up", and waits to be killed.
await startSandbox({ name: process.argv[2]!, estate, source });
process.stdout.write("up\n");
setInterval(() => {}, 60_000);
