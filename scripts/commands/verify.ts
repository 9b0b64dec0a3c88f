import { Command } from "commander";
import { verify, type Finding } from "../../backup/verification.ts";
import { verifyLog } from "../../backup/log/verify.ts";
import { exitCodes } from "../../model/failure.ts";
import { stayBehind } from "../background.ts";
import { interruption } from "../interruption.ts";
import { note, print, show } from "../output.ts";
import { standpoint } from "../standpoint.ts";

/** Whether a person should look. */
function isTrouble(finding: Finding): boolean {
    switch (finding.outcome) {
        case "verified":
            return false;
        case "waiting":
            return finding.late;
        case "rejected":
        case "unchecked":
            return true;
    }
}

export const command = new Command("verify")
    .argument("<store>", "store of the estate")
    .description(
        "Examines every backup of a store that has arrived in this site's vault (the standby's, unless LIFEBOAT_SITE says otherwise): fetched,\n" +
            "decrypted, unpacked, hashed; a server is started from it, replays the log, is checked by its engine and compared with what the source\n" +
            "held. What holds is entered in the catalog: only then is it a recovery point. What does not is rejected. Ends with 1 if a backup was\n" +
            "rejected, is late, or could not be checked. Before that each new piece of the store's log is opened and looked at; a gap or a damaged\n" +
            "piece ends with 1, too.",
    )
    .option("--scratch <directory>", "where scratch directories are made (default: the system's for temporary files)")
    .option("--json", "print what was found as JSON")
    .action(async (store: string, { scratch, json }: { scratch?: string; json?: boolean }) => {
        stayBehind();
        const here = await standpoint("standby");
        const options = { signal: interruption, note, ...(scratch === undefined ? {} : { scratch }) };
        const log = await verifyLog(here, store, options);
        const findings = await verify(here, store, options);
        if (json) print({ store, findings, log });
        else if (findings.length === 0) show(`${store}: nothing new to verify`);
        if (findings.some(isTrouble) || log.some((found) => found.outcome === "unchecked" || found.trouble))
            process.exitCode = exitCodes.no;
    });
