import { setTimeout as sleep } from "node:timers/promises";
import { names } from "../../../model/names.ts";
import { standbyRebuild } from "../../../model/standby-rebuild.ts";
import { sandboxAccount } from "../../addresses.ts";
import { assemble } from "../assemble.ts";
import { crowdSize, type Crowd } from "../crowd.ts";
import type { Check } from "../evidence.ts";
import { inside } from "../harness.ts";
import { checkOwnData } from "../own-data/own-data.ts";
import { backUp, open, tellJobs } from "../opening.ts";
import { catalog, jobsOf, untilProtected } from "../protect.ts";
import { carryOut } from "../carry-out.ts";
import { askReadiness, tellReadiness } from "../readiness.ts";
import { longestSilence } from "../silence.ts";
import { limits, type Scenario, type Stage } from "../stage.ts";
import { collect, readCalls } from "../takeover.ts";

/** Nobody may go without an acknowledgement for longer, seconds: less than any lease, so that one which ran out would show. */
const longestPause = 5;
/** Leases that pass while a region is away. */
const leases = 2;

/**
 * The standby region goes dark; then it comes back, one of its replicas with its volume lost; then the witness is away for a while. None of it may stop a customer, and whoever
 * asks while the standby is away is told that there is no protection.
 */
export const standbyLoss: Scenario = async (stage) => {
    const { sandbox, phases } = stage;
    const { run } = phases;
    const { crowds, loaded, ...before } = await open(stage, ["customers"]);
    const [customers] = crowds;
    const { at } = await run(
        "lose",
        sandbox,
        async () => {
            const cut = await sandbox.cut("standby");
            await sandbox.pause("standby");
            return cut;
        },
        ({ at }) => `the standby is dark at ${at}`,
    );
    const lossAt = Date.parse(at);
    const checks: Check[] = [];
    const demand = async (name: "alone" | "rebuild" | "witness", work: () => Promise<Check[]>) => {
        const found = await run(name, sandbox, work, (all) => all.map(({ what, holds }) => `${holds ? "" : "NOT: "}${what}`).join("; "));
        checks.push(...found);
    };
    await demand("alone", () => alone(stage, customers!, lossAt));
    const tried = await readCalls(sandbox);
    await run(
        "heal",
        sandbox,
        async () => {
            await sandbox.resume("standby");
            return sandbox.heal("standby");
        },
        ({ at }) => `the standby is back at ${at}`,
    );
    await demand("rebuild", async () => [await rebuild(stage)]);
    await backUp(stage);
    await demand("witness", () => withoutWitness(stage, customers!));
    const restored = await run("restore", sandbox, () => jobsOf(sandbox, "standby", "restore", limits.jobs), tellJobs);
    const collected = await collect(stage, crowds, ["primary", "standby"]);
    const silence = longestSilence(collected.ledger, clients, lossAt, collected.ledger.at(-1)!.at);
    return assemble(stage, {
        ...before,
        lost: "standby",
        lossAt,
        recovery: {
            timeline: { lossAt },
            clock: {
                silence: { measuredSeconds: silence, source: "ledger: the longest that any customer waited from the loss to the end" },
            },
            served: [],
            allServed: true,
        },
        tried,
        ...collected,
        pointsNow: await catalog(sandbox),
        restored,
        checks,
        ...(loaded ? { ownData: await checkOwnData(sandbox, loaded, restored) } : {}),
    });
};

const clients = Array.from({ length: crowdSize.clients }, (_, client) => client);

function served(what: string, crowd: Crowd, from: number): Check {
    const silence = longestSilence(crowd.read(), clients, from, Date.now());
    return {
        what,
        holds: silence <= longestPause,
        saw: `the longest wait of a customer was ${silence.toFixed(1)} s, at most ${longestPause} s are allowed`,
    };
}

/** The witness alone is away for longer than a lease. */
async function withoutWitness({ sandbox, estate }: Stage, crowd: Crowd): Promise<Check[]> {
    const from = Date.now();
    await sandbox.cut("witness");
    await sleep(leases * estate.lease.duration * 1000);
    const found = served("without the witness customers are served all along", crowd, from);
    await sandbox.heal("witness");
    return [found];
}

/** While the standby is dark: customers are served, backups are made, and `lifeboat status` says that nothing is protected. */
async function alone(stage: Stage, crowd: Crowd, from: number): Promise<Check[]> {
    const { sandbox, estate } = stage;
    const backups = await jobsOf(sandbox, "primary", "backup", limits.jobs);
    const said = await askReadiness(sandbox);
    await sleep(Math.max(0, from + leases * estate.lease.duration * 1000 - Date.now()));
    return [
        served("without the standby customers are served all along", crowd, from),
        { what: "without the standby backups are made", holds: backups.every(({ succeeded }) => succeeded), saw: tellJobs(backups) },
        {
            what: "without the standby every store is reported as unprotected",
            holds:
                said.exitCode === 1 && Object.keys(estate.stores).every((store) => said.unprotected.some((each) => each.store === store)),
            saw: tellReadiness(said),
        },
    ];
}

/** The standby is made whole as the runbook says: one store's volume did not come back. It is protected when every replica follows and `lifeboat status` says so. */
async function rebuild(stage: Stage): Promise<Check> {
    const { sandbox, estate } = stage;
    const began = performance.now();
    const { namespace } = names(estate, sandboxAccount);
    const store = Object.keys(estate.stores).at(-1)!;
    await inside(sandbox, "discard", { context: "standby", namespace, statefulSet: store });
    const what = `the standby is rebuilt, ${store} from an empty volume`;
    try {
        for (const step of standbyRebuild(estate)) await carryOut(sandbox, step, limits.protected);
        await untilProtected(sandbox, limits.protected);
    } catch (error) {
        return { what, holds: false, saw: (error as Error).message };
    }
    const said = await askReadiness(sandbox);
    const took = ((performance.now() - began) / 1000).toFixed(1);
    return {
        what,
        holds: said.failover === "yes" && said.unprotected.length === 0,
        saw: `every replica follows after ${took} s; ${tellReadiness(said)}`,
    };
}
