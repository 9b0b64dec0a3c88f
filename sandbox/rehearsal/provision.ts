import { join } from "node:path";
import type { SiteName } from "../../model/estate.ts";
import { Failure } from "../../model/failure.ts";
import type { Sandbox } from "../sandbox.ts";

/** Stacks by site: README, "Stack files". */
export const stacks = { primary: "prod", standby: "dr" } as const satisfies Record<SiteName, string>;

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
        const said = String(all).trim().split("\n").slice(-40).join("\n");
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
    for (const stack of [stacks.standby, stacks.primary, stacks.standby]) await timed(`pulumi up -s ${stack}`, () => up(sandbox, stack));
}
