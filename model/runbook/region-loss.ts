import { plans } from "../plans.ts";
import type { RunbookContents, RunbookOptions } from "./contents.ts";
import { copies } from "./copies.ts";
import { boxes, chapter, code, numbered, shell } from "./markdown.ts";
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

/** The primary's region is gone: the standby takes over. */
export function regionLossRunbook(options: RunbookOptions): RunbookContents {
    const { estate } = options;
    const plan = plans["region-loss"](estate);
    const takeover: Takeover = { ...options, plan };
    const [lost, active] = [estate.sites[plan.lost].region, estate.sites[plan.active].region];
    return {
        title: `Runbook of ${estate.name}: loss of a region`,
        lead: `The ${plan.lost} (**${lost}**) is lost. The **${plan.active}** (**${active}**) takes over.`,
        chapters: [
            short(takeover),
            detection(takeover),
            first(takeover),
            emptyMachine(takeover),
            decision(takeover),
            activationSteps(takeover),
            activationTroubles(
                'wait for the witness\'s region, then begin again. Only if you **know** that the primary is dead: `lifeboat activate --without-witness --reason "HOW IT IS KNOWN"`',
            ),
            takeoverVerification(takeover),
            escalation(estate),
            messages(takeover),
            after(takeover),
            takeoverFigures(takeover),
            copies(options, "region-loss"),
        ],
    };
}

const short = ({ plan }: Takeover): string =>
    chapter(
        "In short",
        "Breathe. Read one line at a time. Nothing here needs the lost region.",
        numbered([
            `Is it real, and could we? ${code("lifeboat status")}`,
            "Decide: is it longer to wait than to go? *What you need to decide* is below.",
            `Go: ${code(activate)}. It shows what it will do and asks you to type \`${plan.active}\`.`,
            `It stopped? ${code("lifeboat activate --resume")}, on any machine, as often as you like.`,
            `You were wrong, and no database was promoted yet? ${code("lifeboat activate --abort")}`,
        ]),
    );

const detection = (takeover: Takeover): string =>
    chapter(
        "Detection",
        "It is this scenario when **all** of these hold:",
        boxes([
            ...seenFromOutside(takeover),
            `the provider's status page, or people elsewhere, say that ${takeover.estate.sites.primary.region} has trouble: https://health.aws.amazon.com/health/status`,
        ]),
        `Somebody inside the region is still served? It is cut off, and lives: take the page for ${code("partition")}. The command is the same.`,
        "It is **not** this scenario, and activating would make it worse, when:",
        noReasonToActivate,
    );

const first = ({ estate, plan }: Takeover): string =>
    firstActions(
        estate,
        [
            "Stop deployments. Nobody runs `pulumi up` by hand.",
            `Leave the ${plan.lost} alone: no restarts, no clean-up. What it holds may be needed.`,
            "Send the first message (below).",
            "Paste what this says into the incident channel:",
        ],
        shell("lifeboat status"),
    );

function messages({ estate, plan }: Takeover): string {
    const services = Object.keys(estate.services).join(", ");
    const [lost, active] = [estate.sites[plan.lost].region, estate.sites[plan.active].region];
    const { within, lose } = worst(estate, plan);
    return messagesChapter([
        {
            when: "At once",
            to: "users and colleagues",
            lines: [
                `${services}: no answer since ____ UTC.`,
                "We see it and are working on it. Orders that you have already got a confirmation for are kept as far as we know.",
                "Next message at ____ UTC.",
            ],
        },
        {
            when: "When it is decided",
            to: "management, and whoever decides with you",
            lines: [
                `${estate.name}: we give up ${lost} and move to ${active}. Decided by ____ at ____ UTC.`,
                `Expected back within ${within} of the loss. At worst the last ${lose} of confirmed writes before it are lost.`,
                "It cannot be taken back once the first database is promoted.",
            ],
        },
        {
            when: "When it serves again",
            to: "users",
            lines: [
                `${services}: back since ____ UTC, from another region.`,
                "Writes that were confirmed between ____ and ____ UTC may be missing: please look at yours. We will write to everybody whom we know to be affected by ____ UTC.",
            ],
        },
        {
            when: "If it takes longer than promised",
            to: "management, users",
            lines: [
                `${services}: still down at ____ UTC, longer than we promised. We are at step ____ of the plan; what holds us up: ____.`,
                "Next message at ____ UTC.",
            ],
        },
    ]);
}

function after({ estate, plan }: Takeover): string {
    const { region } = estate.sites[plan.lost];
    return chapter(
        "After the incident",
        "The timeline, to be pasted into the incident; and who is active:",
        shell("lifeboat journal", "lifeboat epoch"),
        boxes([
            `**Leave the old ${plan.lost} closed.** When ${region} comes back its databases stay read-only, because the epoch names the ${plan.active}. Nobody makes them writable by hand, nobody deletes them: they may hold writes that nobody else has.`,
            `The ${plan.active} runs alone now. Its backups run there, with one copy: ${code("lifeboat backups")} every hour until there is a peer again.`,
            "Send the last message. Tell users what was lost, in orders, not in seconds.",
            `Go back in daylight, once ${region} answers again: the page for ${code("failback")}. ${code("lifeboat failback --plan")} shows how, ${code("lifeboat failback")} does it. It saves what the old databases hold alone, and loses nothing.`,
            "Write down what this page did not tell you, and mend it in the repository: it is made of the plan and the estate.",
        ]),
    );
}
