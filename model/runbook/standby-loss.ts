import type { Estate } from "../estate.ts";
import { coordination, names, witnessRegion } from "../names.ts";
import { standbyRebuild, type RebuildStep, type RebuildStepName } from "../standby-rebuild.ts";
import { formatDuration } from "../units.ts";
import type { RunbookContents, RunbookOptions } from "./contents.ts";
import { copies } from "./copies.ts";
import { stepFigures } from "./figures.ts";
import { looks } from "./looks.ts";
import { bothSitesMachine } from "./machine.ts";
import { boxes, chapter, code, list, numbered, shell, table } from "./markdown.ts";
import { messagesChapter } from "./messages.ts";
import { escalation, firstActions } from "./people.ts";
import { stepsChapter, type StepCommands } from "./steps.ts";
import { troubleChapter } from "./troubles.ts";

/** The standby is lost, or the witness: the primary serves on, unprotected until the standby is rebuilt. */
export function standbyLossRunbook(options: RunbookOptions): RunbookContents {
    const { estate } = options;
    const rebuild = standbyRebuild(estate);
    const { primary, standby } = estate.sites;
    return {
        title: `Runbook of ${estate.name}: loss of the standby, or of the witness`,
        lead: `The standby (**${standby.region}**) is lost${estate.sites.witness === undefined ? "" : `, or the witness (${witnessRegion(estate)})`}. ${stands(estate)} Without the standby **nothing is protected**: the primary (**${primary.region}**) is alone.`,
        chapters: [
            short(estate),
            detection(estate),
            first(estate),
            bothSitesMachine(
                options,
                "The released bundle lies in the standby: while that is dark it is not to be had. The break-glass role may not rebuild anything: take your own.",
            ),
            goesOn(estate),
            decision(options),
            steps(estate, rebuild),
            troubles,
            lostVolume(estate),
            witnessAlone(estate),
            verification(),
            escalation(estate, "Unprotected for longer than a day: all of them."),
            messages(estate),
            after,
            stepFigures(rebuild),
            copies(options, "standby-loss"),
        ],
    };
}

const lease = ({ lease: { duration } }: Estate): string => formatDuration(duration);

/** Whether anybody can prove to the primary's guards that it is still active. */
const stands = (estate: Estate): string =>
    estate.sites.witness === undefined
        ? `No witness region of its own is declared, so nobody is left who can prove that the primary is active: its databases **close** ${lease(estate)} later, and users wait until ${estate.sites.standby.region} answers.`
        : "**Nobody is stopped**: users are served as ever.";

function short(estate: Estate): string {
    return chapter(
        "In short",
        estate.sites.witness === undefined
            ? "Users are stopped, and no command of ours helps: the records in the standby's region must answer again. Call its provider."
            : "Breathe. Users are served. There is time.",
        numbered([
            `Is it the standby alone? ${code("lifeboat status")}`,
            "**Do not activate.** There is nothing to go to. Touch nothing in the primary.",
            "Tell those who have to know: *unprotected since ____ UTC*.",
            `${estate.sites.standby.region} answers again: do *The steps*.`,
            `Protected again? ${code("lifeboat status")} says yes, and ends with 0.`,
            "Is it the witness alone? *Loss of the witness alone* is below.",
        ]),
    );
}

function detection(estate: Estate): string {
    const { kubectl, users } = looks(estate);
    const stores = Object.keys(estate.stores);
    const open = estate.sites.witness === undefined ? "writable, or read-only once its lease has run out" : "writable";
    return chapter(
        "Detection",
        "It is this scenario when **all** of these hold:",
        boxes([
            `${code("lifeboat status")} shows the standby as "no answer" in every row, and the primary's databases as ${open}`,
            ...(estate.sites.witness === undefined
                ? ["it cannot say which site is active"]
                : ['it says "the standby does not answer: so says the witness", and that the primary is active', "users are served:"]),
        ]),
        shell("lifeboat status", ...users),
        "It is **not** this scenario when:",
        list([
            `the primary gives no answer, too: is it your own way out? Ask from elsewhere. If not: the page for ${code("region-loss")}`,
            'only "witness: no answer" is said: *Loss of the witness alone*, below',
            "one replica is down or behind, and the rest of the standby answers: mend that one",
        ]),
        shell(...stores.map((store) => `${kubectl("standby")} describe pod ${store}-0`)),
    );
}

