import { bundleCommands } from "./bundle.ts";
import { explain, rtoBounds, serviceRpoBounds, storeRpoBounds, type Bound } from "./bounds.ts";
import type { Estate } from "./estate.ts";
import { coordination, names } from "./names.ts";
import { estimateOf, forwardOnly, stepsOf, type RecoveryPlan, type Step } from "./plan.ts";
import { messages } from "./runbook-messages.ts";
import { stepCommands } from "./runbook-commands.ts";
import { formatDuration } from "./units.ts";

export interface RunbookOptions {
    estate: Estate;
    plan: RecoveryPlan;
    /** Number of the AWS account; the word ACCOUNT stands for it where it is not known. */
    account?: string | undefined;
}

/** Text that a person wrote, for Markdown: whatever is in it stays on its line and is shown as it is. */
export const literal = (text: string): string => text.replaceAll(/\s+/g, " ").replaceAll(/[\\`*_{}[\]<>#|~&!]/g, String.raw`\$&`);

export const shell = (...lines: readonly string[]): string => ["```sh", ...lines, "```"].join("\n");
const sentence = (text: string): string => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
const list = (lines: readonly string[]): string => lines.map((line) => `- ${line}`).join("\n");
/** A box to tick. */
const boxes = (lines: readonly string[]): string => lines.map((line) => `- [ ] ${line}`).join("\n");

/**
 * The runbook for a plan, as Markdown: detection, first actions, each step with its command and its undo, verification, escalation, messages, and what
 * comes after. It is made of the plan that is executed, so it cannot say anything else.
 * @example runbookText({ estate, plan: regionLossPlan(estate) })
 */
export function runbookText(options: RunbookOptions): string {
    const { estate, plan } = options;
    const [lost, active] = [estate.sites[plan.lost].region, estate.sites[plan.active].region];
    return [
        `# ${titleOf(estate, plan)}`,
        `The ${plan.lost} (**${lost}**) is lost. The **${plan.active}** (**${active}**) takes over.`,
        short(options),
        detection(options),
        first(options),
        needs(options),
        decision(options),
        steps(options),
        trouble(),
        verification(options),
        escalation(options),
        messages(estate, plan),
        after(options),
        figures(options),
        copies(options),
    ].join("\n\n");
}

export function titleOf({ name }: Estate, { scenario }: RecoveryPlan): string {
    switch (scenario) {
        case "region-loss":
            return `Runbook of ${name}: loss of a region`;
        default:
            return scenario satisfies never;
    }
}

const activate = 'lifeboat activate --reason "INCIDENT: what was seen"';

function short({ plan }: RunbookOptions): string {
    return [
        "## In short",
        "Breathe. Read one line at a time. Nothing here needs the lost region.",
        [
            `1. Is it real, and could we? ${code("lifeboat status")}`,
            "2. Decide: is it longer to wait than to go? *What you need to decide* is below.",
            `3. Go: ${code(activate)}. It shows what it will do and asks you to type \`${plan.active}\`.`,
            `4. It stopped? ${code("lifeboat activate --resume")}, on any machine, as often as you like.`,
            `5. You were wrong, and no database was promoted yet? ${code("lifeboat activate --abort")}`,
        ].join("\n"),
    ].join("\n\n");
}

const code = (command: string): string => `\`${command}\``;

function detection({ estate, plan }: RunbookOptions): string {
    const name = names(estate, "");
    const hosts = Object.keys(estate.services).map((service) => name.serviceHost(service));
    const [detect] = plan.undoable.filter(({ name: step }) => step === "detect");
    return [
        "## Detection",
        "It is this scenario when **all** of these hold:",
        boxes([
            ...(detect === undefined
                ? []
                : [`${detect.does}: it is reported as unhealthy, within about ${formatDuration(estimateOf(detect))}`]),
            `users get no answer from ${hosts.map(code).join(", ")}, asked from outside ${estate.sites[plan.lost].region}`,
            `${code("lifeboat status")} shows the ${plan.lost} as "no answer" in every row, not in one`,
            `the provider's status page, or people elsewhere, say that ${estate.sites[plan.lost].region} has trouble: https://health.aws.amazon.com/health/status`,
        ]),
        "It is **not** this scenario, and activating would make it worse, when:",
        list([
            "one pod, one node or one database is broken, and the rest of the site answers: mend that one",
            `data is wrong, deleted or encrypted: the replica has it too. Do not activate; restore a recovery point: ${code("lifeboat backups")}`,
            "the fault came with a release: roll it back",
        ]),
    ].join("\n\n");
}

