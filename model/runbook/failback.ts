import type { Estate } from "../estate.ts";
import { switchBound, type FailbackPlan } from "../failback.ts";
import { estimateOf, stepsOf } from "../plan.ts";
import { plans } from "../plans.ts";
import { formatDuration } from "../units.ts";
import type { RunbookContents, RunbookOptions } from "./contents.ts";
import { copies } from "./copies.ts";
import { failbackCommands } from "./failback-commands.ts";
import { stepFigures } from "./figures.ts";
import { looks } from "./looks.ts";
import { bothSitesMachine } from "./machine.ts";
import { boxes, chapter, code, list, numbered, shell, table } from "./markdown.ts";
import { messagesChapter } from "./messages.ts";
import { escalation, firstActions } from "./people.ts";
import { stepsChapter } from "./steps.ts";
import { runTroubles, troubleChapter } from "./troubles.ts";

const failback = 'lifeboat failback --reason "WHY NOW"';

/** The standby serves, and the primary's region answers again: the way back. */
export function failbackRunbook(options: RunbookOptions): RunbookContents {
    const { estate } = options;
    const plan = plans.failback(estate);
    const { primary, standby } = estate.sites;
    return {
        title: `Runbook of ${estate.name}: back to the primary`,
        lead: `The standby (**${standby.region}**) serves. The region of the **primary** (**${primary.region}**) answers again and takes over from it, without losing a write.`,
        chapters: [
            short(plan),
            detection(estate),
            first(estate),
            bothSitesMachine(
                options,
                "`lifeboat failback` runs `pulumi up` of both stacks: the break-glass role may not do that. Take your own.",
            ),
            decision(estate, plan),
            steps(estate, plan),
            troubles,
            verification(estate),
            escalation(estate, "Users wait longer than announced: all of them."),
            messages(estate, plan),
            after(estate),
            stepFigures(stepsOf(plan)),
            copies(options, plan.scenario),
        ],
    };
}

const waits = (plan: FailbackPlan): string => formatDuration(switchBound(plan).seconds);

const short = (plan: FailbackPlan): string =>
    chapter(
        "In short",
        "This is no emergency: the standby serves. Do it rested, in daylight, on a quiet day. If in doubt, tomorrow.",
        numbered([
            `Is it time? *Detection* is below. ${code("lifeboat status")}`,
            `See it all, without doing anything: ${code("lifeboat failback --plan")}`,
            `Go: ${code(failback)}. It asks you to type \`${plan.active}\`.`,
            `It copies first, for hours where there is much. Users notice nothing. They wait once, from ${code("claim")} to ${code("answer")}: ${waits(plan)} at most are expected.`,
            `It stopped? ${code("lifeboat failback --resume")}, on any machine, as often as you like.`,
            `You want to stay where you are, and no database was promoted yet? ${code("lifeboat failback --abort")}: the standby goes on serving.`,
        ]),
    );

function detection(estate: Estate): string {
    const { primary } = estate.sites;
    return chapter(
        "Detection",
        "It is time to go back when **all** of these hold:",
        boxes([
            `${code("lifeboat status")} names the standby as active, every store in it as writable, and no activation as unfinished`,
            `the provider has called ${primary.region} healthy, for longer than the last trouble took: https://health.aws.amazon.com/health/status`,
            "its cluster answers, and its nodes are ready:",
        ]),
        shell("lifeboat status", "kubectl --context primary get nodes"),
        boxes([
            `its databases are read-only, or a replica, or do not answer yet. **None is writable**`,
            `every store has a fresh verified recovery point in the standby: ${code("lifeboat backups")} ends with 0`,
            "nobody expects a rush of users in the next hours",
        ]),
        "It is **not** the time when:",
        list([
            "a database of the primary is writable while the standby is active: two writers. Call everybody; do not begin",
            "somebody is at work on the old databases: what they hold alone is saved once, as it stands then",
            `the standby itself is in trouble. Mend it first; where it is lost: ${code("lifeboat backups")} says what there is to restore, ${code("lifeboat restore STORE --to URL")} puts it into a server`,
        ]),
    );
}

const first = (estate: Estate): string =>
    firstActions(
        estate,
        [
            "Stop deployments until it is done. Nobody else runs `pulumi up`.",
            "Leave the old databases as they are. Nobody wipes, restores or opens them.",
            `The cluster in ${estate.sites.primary.region} was built anew? The stack does not know it yet: ${code("pulumi refresh -s prod")} first.`,
            "Send the first message (below).",
            "Paste what this says into the channel:",
        ],
        shell("lifeboat status", "lifeboat failback --plan"),
    );

