import { fenceWait } from "../lease.ts";
import { names, witness, witnessRegion } from "../names.ts";
import { plans } from "../plans.ts";
import { formatDuration, seconds } from "../units.ts";
import type { RunbookContents, RunbookOptions } from "./contents.ts";
import { copies } from "./copies.ts";
import { looks } from "./looks.ts";
import { boxes, chapter, code, list, numbered, shell, table } from "./markdown.ts";
import { messagesChapter } from "./messages.ts";
import { escalation, firstActions } from "./people.ts";
import {
    activate,
    activationSteps,
    activationTroubles,
    decision,
    emptyMachine,
    noReasonToActivate,
    seenFromOutside,
    takeoverFigures,
    takeoverVerification,
    worst,
    type Takeover,
} from "./takeover.ts";

/** The primary is cut off from everybody outside it, and lives: the plan is that of a region's loss, what surrounds it is not. */
export function partitionRunbook(options: RunbookOptions): RunbookContents {
    const { estate } = options;
    const plan = plans["region-loss"](estate);
    const takeover: Takeover = { ...options, plan };
    const [lost, active] = [estate.sites[plan.lost].region, estate.sites[plan.active].region];
    return {
        title: `Runbook of ${estate.name}: the primary is cut off, and lives`,
        lead: `Nobody outside reaches the primary (**${lost}**), but it **lives**: it may go on serving whoever is inside. The **standby** (**${active}**) takes over.`,
        chapters: [
            short(takeover),
            detection(takeover),
            first(takeover),
            emptyMachine(takeover),
            decision(
                takeover,
                `What the primary acknowledges **after** the cut comes on top, and no objective promises it. It is in the primary's databases alone. Where the primary reaches nobody it ends with the lease, ${formatDuration(estate.lease.duration)} after the cut. Where it reaches one who answers for the epoch it ends with your ${code("fence")}: waiting costs orders then.`,
                "A cut that heals **before** you go costs nothing: the primary's guards open its databases again by themselves.",
            ),
            fence(takeover),
            activationSteps(takeover),
            activationTroubles(
                "wait for its region, then begin again. **Not** `--without-witness`: the primary lives. When it may be used says *Why the fence is waited out*",
                [
                    "customers inside the cut still get orders confirmed, after `fence` is done",
                    "this must not be. Call everybody. Have the primary's pods stopped from inside, and write down the time: merging will need it",
                ],
            ),
            takeoverVerification(
                takeover,
                `${code("lifeboat status")} names no database of the primary as writable: "no answer" as long as it is cut off`,
            ),
            whenItHeals(takeover),
            escalation(estate),
            messages(takeover),
            after(takeover),
            takeoverFigures(takeover),
            copies(options, "partition"),
        ],
    };
}

const short = ({ plan }: Takeover): string =>
    chapter(
        "In short",
        "Breathe. Read one line at a time. Nothing here needs the primary. The plan is the one for the loss of a region, step by step.",
        numbered([
            `Is it real, and could we? ${code("lifeboat status")}`,
            "Does it live? *Detection* says how that is seen. Not sure? Go on: the same command is right for a dead primary and for one that lives.",
            "Decide: is it longer to wait than to go? *What you need to decide* is below.",
            `Go: ${code(activate)}. It asks you to type \`${plan.active}\`.`,
            `It waits in ${code("fence")}. **Let it wait.** Never ${code("--without-witness")} while the primary may live.`,
            `It stopped? ${code("lifeboat activate --resume")}, on any machine, as often as you like.`,
            `You were wrong, or the cut healed, and no database was promoted yet? ${code("lifeboat activate --abort")}`,
            "The cut heals: touch nothing. *When the cut heals* says what you see.",
        ]),
    );

