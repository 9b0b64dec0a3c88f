import { join } from "node:path";
import { Failure } from "../../model/failure.ts";
import { stackOf } from "../../model/names.ts";
import { lastLines } from "../last-lines.ts";
import type { Sandbox } from "../sandbox.ts";

/** What a command needs of a sandbox. */
export type Operated = Pick<Sandbox, "exec" | "directory">;

/** Runs a command as the operator in the sandbox's checkout. @throws Failure("no") with the end of what it said. */
export async function operate(
    sandbox: Operated,
    command: readonly string[],
    what: string,
    env: Readonly<Record<string, string>> = {},
): Promise<string> {
    const { exitCode, all, stdout } = await sandbox.exec(command, { env, execa: { reject: false, stdin: "ignore", all: true } });
    if (exitCode !== 0) {
        const said = lastLines(String(all), 40);
        throw new Failure(
            "no",
            `${what} failed:\n${said}`,
            `mend what it says; the sandbox's logs are in ${join(sandbox.directory, "logs")}`,
        );
    }
    return String(stdout);
}

/**
 * Runs a command as a person types it. A `pulumi up` gets its question answered and the policy pack. Its state is written once, at its end: Pulumi writes it around
 * every operation otherwise, four calls each, which is a third of the time here and protects nothing in a cloud that is thrown away. An activation's own update
 * writes it every time.
 */
export const unattended = (sandbox: Operated, command: readonly string[]): Promise<string> =>
    command[0] === "pulumi"
        ? operate(sandbox, [...command, "--yes", "--skip-preview", "--policy-pack", "policies", "--color", "never"], command.join(" "), {
              PULUMI_SKIP_CHECKPOINTS: "true",
          })
        : operate(sandbox, command, command.join(" "));

/** `pulumi up` of one stack. */
export const up = (sandbox: Sandbox, stack: string): Promise<string> => unattended(sandbox, ["pulumi", "up", "-s", stack]);

/** From an empty account to two sites: bootstrap, then `up` of dr, prod and dr again, which joins its peer. */
export async function provision(sandbox: Sandbox, note: (line: string) => void): Promise<void> {
    const timed = async (what: string, work: () => Promise<unknown>) => {
        const start = performance.now();
        await work();
        note(`  ${what} ${((performance.now() - start) / 1000).toFixed(1)} s`);
    };
    await timed("lifeboat bootstrap", () => operate(sandbox, ["lifeboat", "bootstrap", "--json"], "lifeboat bootstrap"));
    for (const stack of [stackOf.standby, stackOf.primary, stackOf.standby]) await timed(`pulumi up -s ${stack}`, () => up(sandbox, stack));
}