function decision(estate: Estate, plan: FailbackPlan): string {
    const { modelled } = switchBound(plan);
    const expected = new Map<string, string>(stepsOf(plan).map((step) => [step.name, formatDuration(estimateOf(step))]));
    const copies = Object.keys(estate.stores).map((store) => [
        `the data of ${store}, if it is copied`,
        `${expected.get(`rejoin:${store}`)} to the primary, ${expected.get(`protect:${store}`)} back to the standby`,
        "go on as ever",
    ]);
    return chapter(
        "What you need to decide",
        `Only *when*. Until ${code("claim")} nothing is felt, and until the first promotion ${code("lifeboat failback --abort")} takes it back.`,
        table(
            ["what", "expected", "users"],
            [
                ...copies,
                [
                    `the switch, from ${code("claim")} to ${code("answer")}`,
                    `${waits(plan)} at most, of which ${formatDuration(modelled)} only a cloud can show`,
                    "**wait**, and get errors",
                ],
                ["acknowledged writes that are lost", "none: the standby closes before the primary is promoted", ""],
            ],
        ),
        "Some things are only known while it runs. It decides them by itself and writes them into the journal; each step below says which: *Decided then*. Where a figure above does not suit you, stop before `claim`: Ctrl-C, then `--abort`.",
        "The whole plan, without doing anything:",
        shell("lifeboat failback --plan"),
    );
}

const steps = (estate: Estate, plan: FailbackPlan): string =>
    stepsChapter({
        undoable: plan.undoable,
        forward: plan.forward,
        commands: (step) => failbackCommands(estate, step),
        executes: "lifeboat failback",
        before: [
            "All steps of *lifeboat* are done by **one command**, in this order; those that wait for nothing of each other run side by side:",
            shell(failback),
            `It asks for \`${plan.active}\` to be typed. For a machine: add \`--yes\`. It tells each step as it goes. A second terminal may watch: ${code("lifeboat status")}.`,
        ],
    });

const troubles = troubleChapter([
    ...runTroubles("lifeboat failback", failback),
    [
        '"an update holds the stack" (exit 4)',
        "wait for it. What your own killed run left, `lifeboat failback --resume` on the same machine ends. Is another one dead? The message names `pulumi cancel`, and the refresh that belongs to it",
    ],
    [
        '"… in the primary is writable, though the standby is active"',
        "two writers. Do not go on. The message names the guard's log; call everybody",
    ],
    [
        '"its guard did not say that it is closed; its lease has run out"',
        "a note, no error: the lease was waited out instead. Look at that guard afterwards",
    ],
    [
        "a replica never comes near",
        "`follow` gives up at its limit, and all is undone. Look at the lag in `lifeboat status`, and at the link between the regions",
    ],
    ["you want to stay, and no database was promoted", code("lifeboat failback --abort")],
    ["you want to stay, and one was", "go on to the end. Back to the standby is an activation: the page for `region-loss`"],
]);

function verification(estate: Estate): string {
    const { addresses, users } = looks(estate);
    return chapter(
        "Verification",
        boxes([
            `${code("lifeboat status")} names the primary as active, every store in it as writable, and its peer in the standby as a replica`,
            'it lists nothing as UNPROTECTED, and says yes to "COULD WE FAIL OVER NOW?"',
            "an order of your own, placed as a user would, is there when you look again",
            "the next backup is made in the primary, and verified",
        ]),
        shell("lifeboat status", ...addresses, ...users, "lifeboat backups"),
    );
}

function messages(estate: Estate, plan: FailbackPlan): string {
    const services = Object.keys(estate.services).join(", ");
    const { primary } = estate.sites;
    return messagesChapter([
        {
            when: "The day before",
            to: "users and colleagues",
            lines: [
                `${services}: on ____ between ____ and ____ UTC we move back to ${primary.region}.`,
                `For up to ${waits(plan)} in that time orders will not be accepted. Nothing that was confirmed is lost.`,
            ],
        },
        {
            when: "Before `claim`",
            to: "users",
            lines: [`${services}: no orders are accepted from now on, for up to ${waits(plan)}.`, "Next message at ____ UTC."],
        },
        {
            when: "When it serves again",
            to: "users, management",
            lines: [`${services}: back since ____ UTC. Nothing that was confirmed is lost.`],
        },
        {
            when: "If it was given up",
            to: "users, management",
            lines: [
                `${services}: the move was put off at ____ UTC. You are served as before, and nothing is lost.`,
                "We will name another day.",
            ],
        },
    ]);
}

function after(estate: Estate): string {
    const [store = ""] = Object.keys(estate.stores);
    return chapter(
        "After the incident",
        "The timeline, with what was decided on the way; and who is active:",
        shell("lifeboat journal", "lifeboat epoch"),
        boxes([
            `Rows that the old primary held alone were saved aside: the journal counts them and gives the ID. Look at them: ${code(`lifeboat aside ${store} --show ID`)}. Merging is for people who know what they mean.`,
            "Tell whoever lost orders what was found.",
            `Preview both stacks: a change that was held back goes out now. ${code("lifeboat promotion-diff")} says whether the next promotion could still be done.`,
            `Put the present release and these pages into the standby again: ${code("lifeboat bundle")}, ${code("lifeboat runbook --publish")}.`,
            "Write down what this page did not tell you, and mend it in the repository: it is made of the plan and the estate.",
        ]),
    );
}
