import { rtoBounds, type Bound } from "./bounds.ts";
import type { EpochRecord, LatchRecord } from "./epoch.ts";
import { otherSite, siteNames, type Estate, type SiteName } from "./estate.ts";
import type { ServerRole } from "./lease.ts";
import { commandOf, type PlannedScenario } from "./plan.ts";
import { formatDuration, seconds, type Seconds } from "./units.ts";

/** What a question brought: a value, or why there is none and what to type next. */
export type Answer<T> = { value: T } | { none: string; next: string };

/** A store's server, as the guard beside it sees it. */
export interface DatabaseFacts {
    role: ServerRole;
    /** How far a replica is behind; null where it does not hear from its peer. */
    lagSeconds: number | null;
    /** Of a replica that does not hear from its peer: when it last did, and how far it was behind then. */
    heard?: { secondsAgo: number; lagSeconds: number } | undefined;
    /** Its guard's right to let writes through: how long the proof is good for, and who does not answer the guard. */
    lease?: { state: "unproven" | "proven" | "ceded"; secondsLeft: number; silent: Readonly<Record<string, string>> } | undefined;
    /** What a person should know: a broken replication, an unfinished seed. */
    problem?: string | undefined;
    /** What it holds that a replica of it does not, or not surely: an unlogged table. Absent: nothing. */
    unprotected?: readonly { readonly name: string; readonly why: string }[] | undefined;
}

/** The newest recovery point of a store: only a verified backup is one. */
export interface PointFacts {
    point: string;
    /** Instant that it shows, RFC 3339 UTC. */
    startedAt: string;
    copies: number;
    /** What is wrong with the log that goes on from it: "has a gap since …". Absent: nothing. */
    logTrouble?: string | undefined;
}

/** An activation that has not ended. */
export interface ActivationFacts {
    activation: string;
    scenario: PlannedScenario;
    /** Who runs it, or ran it last: "anna@laptop". */
    by: string;
    /** Its last sign of life, by that machine's clock. */
    lastAt: string;
    /** Nobody runs it: its runner stopped in good order, or is known to be dead. */
    left: boolean;
}

/** All that was asked at one moment. A site that was not asked has no entries. */
export interface Facts {
    /** RFC 3339 UTC, by this machine's clock. */
    at: string;
    epoch: Answer<EpochRecord>;
    latch: Answer<LatchRecord>;
    /** The witness's copy of the epoch record: an activation has to raise it before it may promote. */
    witness: Answer<EpochRecord>;
    unfinished: Answer<ActivationFacts | undefined>;
    /** Whether the stack of a site was ever brought up. */
    built: Record<SiteName, Answer<boolean>>;
    databases: Record<SiteName, Readonly<Record<string, Answer<DatabaseFacts>>>>;
    /** HTTP status of each service under its name in that site. */
    services: Record<SiteName, Readonly<Record<string, Answer<number>>>>;
    /** By store; undefined where the catalog has none. */
    points: Readonly<Record<string, Answer<PointFacts | undefined>>>;
}

/** Something that stands in the way, and what to type. */
export interface Obstacle {
    what: string;
    next: string;
}

/** Acknowledged writes that a service would lose if the active site were given up now. */
export interface Loss {
    service: string;
    /** Lag of the furthest replica that it needs; null where nobody can say from here. */
    seconds: Seconds | null;
    /** A replica that it needs fell silent so long ago: what was acknowledged since is lost too, and is in `seconds` while the active site lives. */
    silentFor?: Seconds;
    promised: Seconds;
    holds: boolean;
}

export interface Unprotected {
    store: string;
    why: string;
}

/** What the facts mean. */
export interface Readiness {
    /** By the epoch record; where it cannot be read, by the witness's copy. Null where neither answers. */
    active: SiteName | null;
    /** "over the promise": the standby can take over, and more would be lost than was promised, or nobody can say how much. */
    failover: "yes" | "over the promise" | "no";
    /** Why it is "no". */
    obstacles: readonly Obstacle[];
    /** Empty where it is "no". */
    losses: readonly Loss[];
    /** How long each service would be away at worst. */
    takes: readonly Bound[];
    unprotected: readonly Unprotected[];
    /** What its replica does not carry, of a store that is protected otherwise: one line a store. */
    notCarried: readonly Unprotected[];
}

const kubectl = (estate: Estate, site: SiteName, store: string) => `kubectl --context ${site} -n ${estate.name} describe pod ${store}-0`;

