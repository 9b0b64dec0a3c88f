import type { Estate } from "../../model/estate.ts";
import type { Sandbox } from "../sandbox.ts";
import type { Evidence } from "./evidence.ts";
import type { Dump } from "./own-data/dump.ts";
import type { Phases } from "./phases.ts";
import type { Activate } from "./recover.ts";
import type { Failback } from "./way-back.ts";

/** What a scenario is played on, and what it was told. */
export interface Stage {
    readonly sandbox: Sandbox;
    readonly estate: Estate;
    readonly phases: Phases;
    readonly scenario: string;
    /** Name of the service whose customers come. */
    readonly service: string;
    readonly seed: number;
    /** Uniform in [0, 1), repeated by the seed. */
    readonly draw: () => number;
    /** Divisor of the sandbox's own clocks. */
    readonly fast: number;
    readonly startedAt: Date;
    readonly activate: Activate;
    /** Collects what went wrong, one line each: whatever is here fails the rehearsal. */
    readonly problems: string[];
    readonly note: (line: string) => void;
    /** Whether the lost region comes back, and is gone back to. */
    readonly failback: boolean;
    readonly runFailback: Failback;
    /** A user's own data, loaded into the primary before the first backup. */
    readonly dump?: Dump;
}

/** From an empty cloud to a verdict. @throws when it could not be played; an objective that is missed is a verdict */
export type Scenario = (stage: Stage) => Promise<Evidence>;

/** Longest that parts of a rehearsal may take before it gives up, milliseconds. */
export const limits = { protected: 90_000, jobs: 120_000, copied: 30_000 };
