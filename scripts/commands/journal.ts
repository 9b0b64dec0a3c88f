import { Command } from "commander";
import { Failure } from "../../model/failure.ts";
import { accountNumber } from "../../recovery/account.ts";
import { checkEstate } from "../../recovery/activate.ts";
import { coordinationOf } from "../../recovery/coordination.ts";
import { activationId } from "../../recovery/journal/entries.ts";
import { activations, readJournal } from "../../recovery/journal/journal.ts";
import { tellJournal } from "../../recovery/journal/timeline.ts";
import { estate } from "../../stacks/estate.ts";
import { print, show } from "../output.ts";

export const command = new Command("journal")
    .argument("[activation]", "id of the activation, as in 20261121T154010Z-9f3c (default: the newest)")
    .description(
        "Prints an activation's journal as plain text that can be pasted into an incident: each step with its time in UTC and the seconds since\n" +
            "the start, who ran it, what failed. It holds no secret. It is checked: a changed or missing entry is refused.",
    )
    .option("--list", "list the activations, newest first")
    .option("--json", "print the entries, or the list, as JSON")
    .action(async (asked: string | undefined, { list, json }: { list?: boolean; json?: boolean }) => {
        if (asked !== undefined && !activationId.safeParse(asked).success)
            throw new Failure("usage", `"${asked}" is no activation's id`, "run `lifeboat journal --list` to see them");
        const bucket = coordinationOf(estate, await accountNumber(estate.sites.standby.region));
        const known = await activations(bucket);
        if (list === true) {
            if (json === true) return print({ activations: known });
            return show(known.join("\n") || "there was no activation yet");
        }
        const activation = asked ?? known[0];
        if (activation === undefined || !known.includes(activation))
            throw new Failure(
                "usage",
                asked === undefined ? "there was no activation yet" : `there is no activation ${asked}`,
                known.length === 0 ? "run `lifeboat status` to see who is active" : "run `lifeboat journal --list` to see them",
            );
        const { entries, state } = await readJournal(bucket, activation);
        checkEstate(state, estate);
        if (json === true) print({ activation, entries });
        else show(tellJournal(entries));
    });