const first = (estate: Estate): string =>
    firstActions(
        estate,
        [
            `**No** ${code("lifeboat activate")}, **no** ${code("lifeboat failback")}: both need the standby.`,
            "No release, no restart, no scaling in the primary: nobody could take over from it.",
            ...(estate.sites.witness === undefined
                ? []
                : [
                      `Nobody touches the witness (${witnessRegion(estate)}), nor the primary's way to it. It alone proves now that the primary is active: without it the databases close ${lease(estate)} later.`,
                  ]),
            `**No** ${code("lifeboat bootstrap")} while the standby is silent or its records are missing: it would write a first epoch over a truth that is only hidden.`,
            "Send the first message (below).",
            "See that backups go on, and paste both into the channel:",
        ],
        shell("lifeboat status", `${looks(estate).kubectl("primary")} get cronjobs,jobs`),
    );

const goesOn = (estate: Estate): string =>
    chapter(
        "What goes on, and what does not",
        table(
            ["", "while the standby is dark"],
            [
                [
                    "users",
                    estate.sites.witness === undefined
                        ? `stopped ${lease(estate)} after the loss, until ${estate.sites.standby.region} answers`
                        : "are served by the primary; Route 53 leads nobody elsewhere",
                ],
                ["backups", "are made, and stay in the primary's region. Nobody verifies them: that is the standby's work"],
                ["activation, fail-back", "impossible: their records lie in the standby"],
                ["`pulumi up` of either stack", "impossible: its state lies in the standby. Do not point it elsewhere"],
                [
                    "`lifeboat epoch`, `latch`, `journal`, `backups`, `bundle`",
                    "give no answer (exit 5). `lifeboat status` does: it asks the witness and the primary",
                ],
            ],
        ),
    );

function decision({ estate, account = "ACCOUNT" }: RunbookOptions): string {
    const { primary, standby } = estate.sites;
    const { stateCopyBucket, coordinationBucket } = names(estate, account);
    return chapter(
        "What you need to decide",
        "Nothing at once. One thing only: is the region coming back?",
        table(
            ["the standby", "what to do"],
            [
                ["comes back with its disks", "replicas go on from where they stand. Do *The steps* all the same: they see to the rest"],
                [
                    "comes back, and lost volumes",
                    "*The steps* too: an empty replica is copied from the primary. *A volume that did not come back* has what to type where one is stuck",
                ],
                [
                    "comes back without its buckets",
                    `stop, and escalate. Records (${code(coordinationBucket)}, ${code(coordination.epoch)}) and state are gone with them. A copy of the state lies in ${primary.region}: ${code(stateCopyBucket)}. Putting it back was never rehearsed`,
                ],
                [
                    "does not come back",
                    `escalate: a new standby region is a change of the estate, in daylight. ${standby.region} holds zone, keys and state`,
                ],
            ],
        ),
        "If the **primary** is lost, too, while the standby is dark, nobody can take over: whichever region comes back first serves. Decide now who may stop risky work in the primary.",
    );
}

const commandsOf = (estate: Estate, rebuild: readonly RebuildStep[]): Record<RebuildStepName, StepCommands> => {
    const { kubectl } = looks(estate);
    const command = (name: RebuildStepName) => rebuild.find((step) => step.name === name)?.command.join(" ") ?? "";
    return {
        reach: { command: command("reach"), look: `${kubectl("standby")} get nodes` },
        "stand up": { command: command("stand up"), look: `${kubectl("standby")} get pods` },
        follow: { command: command("follow") },
    };
};

const steps = (estate: Estate, rebuild: readonly RebuildStep[]): string =>
    stepsChapter({
        undoable: rebuild,
        forward: [],
        commands: (step) => commandsOf(estate, rebuild)[step],
        before: [
            `Once ${estate.sites.standby.region} answers again, in this order, each when the one before has ended with 0. Users notice nothing. You may stop anywhere, and begin again.`,
        ],
    });

const troubles = troubleChapter([
    [
        "`lifeboat epoch` says that there is no epoch record, or names another site than the witness did",
        "stop. Nobody runs `lifeboat bootstrap`. Escalate: the records have to be brought back first, from the older versions in the bucket",
    ],
    [
        "`pulumi up` says that an update holds the stack",
        "it died with the region: `pulumi cancel dr`, then `pulumi refresh -s dr`, then again",
    ],
    ["`pulumi up` wants to replace or delete what you know", "say no. `pulumi refresh -s dr` first, then look again"],
    ['"its seed is not finished"', "it is being copied. How far, says the log of its guard"],
    ["the primary is lost meanwhile", "the page for `region-loss`, if `lifeboat status` says that the standby could take over"],
]);

