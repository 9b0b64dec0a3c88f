import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Estate } from "../../model/estate.ts";
import { startSandbox, type Sandbox } from "../sandbox.ts";
import { draws } from "./draw.ts";
import type { Evidence } from "./evidence.ts";
import type { Dump } from "./own-data/dump.ts";
import { Phases, type Sabotage } from "./phases.ts";
import { failback } from "./failback.ts";
import { activate, type Activate } from "./recover.ts";
import { partition } from "./scenarios/partition.ts";
import { regionLoss } from "./scenarios/region-loss.ts";
import { standbyLoss } from "./scenarios/standby-loss.ts";
import type { Scenario } from "./stage.ts";
import type { Failback } from "./way-back.ts";

/** What can be rehearsed, by name. */
const played = { "region-loss": regionLoss, partition, "standby-loss": standbyLoss } as const satisfies Record<string, Scenario>;
export type ScenarioName = keyof typeof played;
export const scenarios = Object.keys(played) as ScenarioName[];

export interface RehearsalOptions {
    scenario: ScenarioName;
    estate: Estate;
    /** The repository to rehearse: it is copied, and left as it is. */
    source: string;
    /** Name of the sandbox. @default "rehearsal" */
    name?: string;
    /** Divides the sandbox's own clocks. @default 1 */
    fast?: number;
    /** Repeats the draws, not the machine's timing. @default drawn */
    seed?: number;
    /** A user's own data, loaded into the primary before the first backup. */
    dump?: Dump;
    /** Whether the lost region comes back, and is gone back to. @default false */
    failback?: boolean;
    /** Leave the sandbox standing. @default false */
    keep?: boolean;
    /** Folder that the evidence is written to. */
    evidenceDirectory: string;
    note?: (line: string) => void;
    signal?: AbortSignal;
    /** For tests: steps in before a phase. */
    sabotage?: Sabotage;
    /** For tests: another way to run the activation. */
    activate?: Activate;
    /** For tests: another way to run the fail-back. */
    runFailback?: Failback;
    /** For tests: told of the sandbox once it stands, and asked before it ends. */
    afterwards?: (sandbox: Sandbox, found: Evidence) => Promise<void>;
}

/**
 * Rehearses a scenario from an empty cloud to a verdict, and writes the evidence.
 * @throws Failure or Error when it could not be rehearsed; an objective that is missed is no error, but a verdict.
 */
export async function rehearse(options: RehearsalOptions): Promise<{ evidence: Evidence; path: string }> {
    const { estate, source, name = "rehearsal", fast = 1, keep = false, note = () => {}, signal } = options;
    const seed = options.seed ?? Math.floor(Math.random() * 2 ** 31);
    const phases = new Phases(note, { sabotage: options.sabotage, signal });
    const startedAt = new Date();
    note(`rehearsing ${options.scenario}, seed ${seed}${fast === 1 ? "" : `, sandbox clocks ${fast} times as fast`}`);
    const sandbox = await phases.time(
        "sandbox",
        () => startSandbox({ name, estate, source, fast, detached: keep, ...(signal ? { signal } : {}) }),
        "two regions stand",
    );
    try {
        const found = await played[options.scenario]({
            sandbox,
            estate,
            phases,
            scenario: options.scenario,
            service: Object.keys(estate.services)[0]!,
            seed,
            draw: draws(seed),
            fast,
            startedAt,
            activate: options.activate ?? activate,
            problems: [],
            failback: options.failback ?? false,
            runFailback: options.runFailback ?? failback,
            note,
            ...(options.dump ? { dump: options.dump } : {}),
        });
        mkdirSync(options.evidenceDirectory, { recursive: true });
        const path = join(options.evidenceDirectory, `${startedAt.toISOString().replace(/[:.]/g, "-")}-${options.scenario}-${seed}.json`);
        writeFileSync(path, `${JSON.stringify(found, undefined, 2)}\n`);
        await options.afterwards?.(sandbox, found);
        return { evidence: found, path };
    } finally {
        if (!keep) await sandbox.stop();
    }
}
