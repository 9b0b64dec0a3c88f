import { setTimeout as sleep } from "node:timers/promises";
import { names, stackOf } from "../../model/names.ts";
import { sandboxAccount, siteAt } from "../addresses.ts";
import { lastLines } from "../last-lines.ts";
import type { Crowd } from "./crowd.ts";
import type { Check } from "./evidence.ts";
import { inside } from "./harness.ts";
import type { GuardStatus } from "./inside/guards.ts";
import { operate, up } from "./provision.ts";
import type { Stage } from "./stage.ts";

/** So long the old primary is watched after it is back in touch, milliseconds; and so long its guards have to answer at all. */
const watchMs = 10_000;
const answerMs = 60_000;

/** What an old primary owes once it is back in touch with the world: it does not write, is not scaled up, gets no traffic, and says what to do. */
export async function comeBack(stage: Stage, customers: Crowd, healedAt: number): Promise<Check[]> {
    const guards = await watchGuards(stage);
    return [
        guards,
        await refusesAssumption(stage),
        await staysSmall(stage),
        whereTrafficGoes(customers, healedAt),
        await saysWhatToDo(stage),
    ];
}

/** Looks at the old primary's guards again and again: not once may one of them call its server writable. */
async function watchGuards({ sandbox, estate }: Stage): Promise<Check> {
    const { namespace } = names(estate, sandboxAccount);
    const stores = Object.keys(estate.stores);
    const seen = new Map<string, GuardStatus["role"]>();
    const writable = new Set<string>();
    const deadline = performance.now() + answerMs;
    let since: number | undefined;
    while (performance.now() < deadline && (since === undefined || performance.now() - since < watchMs)) {
        const { statuses } = await inside(sandbox, "guards", { context: "primary", namespace, stores });
        for (const [store, { role }] of Object.entries(statuses)) {
            seen.set(store, role);
            if (role === "writable") writable.add(store);
        }
        if (seen.size === stores.length) since ??= performance.now();
        await sleep(500);
    }
    return {
        what: "the old primary stays read-only",
        holds: seen.size === stores.length && writable.size === 0,
        saw: stores.map((store) => `${store} is ${writable.has(store) ? "WRITABLE" : (seen.get(store) ?? "silent")}`).join(", "),
    };
}

/** A stack whose configuration says that the old primary is still active. */
async function refusesAssumption({ sandbox }: Stage): Promise<Check> {
    const stack = stackOf.primary;
    const assume = ["-c", 'lifeboat:assumeEpoch={"epoch":1,"active":"primary"}'];
    const { exitCode, all } = await sandbox.exec(["pulumi", "up", "-s", stack, "--yes", "--skip-preview", "--color", "never", ...assume], {
        execa: { reject: false, stdin: "ignore", all: true },
    });
    await operate(sandbox, ["pulumi", "config", "rm", "-s", stack, "lifeboat:assumeEpoch"], "taking the supposed epoch back");
    const said = String(all);
    const why = said.split("\n").find((line) => line.includes("assumeEpoch is for") || line.includes("says lifeboat:assumeEpoch"));
    return {
        what: `pulumi up of ${stack} is refused where its configuration says that it is active`,
        holds: exitCode !== 0 && why !== undefined,
        saw: why?.trim() ?? `exit ${exitCode}: ${lastLines(said, 3).replaceAll("\n", " ")}`,
    };
}

/** An ordinary `pulumi up`, as from a pipeline the day after. */
async function staysSmall(stage: Stage): Promise<Check> {
    const { sandbox, estate, service } = stage;
    const what = `pulumi up of ${stackOf.primary} leaves the old primary passive`;
    try {
        await up(sandbox, stackOf.primary);
    } catch (error) {
        return { what, holds: false, saw: (error as Error).message };
    }
    const { namespace } = names(estate, sandboxAccount);
    const { wanted } = await inside(sandbox, "scale", { context: "primary", namespace, deployment: service });
    return { what, holds: wanted === 0, saw: `${service} is told to have ${wanted} pods` };
}

/** Where the service's name led the customers outside since the cut was healed. */
function whereTrafficGoes(customers: Crowd, healedAt: number): Check {
    const lines = customers.read().filter(({ at }) => at > healedAt);
    const answers = lines.filter((line) => line.kind === "looked-up");
    const sent = lines.filter((line) => line.kind === "attempt");
    const astray = [...answers, ...sent].filter(({ address }) => siteAt(address) !== "standby").length;
    return {
        what: "the old primary gets no traffic",
        holds: answers.length > 0 && sent.length > 0 && astray === 0,
        saw: `${answers.length} answers of the resolver and ${sent.length} orders since then, ${astray} of them to the old primary`,
    };
}

/** What each guard says last of its own standing: that it is passive, and where a person should look. */
async function saysWhatToDo({ sandbox, estate }: Stage): Promise<Check> {
    const { namespace } = names(estate, sandboxAccount);
    const last = await Promise.all(
        Object.keys(estate.stores).map(async (store) => {
            const said = await inside(sandbox, "log", { context: "primary", namespace, pod: `${store}-0`, container: "guard", lines: 20 });
            return said.split("\n").findLast((line) => line.includes("read-only")) ?? "";
        }),
    );
    return {
        what: "the old primary says why it is passive, and what to do",
        holds: last.every((line) => /epoch \d+/.test(line) && /lifeboat \w+/.test(line)),
        saw: last.join(" | "),
    };
}