function first({ estate, plan }: RunbookOptions): string {
    const [decider] = estate.contacts;
    return [
        "## First actions",
        boxes([
            "Write down the time (UTC): ____________. Open the incident channel and say: *I have it.*",
            decider === undefined
                ? "Call whoever decides. No contact is declared: write the name here: ____________"
                : `Call ${literal(decider.name)} (${literal(decider.role)}): ${literal(decider.reach)}`,
            "Stop deployments. Nobody runs `pulumi up` by hand.",
            `Leave the ${plan.lost} alone: no restarts, no clean-up. What it holds may be needed.`,
            "Send the first message (below).",
            "Paste what this says into the incident channel:",
        ]),
        shell("lifeboat status"),
    ].join("\n\n");
}

function needs({ estate, plan, account = "ACCOUNT" }: RunbookOptions): string {
    const name = names(estate, account);
    const { region } = estate.sites[plan.active];
    const { cli, curl, enter } = bundleCommands(name.releaseBucket, region);
    return [
        "## What your machine needs",
        `Linux (your own machine, or CloudShell in ${region}), AWS credentials, and the standby's cluster. If single sign-on is down, take the break-glass role with your second factor, and export what it answers (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN):`,
        shell(
            `aws sts assume-role --region ${region} --role-arn arn:aws:iam::${account}:role/${name.breakGlassRole} --role-session-name incident --serial-number ARN-OF-YOUR-MFA-DEVICE --token-code CODE`,
            `aws eks update-kubeconfig --region ${region} --name CLUSTER --alias ${plan.active}`,
        ),
        `All else comes with the released bundle, out of ${region}: no npm, no git, no Pulumi of your own. In an empty directory, the first line; where there is no AWS CLI, the second; then the third:`,
        shell(cli),
        shell(curl),
        shell(enter),
        "From here on `lifeboat` is the released one. Stay in its directory. Whoever has a checkout at that release may use it instead. If the bundle is damaged, the message names the one before it.",
        "Both of these must answer:",
        shell("lifeboat epoch", `kubectl --context ${plan.active} -n ${name.namespace} get pods`),
    ].join("\n\n");
}

function decision({ estate, plan }: RunbookOptions): string {
    const told = (bound: Bound) =>
        `| ${bound.of} | ${bound.objective} | ${formatDuration(bound.promised)} | ${formatDuration(bound.seconds)} |`;
    return [
        "## What you need to decide",
        `You have **${formatDuration(estate.decision)}** for this: so much is counted in the recovery time. If the provider says that the region is back sooner than the RTO below, wait. If nobody can say, go.`,
        "Going **loses** the writes that were acknowledged and have not reached the standby. This is how much that is at worst, and how long it takes:",
        [
            "| service | objective | promised | expected at worst |",
            "|---|---|---|---|",
            ...[...serviceRpoBounds(estate), ...rtoBounds(estate, plan)].map(told),
        ].join("\n"),
        "How far the replicas are behind now, or were when the region fell silent:",
        shell("lifeboat status"),
        "The whole plan, without doing anything:",
        shell("lifeboat activate --plan"),
    ].join("\n\n");
}

function steps({ estate, plan }: RunbookOptions): string {
    const all = stepsOf(plan);
    const told = all.map((step, index) => {
        const barrier =
            index === plan.undoable.length
                ? "> **Point of no return.** From here on nothing is undone. It is repeated until it is done: `lifeboat activate --resume`.\n\n"
                : "";
        return barrier + tellStep(estate, step, index + 1);
    });
    return [
        "## The steps",
        `People detect and decide. All steps of *lifeboat* are done by **one command**, in this order; those that wait for nothing of each other run side by side:`,
        shell(activate),
        `It asks for \`${plan.active}\` to be typed. For a machine: add \`--yes\`. Leave it alone while it runs: it shows the clock against the recovery time.`,
        ...told,
    ].join("\n\n");
}

function tellStep(estate: Estate, step: Step, number: number): string {
    const { command, look } = stepCommands(estate, step.name);
    const done = step.by === "lifeboat" ? "Done by `lifeboat activate`. If it stopped here:" : "Type:";
    const undo =
        step.undo === forwardOnly
            ? [`**Undo:** ${step.undo}.`]
            : [`**Undo:** ${step.undo.how}.`, ...(step.by === "lifeboat" ? [shell("lifeboat activate --abort")] : [])];
    return [
        `### ${number}. ${step.name} (${step.by})`,
        `${sentence(step.does)}.`,
        `**Expected:** ${formatDuration(estimateOf(step))}. **Given up after:** ${formatDuration(step.limit)}.`,
        done,
        shell(command),
        ...(look === undefined ? [] : ["See that it is done:", shell(look)]),
        ...undo,
    ].join("\n\n");
}