function detection(takeover: Takeover): string {
    const { estate, account = "ACCOUNT" } = takeover;
    const { lease, sites } = estate;
    const region = sites.primary.region;
    return chapter(
        "Detection",
        "From outside it looks like the loss of the region. Health checks cannot tell the two apart. **All** of these hold:",
        boxes(seenFromOutside(takeover)),
        "It lives, and is cut off, when **one** of these holds as well:",
        boxes([
            `somebody inside ${region} (an office, a partner, a machine of yours) is still served`,
            `the provider speaks of the network of ${region}, not of its machines: https://health.aws.amazon.com/health/status`,
            `its guards renew their leases: a time in this list is younger than the cut, and grows every ${formatDuration(seconds(lease.duration / 3))} or so`,
        ]),
        shell(`aws s3 ls --region ${witnessRegion(estate)} s3://${names(estate, account).witnessBucket}/${witness.leases}`),
        "Leases that grow: the primary reaches the witness, and acknowledges orders until somebody fences it. Leases that do not grow prove nothing: it may be dead, or reach nobody.",
        "It is **not** this scenario, and activating would make it worse, when:",
        noReasonToActivate,
    );
}

const first = ({ estate, plan }: Takeover): string =>
    firstActions(
        estate,
        [
            "Stop deployments. Nobody runs `pulumi up` by hand, on either side of the cut.",
            `Find somebody inside ${estate.sites[plan.lost].region}. Ask: are you served? Have them change nothing.`,
            "Write down when the cut began, and who is served inside: both are needed when lost orders are looked for.",
            "Send the first message (below), inside as well.",
            "Paste what this says into the incident channel:",
        ],
        shell("lifeboat status"),
    );

/** Why nobody may promote sooner, and what leaves the witness out. */
function fence({ estate }: Takeover): string {
    const { duration } = estate.lease;
    const span = formatDuration(duration);
    const proves =
        estate.sites.witness === undefined
            ? `The epoch record in the standby says whose turn it is, and the witness's copy of it, in the same region (${witnessRegion(estate)}).`
            : `The epoch record in the standby (${estate.sites.standby.region}) says whose turn it is, and the witness's copy of it (${witnessRegion(estate)}).`;
    return chapter(
        "Why the fence is waited out",
        `A guard stands before each database of the primary. ${proves} A guard that reads one of the two may let writes through for ${span} from then on.`,
        list([
            `The primary reaches neither: its databases close by themselves ${span} after the cut. Customers inside get errors from then on.`,
            `It reaches one of them: it goes on until the activation's ${code("claim")} and ${code("fence")} have raised both.`,
            `${code("fence")} then waits **${formatDuration(fenceWait([duration]))}**: the longest proof that was given before, and a margin. Whoever promotes sooner has two databases that both say yes, and nobody can put them together again.`,
        ]),
        `${code("--without-witness")} leaves the witness out:`,
        list([
            "**It may be used** when the witness does not answer, and the primary is *known* to be dead: the provider says that its machines are stopped, or somebody stopped them and saw it. Write into `--reason` how it is known.",
            "**It must not be used** when the primary is only silent, when somebody inside is served, when the provider speaks of the network, or when nobody can look.",
            "**It saves no time**: the lease is waited out all the same.",
        ]),
    );
}

