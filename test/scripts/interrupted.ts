/** A command that never ends by itself and has children of children: `node interrupted.ts CLEAN_UP_FILE [stubborn]`. */
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { handleInterruption, interruption, onInterruption } from "../../scripts/interruption.ts";

const [file = "", mood] = process.argv.slice(2);
handleInterruption();
onInterruption(() => writeFileSync(file, "cleaned up"));
const trap = mood === "stubborn" ? "trap '' TERM INT; " : "";
const child = spawn("sh", ["-c", `${trap}sleep 1000 & sh -c "${trap}sleep 1001; true" & echo ready; wait; wait`], {
    stdio: ["ignore", "inherit", "inherit"],
});
interruption.addEventListener("abort", () => console.log(`aborted: ${(interruption.reason as Error).message}`));
child.on("close", () => setInterval(() => {}, 1000));