function trouble(): string {
    return [
        "## If something goes wrong",
        ["| what you see | what to do |", "|---|---|", ...troubles.map(([seen, next]) => `| ${seen} | ${next} |`)].join("\n"),
        "Every message ends with `next:` and what to type. Exit codes: 1 the answer is no; 2 wrong command line; 3 this machine lacks something; 4 refused, it would make things worse; 5 something does not answer.",
    ].join("\n\n");
}

const resume = code("lifeboat activate --resume");
const troubles = [
    ["the command died, the laptop died, the network died", `${resume}, here or on another machine. What is done is not done twice`],
    ['"is being run by …" (exit 4)', `somebody else runs it: speak with them. If that run is dead: ${resume}; it listens for it first`],
    ["a step is repeated again and again", "it stops at its limit by itself and says why. Mend that, then resume"],
    ['"was given up … and undone"', `nothing has changed but the epoch's number. Mend what it says, then begin again: ${code(activate)}`],
    ['"the epoch moved"', `two activations met; one of them won: ${code("lifeboat epoch")}`],
    [
        '"the witness cannot be told the new epoch"',
        'wait for the witness\'s region, then begin again. Only if you **know** that the primary is dead: `lifeboat activate --without-witness --reason "HOW IT IS KNOWN"`',
    ],
    ["you were wrong, and no database was promoted", code("lifeboat activate --abort")],
    ["you were wrong, and one was", "go on to the end. The way back is `lifeboat failback`, later, with nothing lost"],
] as const;

function verification({ estate, plan }: RunbookOptions): string {
    const name = names(estate, "");
    const services = Object.entries(estate.services);
    return [
        "## Verification",
        boxes([
            `${code("lifeboat status")} names the ${plan.active} as active, and every store in it as writable`,
            "an order of your own, placed as a user would, is there when you look again",
            "the error rate that users see is back where it was",
        ]),
        shell(
            "lifeboat status",
            ...services.map(([service]) => `dig +short ${name.serviceHost(service)}`),
            ...services.map(
                ([service, { healthPath }]) =>
                    `curl -sS -o /dev/null -w '%{http_code}\\n' https://${name.serviceHost(service)}${healthPath}`,
            ),
        ),
    ].join("\n\n");
}

function escalation({ estate }: RunbookOptions): string {
    const blank = ["| 1 | | | |", "| 2 | | | |", "| 3 | | | |"];
    const rows = estate.contacts.map(
        ({ name, role, reach }, index) => `| ${index + 1} | ${literal(name)} | ${literal(role)} | ${literal(reach)} |`,
    );
    return [
        "## Escalation",
        rows.length > 0
            ? "Call in this order. No answer within 5 min: the next one. Past the recovery time: all of them."
            : "No contacts are declared in the estate (`contacts`): fill in by hand, now, on paper.",
        ["| | name | role | reach |", "|---|---|---|---|", ...(rows.length > 0 ? rows : blank)].join("\n"),
    ].join("\n\n");
}

function after({ estate, plan }: RunbookOptions): string {
    const { region } = estate.sites[plan.lost];
    return [
        "## After the incident",
        "The timeline, to be pasted into the incident; and who is active:",
        shell("lifeboat journal", "lifeboat epoch"),
        boxes([
            `**Leave the old ${plan.lost} closed.** When ${region} comes back its databases stay read-only, because the epoch names the ${plan.active}. Nobody makes them writable by hand, nobody deletes them: they may hold writes that nobody else has.`,
            `The ${plan.active} runs alone now. Its backups run there, with one copy: ${code("lifeboat backups")} every hour until there is a peer again.`,
            "Send the last message. Tell users what was lost, in orders, not in seconds.",
            `Go back in daylight, once ${region} answers again: ${code("lifeboat failback --plan")} shows how, ${code("lifeboat failback")} does it. It saves what the old databases hold alone, and loses nothing.`,
            "Write down what this page did not tell you, and mend it in the repository: it is made of the plan and the estate.",
        ]),
    ].join("\n\n");
}

function figures({ estate, plan }: RunbookOptions): string {
    const bounds = [...rtoBounds(estate, plan), ...serviceRpoBounds(estate), ...storeRpoBounds(estate)];
    return ["## Where the figures come from", list(bounds.map((bound) => `${explain(bound)}.`))].join("\n\n");
}

function copies({ estate, plan, account = "ACCOUNT" }: RunbookOptions): string {
    const bucket = `s3://${names(estate, account).coordinationBucket}`;
    return [
        "## Where this page lies",
        `In the standby, put there by ${code("lifeboat runbook --publish")}, and on a stick: ${code("lifeboat runbook --export DIRECTORY")}.`,
        shell(`aws s3 cp --region ${estate.sites.standby.region} ${bucket}/${coordination.runbook(`${plan.scenario}.html`)} .`),
    ].join("\n\n");
}
