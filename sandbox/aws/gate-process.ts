import { startGate, type GateOptions } from "./gate.ts";

// The program of the `gate` daemon: `node gate-process.ts OPTIONS`, options as JSON.
const gate = await startGate(JSON.parse(process.argv[2] ?? "") as GateOptions);
console.log(`gate on ports ${gate.ports.join(", ")}`);
process.on("SIGTERM", () => void gate.close().then(() => process.exit(0)));
