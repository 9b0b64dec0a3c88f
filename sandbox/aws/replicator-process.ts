import { startReplicator, type ReplicatorOptions } from "./replicator.ts";

// The program of the `replicator` daemon: `node replicator-process.ts OPTIONS`, options as JSON.
const replicator = await startReplicator(JSON.parse(process.argv[2] ?? "") as ReplicatorOptions);
console.log("replicator is at work");
process.on("SIGTERM", () => void replicator.close().then(() => process.exit(0)));