/** Judges the facts: could the standby take over now, what would be lost, and what is unprotected. */
export function judgeReadiness(estate: Estate, facts: Facts): Readiness {
    const active = knownRecord(facts)?.active ?? null;
    const obstacles =
        active === null || "none" in facts.epoch
            ? obstacleOf(facts.epoch).map(({ what, next }) => ({ what: `the standby: ${what}`, next }))
            : [...entryObstacles(facts), ...replicaObstacles(estate, facts, active)];
    const losses = obstacles.length > 0 ? [] : lossesOf(estate, facts);
    return {
        active,
        failover: obstacles.length > 0 ? "no" : losses.every(({ holds }) => holds) ? "yes" : "over the promise",
        obstacles,
        losses,
        takes: obstacles.length > 0 ? [] : rtoBounds(estate),
        unprotected: Object.keys(estate.stores).flatMap((store) => unprotectedBecause(estate, facts, active, store)),
        notCarried: Object.keys(estate.stores).flatMap((store) => notCarriedBy(facts, active, store)),
    };
}

/** The epoch record, or the witness's copy of it while the standby is silent: the copy may be behind for the seconds of a claim. */
export const knownRecord = ({ epoch, witness }: Pick<Facts, "epoch" | "witness">): EpochRecord | undefined =>
    "value" in epoch ? epoch.value : "value" in witness ? witness.value : undefined;

const obstacleOf = (answer: Answer<unknown>): Obstacle[] => ("none" in answer ? [{ what: answer.none, next: answer.next }] : []);

/** What would keep `lifeboat activate` from beginning. */
function entryObstacles({ unfinished, witness }: Facts): Obstacle[] {
    const fence = obstacleOf(witness).map(({ what, next }) => ({
        what: `the witness: ${what}`,
        next: `${next}; or, if the primary is known to be dead, lifeboat activate --without-witness --reason WHY`,
    }));
    if ("none" in unfinished) return [...obstacleOf(unfinished), ...fence];
    if (unfinished.value === undefined) return fence;
    const { activation, scenario, by, lastAt, left } = unfinished.value;
    const resume = `${commandOf[scenario]} --resume`;
    const stands = left ? "was left unfinished" : "is under way";
    return [
        {
            what: `activation ${activation} ${stands}: ${by}, last heard at ${lastAt}`,
            next: left ? resume : `speak with them; ${resume}, if that run is dead`,
        },
        ...fence,
    ];
}

function replicaObstacles(estate: Estate, facts: Facts, active: SiteName): Obstacle[] {
    if (active === "standby")
        return [
            {
                what: "the standby is the active site already: there is none to go to until the primary is rebuilt",
                next: "lifeboat failback, once the primary's region answers; until then keep an eye on the backups: lifeboat backups",
            },
        ];
    for (const [site, command] of [
        ["standby", "pulumi up -s dr"],
        ["primary", "pulumi up -s prod && pulumi up -s dr"],
    ] as const) {
        const built = facts.built[site];
        if ("none" in built) return obstacleOf(built);
        if (!built.value) return [{ what: `the ${site} was never brought up`, next: command }];
    }
    return Object.keys(estate.stores).flatMap((store): Obstacle[] => {
        const found = facts.databases.standby[store];
        if (found === undefined) return [{ what: `${store} in the standby was not asked`, next: "lifeboat status" }];
        if ("none" in found) return obstacleOf(found);
        const { role, problem } = found.value;
        switch (role) {
            case "replica":
                return [];
            case "half-open":
            case "read-only":
                return [
                    {
                        what: `${store} in the standby is no replica${problem === undefined ? "" : `: ${problem}`}`,
                        next: kubectl(estate, "standby", store),
                    },
                ];
            case "writable":
                return [
                    {
                        what: `${store} in the standby is writable, though the epoch makes the primary active`,
                        next: kubectl(estate, "standby", store),
                    },
                ];
            default:
                return role satisfies never;
        }
    });
}

function lossesOf(estate: Estate, facts: Facts): Loss[] {
    return Object.entries(estate.services).map(([service, { needs, objective }]): Loss => {
        const behind = needs.map((store) => behindOf(facts, store));
        const known = behind.flatMap((each) => (each === undefined ? [] : [each.seconds]));
        const worst = known.length < needs.length ? null : seconds(Math.max(0, ...known));
        const silences = behind.flatMap((each) => each?.silentFor ?? []);
        return {
            service,
            seconds: worst,
            ...(silences.length === 0 ? {} : { silentFor: seconds(Math.max(...silences)) }),
            promised: objective.rpo,
            holds: worst !== null && worst <= objective.rpo,
        };
    });
}

