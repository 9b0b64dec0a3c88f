import { bundleCommands } from "../bundle.ts";
import { explain, rtoBounds, serviceRpoBounds, storeLogBounds, storeRpoBounds, type Bound } from "../bounds.ts";
import type { Estate } from "../estate.ts";
import { names } from "../names.ts";
import { estimateOf, type RecoveryPlan } from "../plan.ts";
import { formatDuration, seconds } from "../units.ts";
import { activationCommands } from "./activation-commands.ts";
import type { RunbookOptions } from "./contents.ts";
import { looks } from "./looks.ts";
import { boxes, chapter, code, list, shell, table } from "./markdown.ts";
import { stepsChapter } from "./steps.ts";
import { runTroubles, troubleChapter, type Trouble } from "./troubles.ts";

/** Chapters of every scenario in which the plan for a region's loss is executed: the standby takes over, whether the primary is dead or cut off. */
export interface Takeover extends RunbookOptions {
    plan: RecoveryPlan;
}

export const activate = 'lifeboat activate --reason "INCIDENT: what was seen"';

/** What health checks, users and status see of a primary that nobody outside reaches. */
export function seenFromOutside({ estate, plan }: Takeover): string[] {
    const name = names(estate, "");
    const hosts = Object.keys(estate.services).map((service) => name.serviceHost(service));
    const [detect] = plan.undoable.filter(({ name: step }) => step === "detect");
    return [
        ...(detect === undefined
            ? []
            : [`${detect.does}: it is reported as unhealthy, within about ${formatDuration(estimateOf(detect))}`]),
        `users get no answer from ${hosts.map(code).join(", ")}, asked from outside ${estate.sites[plan.lost].region}`,
        `${code("lifeboat status")} shows the ${plan.lost} as "no answer" in every row, not in one`,
    ];
}

/** What looks like a reason to activate, and is none. */
export const noReasonToActivate = list([
    "one pod, one node or one database is broken, and the rest of the site answers: mend that one",
    `data is wrong, deleted or encrypted: the replica has it too. Do not activate: ${code("lifeboat backups")} lists the recovery points, ${code("lifeboat restore STORE --at TIME --to URL")} puts one into a server beside the damaged one`,
    "the fault came with a release: roll it back",
]);

/** What is needed to run an activation on any machine. */
export function emptyMachine({ estate, plan, account = "ACCOUNT" }: Takeover): string {
    const name = names(estate, account);
    const { region } = estate.sites[plan.active];
    const { cli, curl, enter } = bundleCommands(name.releaseBucket, region);
    return chapter(
        "What your machine needs",
        `Linux (your own machine, or CloudShell in ${region}), AWS credentials, and the standby's cluster. If single sign-on is down, take the break-glass role with your second factor, and export what it answers (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN):`,
        shell(
            `aws sts assume-role --region ${region} --role-arn arn:aws:iam::${account}:role/${name.breakGlassRole} --role-session-name incident --serial-number ARN-OF-YOUR-MFA-DEVICE --token-code CODE`,
            `aws eks list-clusters --region ${region}`,
            `aws eks update-kubeconfig --region ${region} --name CLUSTER --alias ${plan.active}`,
        ),
        `All else comes with the released bundle, out of ${region}: no npm, no git, no Pulumi of your own. In an empty directory, the first line; where there is no AWS CLI, the second; then the third:`,
        shell(cli),
        shell(curl),
        shell(enter),
        "From here on `lifeboat` is the released one. Stay in its directory. Whoever has a checkout at that release may use it instead. If the bundle is damaged, the message names the one before it.",
        "Both of these must answer:",
        shell("lifeboat epoch", `${looks(estate).kubectl(plan.active)} get pods`),
    );
}

/** @param besides what this scenario costs on top of the table */
export function decision({ estate, plan }: Takeover, ...besides: readonly string[]): string {
    const told = ({ of, objective, promised, seconds: span }: Bound) => [of, objective, formatDuration(promised), formatDuration(span)];
    return chapter(
        "What you need to decide",
        `You have **${formatDuration(estate.decision)}** for this: so much is counted in the recovery time. If the provider says that the region is back sooner than the RTO below, wait. If nobody can say, go.`,
        "Going **loses** the writes that were acknowledged and have not reached the standby. This is how much that is at worst, and how long it takes:",
        table(
            ["service", "objective", "promised", "expected at worst"],
            [...serviceRpoBounds(estate), ...rtoBounds(estate, plan)].map(told),
        ),
        ...besides,
        "How far the replicas are behind now, or were when the region fell silent:",
        shell("lifeboat status"),
        "The whole plan, without doing anything:",
        shell("lifeboat activate --plan"),
    );
}

/** The steps of the plan that `lifeboat activate` executes. */
export const activationSteps = ({ estate, plan }: Takeover): string =>
    stepsChapter({
        undoable: plan.undoable,
        forward: plan.forward,
        commands: (step) => activationCommands(estate, step),
        executes: "lifeboat activate",
        before: [
            `People detect and decide. All steps of *lifeboat* are done by **one command**, in this order; those that wait for nothing of each other run side by side:`,
            shell(activate),
            `It asks for \`${plan.active}\` to be typed. For a machine: add \`--yes\`. Leave it alone while it runs: it shows the clock against the recovery time.`,
        ],
    });

/** @param witness what to do where the witness cannot be told */
export const activationTroubles = (witness: string, ...own: readonly Trouble[]): string =>
    troubleChapter([
        ...runTroubles("lifeboat activate", activate),
        ['"the epoch moved"', `two activations met; one of them won: ${code("lifeboat epoch")}`],
        ['"the witness cannot be told the new epoch"', witness],
        ...own,
        ["you were wrong, and no database was promoted", code("lifeboat activate --abort")],
        ["you were wrong, and one was", "go on to the end. The way back is `lifeboat failback`, later, with nothing lost"],
    ]);

export function takeoverVerification({ estate, plan }: Takeover, ...own: readonly string[]): string {
    const { addresses, users } = looks(estate);
    return chapter(
        "Verification",
        boxes([
            `${code("lifeboat status")} names the ${plan.active} as active, and every store in it as writable`,
            ...own,
            "an order of your own, placed as a user would, is there when you look again",
            "the error rate that users see is back where it was",
        ]),
        shell("lifeboat status", ...addresses, ...users),
    );
}

/** How long a takeover is expected to take, and what it loses of what was acknowledged before, each at worst. */
export function worst(estate: Estate, plan: RecoveryPlan): { within: string; lose: string } {
    const longest = (bounds: readonly Bound[]) => formatDuration(seconds(Math.max(0, ...bounds.map((bound) => bound.seconds))));
    return { within: longest(rtoBounds(estate, plan)), lose: longest(serviceRpoBounds(estate)) };
}

export function takeoverFigures({ estate, plan }: Takeover): string {
    const bounds = [...rtoBounds(estate, plan), ...serviceRpoBounds(estate), ...storeLogBounds(estate), ...storeRpoBounds(estate)];
    return chapter("Where the figures come from", list(bounds.map((bound) => `${explain(bound)}.`)));
}