function lostVolume(estate: Estate): string {
    const standby = looks(estate).kubectl("standby");
    return chapter(
        "A volume that did not come back",
        `A database's pod in the standby that waits for a volume which is gone waits for ever. Let both go: they are made anew, and the data is copied from the primary. **Only in the standby**: read ${code("--context standby")} in the line before you press Enter.`,
        ...Object.keys(estate.stores).map((store) =>
            shell(`${standby} delete pvc data-${store}-0 --wait=false`, `${standby} delete pod ${store}-0 --force`),
        ),
        "How far the copy is:",
        shell(...Object.keys(estate.stores).map((store) => `${standby} logs ${store}-0 -c guard --tail=5`)),
    );
}

function witnessAlone(estate: Estate): string {
    const region = witnessRegion(estate);
    if (estate.sites.witness === undefined)
        return chapter(
            "Loss of the witness alone",
            `No region of its own is declared for it: its bucket lies in ${region}, with the standby's records. Is only that bucket gone? ${code("lifeboat bootstrap")} makes it anew, once ${code("lifeboat epoch")} answers.`,
        );
    return chapter(
        "Loss of the witness alone",
        `Nobody is stopped: the epoch record in the standby proves the same to every guard. ${code("lifeboat status")} says "witness: no answer", and no to "could we fail over now": an activation would stop at ${code("fence")}.`,
        list([
            `${region} is away: wait. Nothing has to be rebuilt; guards in the standby bring its copy up to date by themselves.`,
            `Its bucket is gone or empty: ${code("lifeboat bootstrap")} makes it anew, with a copy of the epoch. Only while ${code("lifeboat epoch")} answers and names the right site.`,
            "Do not take the witness out of the estate: a guard of the old release and one of the new would ask different people.",
            `The primary is lost meanwhile: ${code('lifeboat activate --without-witness --reason "HOW IT IS KNOWN"')}, **only** where it is known to be dead. The page for ${code("partition")} says when.`,
        ]),
        "See that it is whole again:",
        shell("lifeboat status"),
    );
}

const verification = (): string =>
    chapter(
        "Verification",
        "It is protected again when all of these hold:",
        boxes([
            `${code("lifeboat status")} says yes to "COULD WE FAIL OVER NOW?", ends with 0, and lists nothing as UNPROTECTED`,
            `${code("lifeboat backups")} ends with 0: what the primary backed up meanwhile has arrived and was verified`,
            `${code("lifeboat promotion-diff")} ends with 0: a promotion would change only what it may`,
            `${code("lifeboat bundle --verify")} ends with 0: what an activation runs from is whole`,
        ]),
        shell("lifeboat status", "lifeboat backups", "lifeboat promotion-diff", "lifeboat bundle --verify"),
    );

function messages(estate: Estate): string {
    const services = Object.keys(estate.services).join(", ");
    const { primary, standby } = estate.sites;
    const served =
        estate.sites.witness === undefined
            ? `${services}: stopped since ____ UTC, until ${standby.region} answers.`
            : `Users of ${services} are served as ever.`;
    return messagesChapter([
        {
            when: "At once",
            to: estate.sites.witness === undefined ? "users, management and colleagues" : "management and colleagues",
            lines: [
                `${estate.name}: the standby (${standby.region}) is lost since ____ UTC. ${served}`,
                `We are unprotected: if ${primary.region} fails now, nobody takes over. No releases, no risky work until we say so.`,
                "Next message at ____ UTC.",
            ],
        },
        {
            when: "When it is rebuilt",
            to: "management and colleagues",
            lines: [`${estate.name}: protected again since ____ UTC, after ____ h without a standby. Releases may go on.`],
        },
        {
            when: "If it takes longer than a day",
            to: "management",
            lines: [
                `${estate.name}: still without a standby at ____ UTC. What holds us up: ____.`,
                "To be decided: how long we bear that, or whether another region becomes the standby. Decided by ____.",
            ],
        },
    ]);
}

const after = chapter(
    "After the incident",
    boxes([
        "Releases that waited may go on: preview both stacks first.",
        `Put the present release and these pages into the standby: ${code("lifeboat bundle")}, ${code("lifeboat runbook --publish")}.`,
        "Restore one recovery point of each store as a drill: what was copied late is known to be good only then.",
        "Say how long nothing was protected, and how old the newest verified point became.",
        "Write down what this page did not tell you, and mend it in the repository: it is made of the estate and of what the rehearsal runs.",
    ]),
);