/** What the standby's replica of a store lacks; undefined where nobody can say. */
function behindOf({ databases }: Facts, store: string): { seconds: number; silentFor?: number } | undefined {
    const replica = databases.standby[store];
    if (replica === undefined || "none" in replica) return undefined;
    const { lagSeconds, heard } = replica.value;
    if (lagSeconds !== null) return { seconds: lagSeconds };
    if (heard === undefined) return undefined;
    const peer = databases.primary[store];
    // A peer that lives has gone on acknowledging since; one that is dead has not.
    const lives = peer !== undefined && "value" in peer && peer.value.role === "writable";
    return { seconds: heard.lagSeconds + (lives ? heard.secondsAgo : 0), silentFor: heard.secondsAgo };
}

/** Why a store is unprotected, one line a reason; none where a replica and a fresh verified point are there. */
function unprotectedBecause(estate: Estate, facts: Facts, active: SiteName | null, store: string): Unprotected[] {
    const declared = estate.stores[store]!;
    const reasons: string[] = [];
    const replica = active === null ? undefined : replicaProblem(facts, otherSite(active), store, declared.replica.maxLag);
    if (replica !== undefined) reasons.push(replica);
    const point = facts.points[store];
    if (point !== undefined && "none" in point) reasons.push("its recovery points cannot be listed");
    else if (point?.value === undefined) reasons.push("no verified recovery point yet");
    else {
        const age = seconds((Date.parse(facts.at) - Date.parse(point.value.startedAt)) / 1000);
        if (age > declared.objective.rpo)
            reasons.push(`newest verified point is ${formatDuration(age)} old, over its RPO of ${formatDuration(declared.objective.rpo)}`);
        if (point.value.copies < siteNames.length) reasons.push("its newest point has one copy");
        if (point.value.logTrouble !== undefined) reasons.push(`its log in the vault ${point.value.logTrouble}`);
    }
    return reasons.map((why) => ({ store, why }));
}

function notCarriedBy({ databases }: Facts, active: SiteName | null, store: string): Unprotected[] {
    const found = active === null ? undefined : databases[active][store];
    const [first, ...others] = found !== undefined && "value" in found ? (found.value.unprotected ?? []) : [];
    if (first === undefined) return [];
    const more = others.length === 0 ? "" : `; and ${others.length} more: ${others.map(({ name }) => name).join(", ")}`;
    return [{ store, why: `${first.name} ${first.why}${more}` }];
}

function replicaProblem({ databases }: Facts, passive: SiteName, store: string, maxLag: Seconds): string | undefined {
    const found = databases[passive][store];
    if (found === undefined) return undefined;
    if ("none" in found) return `no replica: the ${passive}'s server does not answer`;
    const { role, lagSeconds, problem } = found.value;
    const told = problem === undefined ? "" : `: ${problem}`;
    if (role !== "replica") return `no replica: the ${passive}'s server is ${role}${told}`;
    if (lagSeconds === null) return `its replica does not follow${told || ": it does not hear from its peer"}`;
    return lagSeconds > maxLag ? `its replica is ${formatDuration(seconds(lagSeconds))} behind, over ${formatDuration(maxLag)}` : undefined;
}

/** What would be lost and how long it would take, one line a service. Empty where the standby cannot take over. */
export function tellPrice({ losses, takes }: Readiness): string[] {
    return losses.map(({ service, seconds: span, silentFor, promised }) => {
        const silence =
            silentFor === undefined
                ? ""
                : `, as of ${formatDuration(seconds(Math.round(silentFor)))} ago: its replicas have heard nothing since`;
        const lost =
            span === null
                ? "loses what its replicas had not received: they do not hear from the primary"
                : `loses ${span < 1 ? "under 1 s" : `about the last ${formatDuration(span)}`} of acknowledged writes${silence}`;
        const bound = takes.find(({ of }) => of === service);
        const time =
            bound === undefined ? "" : `; answers again within ${formatDuration(bound.seconds)} (RTO ${formatDuration(bound.promised)})`;
        return `${service} ${lost} (RPO ${formatDuration(promised)})${time}`;
    });
}
