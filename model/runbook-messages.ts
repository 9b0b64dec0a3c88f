import { rtoBounds, serviceRpoBounds } from "./bounds.ts";
import type { Estate } from "./estate.ts";
import type { RecoveryPlan } from "./plan.ts";
import { formatDuration } from "./units.ts";

/** Messages that are ready to send: what is in blanks is only known that night. */
export function messages(estate: Estate, plan: RecoveryPlan): string {
    const services = Object.keys(estate.services).join(", ");
    const [lost, active] = [estate.sites[plan.lost].region, estate.sites[plan.active].region];
    const longest = (spans: readonly { seconds: number }[]) => Math.max(0, ...spans.map(({ seconds }) => seconds));
    const within = formatDuration(longest(rtoBounds(estate, plan)) as never);
    const lose = formatDuration(longest(serviceRpoBounds(estate)) as never);
    const told: [string, string, string[]][] = [
        [
            "At once",
            "users and colleagues",
            [
                `${services}: no answer since ____ UTC.`,
                "We see it and are working on it. Orders that you have already got a confirmation for are kept as far as we know.",
                "Next message at ____ UTC.",
            ],
        ],
        [
            "When it is decided",
            "management, and whoever decides with you",
            [
                `${estate.name}: we give up ${lost} and move to ${active}. Decided by ____ at ____ UTC.`,
                `Expected back within ${within} of the loss. At worst the last ${lose} of confirmed writes before it are lost.`,
                "It cannot be taken back once the first database is promoted.",
            ],
        ],
        [
            "When it serves again",
            "users",
            [
                `${services}: back since ____ UTC, from another region.`,
                "Writes that were confirmed between ____ and ____ UTC may be missing: please look at yours. We will write to everybody whom we know to be affected by ____ UTC.",
            ],
        ],
        [
            "If it takes longer than promised",
            "management, users",
            [
                `${services}: still down at ____ UTC, longer than we promised. We are at step ____ of the plan; what holds us up: ____.`,
                "Next message at ____ UTC.",
            ],
        ],
    ];
    return [
        "## Messages to send",
        ...told.map(([when, to, lines]) => `**${when}**, to ${to}:\n\n${lines.map((line) => `> ${line}`).join("\n>\n")}`),
    ].join("\n\n");
}
