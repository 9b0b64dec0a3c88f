import { Command } from "commander";
import { expire, previewExpiry } from "../../backup/expiry.ts";
import { note, print, show } from "../output.ts";
import { standpoint } from "../standpoint.ts";

export const command = new Command("expire")
    .argument("<store>", "store of the estate")
    .description(
        "Tags what retention no longer needs, in both sites' vaults; the vaults' lifecycle deletes what is tagged and past its lock, and nothing\n" +
            "else. The newest verified point is never given up, nor one that nobody has verified yet.",
    )
    .option("--plan", "show what would be kept and given up, and do nothing")
    .option("--json", "print it as JSON")
    .action(async (store: string, { plan, json }: { plan?: boolean; json?: boolean }) => {
        const here = await standpoint("standby");
        const now = new Date();
        const report = plan ? await previewExpiry(here, store, now) : await expire(here, store, now, note);
        if (json) return print({ store, ...report });
        for (const { point, because } of report.keep) show(`${store}  ${point}  keep    ${because}`);
        for (const point of report.expire) show(`${store}  ${point}  ${plan ? "would go" : "given up"}`);
        for (const { history, files } of report.log)
            show(`${store}  log ${history}  ${plan ? "would go" : "given up"}: ${files.length} files, ${files[0]} to ${files.at(-1)}`);
        show(`${store}: ${report.keep.length} kept, ${report.expire.length} ${plan ? "would go" : "given up"}`);
    });