/** What an old primary does once it is in touch again; the rehearsal holds it to this. */
function whenItHeals({ estate, plan }: Takeover): string {
    const stores = Object.keys(estate.stores);
    const { kubectl, addresses } = looks(estate);
    const [lost, active] = [estate.sites[plan.lost].region, estate.sites[plan.active].region];
    return chapter(
        "When the cut heals",
        `The old primary (${lost}) learns within seconds that the epoch is the standby's. Nothing has to be typed. This is what you see:`,
        table(
            ["of the old primary", "what is seen"],
            [
                [
                    "its databases",
                    `stay read-only: ${code("lifeboat status")} says \`read-only\` under ${plan.lost}. Each guard's log says \`stays read-only\`, and which epoch made the ${plan.active} active`,
                ],
                ["its pods", "stay up for now, and cannot write: whoever is inside and asks them gets errors"],
                ["traffic", `none. The latch is thrown, and does not go back by itself: users are answered by ${active}`],
                ["its backups", "refuse to run: what it holds is no recovery point any more"],
                [
                    "`pulumi up -s prod`",
                    "leaves it passive, and takes its pods away: the epoch says so, not the configuration. You need not run it",
                ],
                [
                    "`pulumi up -s prod` with `lifeboat:assumeEpoch` in its configuration",
                    "is refused: `an update goes by the epoch record alone`. Take it out: `pulumi config rm -s prod lifeboat:assumeEpoch`",
                ],
            ],
        ),
        shell("lifeboat status", ...stores.map((store) => `${kubectl("primary")} logs ${store}-0 -c guard --tail=5`), ...addresses),
        `**What it acknowledged alone is in its databases and nowhere else.** To the standby's history it is lost. Nobody deletes those databases, nobody opens them, nobody runs ${code("lifeboat guard STORE --rejoin")} by hand: that wipes them. ${code("lifeboat failback")} saves those rows aside before it makes the databases replicas, and counts them. It does not merge them: people do, who know what the orders mean.`,
    );
}

function messages({ estate, plan }: Takeover): string {
    const services = Object.keys(estate.services).join(", ");
    const [lost, active] = [estate.sites[plan.lost].region, estate.sites[plan.active].region];
    const { within, lose } = worst(estate, plan);
    return messagesChapter([
        {
            when: "At once",
            to: "users and colleagues",
            lines: [
                `${services}: cannot be reached by many of you since ____ UTC.`,
                "We see it and are working on it. Next message at ____ UTC.",
            ],
        },
        {
            when: "At once",
            to: `whoever is still served inside ${lost}`,
            lines: [
                `${services}: ${lost} is cut off since ____ UTC. You may still be served. Please hold back what can wait.`,
                "What is confirmed to you from now on may have to be entered again. Keep your confirmations.",
            ],
        },
        {
            when: "When it is decided",
            to: "management, and whoever decides with you",
            lines: [
                `${estate.name}: ${lost} is cut off and we move to ${active}. Decided by ____ at ____ UTC.`,
                `Expected back within ${within} of the cut. At worst the last ${lose} of confirmed writes before it are lost, and what ${lost} confirmed alone after it is set aside.`,
                "It cannot be taken back once the first database is promoted.",
            ],
        },
        {
            when: "When it serves again",
            to: "users",
            lines: [
                `${services}: back since ____ UTC, from another region.`,
                "Writes that were confirmed between ____ and ____ UTC may be missing: please look at yours. We keep what can be found, and will write to everybody whom we know to be affected by ____ UTC.",
            ],
        },
        {
            when: "If it takes longer than promised",
            to: "management, users",
            lines: [
                `${services}: still not reached by everybody at ____ UTC, longer than we promised. We are at step ____ of the plan; what holds us up: ____.`,
                "Next message at ____ UTC.",
            ],
        },
    ]);
}

function after({ estate, plan }: Takeover): string {
    const { region } = estate.sites[plan.lost];
    const [store = ""] = Object.keys(estate.stores);
    return chapter(
        "After the incident",
        "The timeline, to be pasted into the incident; and who is active:",
        shell("lifeboat journal", "lifeboat epoch"),
        boxes([
            `**Leave the old ${plan.lost} closed.** Its databases hold orders that nobody else has.`,
            `The ${plan.active} runs alone now. Its backups run there, with one copy: ${code("lifeboat backups")} every hour until there is a peer again.`,
            `Go back in daylight, once ${region} is quiet: the page for ${code("failback")}. It saves aside what ${region} acknowledged alone; ${code("lifeboat journal")} counts it by table and gives the ID.`,
            `Look at it: ${code(`lifeboat aside ${store} --show ID`)}. Decide order by order what is entered again, and who tells whom.`,
            "Send the last message. Tell users what was lost, in orders, not in seconds.",
            "Write down what this page did not tell you, and mend it in the repository: it is made of the plan and the estate.",
        ]),
    );
}
