import { Command } from "commander";
import { accountNumber } from "../../recovery/account.ts";
import { bootstrap } from "../../recovery/bootstrap.ts";
import { estate } from "../../stacks/estate.ts";
import { note, print } from "../output.ts";

export const command = new Command("bootstrap")
    .description(
        "Makes in the standby region what the stacks stand on: state bucket and its key, coordination bucket, break-glass role, first epoch,\n" +
            "latch, and the two Pulumi stacks; and in the witness's region its bucket. It asks nothing, keeps what is there and can be repeated. Run it in the checkout, before `pulumi up`.",
    )
    .option("--json", "print what was made and what was there as JSON")
    .action(async ({ json }: { json?: boolean }) => {
        const account = await accountNumber(estate.sites.standby.region);
        const result = await bootstrap({
            estate,
            account,
            directory: process.cwd(),
            note: ({ kind, name, made }) => note(`${made ? "made     " : "was there"}  ${kind.padEnd(6)}  ${name}`),
        });
        if (json === true) return print(result);
        note(`\nPulumi keeps its state in the standby. For plain \`pulumi\` commands:\n    export PULUMI_BACKEND_URL='${result.backend}'`);
        note("next: pulumi up -s dr, pulumi up -s prod, pulumi up -s dr");
    });
