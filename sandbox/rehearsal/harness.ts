import { fileURLToPath } from "node:url";
import { lastLines } from "../last-lines.ts";
import type { Sandbox } from "../sandbox.ts";
import { tools } from "../tools.ts";
import type { OperationName, Operations } from "./inside/operations.ts";

const main = fileURLToPath(new URL("./inside/main.ts", import.meta.url));

/** Has an operation done inside the sandbox, from the harness's own address. @throws Error with what it said when it failed. */
export async function inside<Name extends OperationName>(
    sandbox: Sandbox,
    name: Name,
    request: Operations[Name]["request"],
): Promise<Operations[Name]["answer"]> {
    const result = await sandbox.exec([tools.node, main, name, JSON.stringify(request)], {
        actor: "harness",
        execa: { reject: false, stdin: "ignore", maxBuffer: 256 * 2 ** 20 },
    });
    if (result.exitCode !== 0) throw new Error(`${name} inside the sandbox failed:\n${lastLines(String(result.stderr), 15)}`);
    return JSON.parse(String(result.stdout)) as Operations[Name]["answer"];
}
