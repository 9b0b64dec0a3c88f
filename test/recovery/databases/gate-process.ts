/** A gate in a process of its own, which a test can stop: `node gate-process.ts SERVER_PORT SECONDS`. It passes for so long, and prints its port. */
import { startGate } from "../../../recovery/databases/gate.ts";

const [server, span] = process.argv.slice(2).map(Number);
const until = performance.now() + span! * 1000;
const gate = await startGate({ listen: { host: "127.0.0.1", port: 0 }, server: server!, passes: () => performance.now() < until });
process.stdout.write(`${gate.port}\n`);
