import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { parse, stringify } from "yaml";
import type { EpochRecord } from "../../model/epoch.ts";
import { exitCodes, Failure } from "../../model/failure.ts";
import { stackOf } from "../../model/names.ts";
import { judgePromotion, type Preview } from "../../model/promotion.ts";
import { accountNumber } from "../../recovery/account.ts";
import { coordinationOf } from "../../recovery/coordination.ts";
import { readEpoch } from "../../recovery/epoch.ts";
import { pulumiIn } from "../../recovery/pulumi.ts";
import { estate } from "../../stacks/estate.ts";
import { interruption } from "../interruption.ts";
import { paint, print, show } from "../output.ts";

/** The epoch that an activation would claim now. */
const supposed = ({ epoch }: EpochRecord) => ({ epoch: epoch + 1, active: "standby" as const });

/** A copy of the stack's file with a supposition in it: `pulumi preview --config` would leave it in the file itself. */
function suppose(directory: string, folder: string, assumed: ReturnType<typeof supposed>): string {
    const name = `Pulumi.${stackOf.standby}.yaml`;
    const file = parse(readFileSync(join(directory, name), "utf8")) as { config?: Record<string, unknown> };
    const supposing = { ...file, config: { ...file.config, "lifeboat:assumeEpoch": assumed } };
    writeFileSync(join(folder, name), stringify(supposing), { mode: 0o600 });
    return join(folder, name);
}

async function previewPromotion(directory: string): Promise<Preview> {
    const account = await accountNumber(estate.sites.standby.region);
    const { record } = await readEpoch(coordinationOf(estate, account));
    const folder = mkdtempSync(join(tmpdir(), "lifeboat-promotion-"));
    try {
        const file = suppose(directory, folder, supposed(record));
        const pulumi = pulumiIn(directory, estate, account);
        const printed = await pulumi.run(["preview", "-s", stackOf.standby, "--json", "--config-file", file], { signal: interruption });
        return JSON.parse(printed) as Preview;
    } catch (error) {
        if (error instanceof SyntaxError)
            throw new Failure(
                "unavailable",
                `pulumi preview printed no JSON: ${error.message}`,
                "run `pulumi preview -s dr --json` to see what it says",
            );
        throw error;
    } finally {
        rmSync(folder, { recursive: true, force: true });
    }
}

export const command = new Command("promotion-diff")
    .description(
        "Previews the standby's stack as if an activation had just made it active, and judges what would change: in-place updates of pods,\n" +
            "schedules and node capacity, and nothing else. Run it on every change, in the checkout: the night is too late to find out.",
    )
    .option("--json", "print the judgement as JSON")
    .action(async ({ json }: { json?: boolean }) => {
        const { allowed, forbidden } = judgePromotion(await previewPromotion(process.cwd()));
        const name = (urn: string) => urn.split("::").slice(2).join(" ").split("$").at(-1) ?? urn;
        if (json === true) print({ verdict: forbidden.length === 0 ? "PASS" : "FAIL", allowed, forbidden });
        else {
            for (const urn of allowed) show(`${paint("green", "may change")}  ${name(urn)}`);
            for (const { urn, because } of forbidden) show(`${paint("red", "MAY NOT   ")}  ${name(urn)}: ${because}`);
            show(
                forbidden.length === 0
                    ? `${paint("green", "PASS")}: a promotion makes ${allowed.length} in-place updates, all of them on the list`
                    : `${paint("red", "FAIL")}: a promotion would change ${forbidden.length} things that it may not`,
            );
        }
        if (forbidden.length > 0) process.exitCode = exitCodes.no;
    });
