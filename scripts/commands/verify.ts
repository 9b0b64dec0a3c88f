import { Command } from "commander";
import { verify, type Finding } from "../../backup/verification.ts";
import { exitCodes } from "../../model/failure.ts";
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
        "Reads back every backup of a store that has arrived in this site's vault (the standby's, unless LIFEBOAT_SITE says otherwise):\n" +
            "fetched, decrypted, unpacked, hashed, whole to its end marker. What holds is entered in the catalog: only then is it a recovery\n" +
            "point. What does not is rejected. Ends with 1 if a backup was rejected, is late, or could not be checked.",
    )
    .option("--json", "print what was found as JSON")
    .action(async (store: string, { json }: { json?: boolean }) => {
        const findings = await verify(await standpoint("standby"), store, { signal: interruption, note });
        if (json) print({ store, findings });
        else if (findings.length === 0) show(`${store}: nothing new to verify`);
        if (findings.some(isTrouble)) process.exitCode = exitCodes.no;
    });
