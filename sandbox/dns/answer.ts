import { plainName, type RecordSet, type Zone } from "./zone-data.ts";

export interface Question {
    readonly name: string;
    readonly type: string;
}
export interface AnswerRecord {
    readonly name: string;
    readonly type: string;
    readonly ttl: number;
    readonly value: string;
}
export interface Reply {
    readonly rcode: "NOERROR" | "NXDOMAIN" | "SERVFAIL";
    readonly answers: readonly AnswerRecord[];
    /** Zone whose SOA belongs into a negative answer. */
    readonly authority?: string;
    /** What went wrong, for the log. */
    readonly problem?: string;
}

export interface World {
    readonly zones: readonly Zone[];
    /** Status of a health check; undefined for one that does not exist. */
    readonly healthy: (checkId: string) => boolean | undefined;
    /** Names outside every hosted zone: addresses, or undefined when there is no such name. */
    readonly outside: (name: string) => { readonly address: string; readonly ttl: number } | undefined;
    /** What the TTLs of records are divided by. */
    readonly fast: number;
}

/** Longest chain of CNAMEs that is followed. */
const longestChain = 8;
const served = new Set(["A", "AAAA", "CNAME", "TXT", "NS", "SOA"]);

/**
 * Chooses among records of one name and type as Route 53 does for failover routing.
 * https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/health-checks-how-route-53-chooses-records.html: a record without a health check is always healthy;
 * PRIMARY while it is healthy, else SECONDARY while that is, and when neither is, all are taken for healthy, so PRIMARY (dns-failover-problems: "If all records … are unhealthy").
 * @returns undefined when there is nothing to choose from; "beyond" for a routing policy that the sandbox does not have
 */
export function chooseRecord(
    records: readonly RecordSet[],
    healthy: (checkId: string) => boolean | undefined,
): RecordSet | undefined | "beyond" {
    if (records.some((record) => record.beyond !== undefined)) return "beyond";
    const failover = records.filter((record) => record.failover !== undefined);
    if (failover.length === 0) return records.length > 1 ? "beyond" : records[0];
    if (failover.length !== records.length) return "beyond";
    const primary = records.find((record) => record.failover === "PRIMARY");
    const secondary = records.find((record) => record.failover === "SECONDARY");
    // A record whose health check was deleted: "Route 53 can no longer check its health" and answers as if it were healthy.
    const stands = (record: RecordSet | undefined) =>
        record !== undefined && (record.healthCheckId === undefined || healthy(record.healthCheckId) !== false);
    if (stands(primary)) return primary;
    if (stands(secondary)) return secondary;
    return primary ?? secondary;
}

/** Whole seconds, never 0 where it was not: a TTL of 0 would mean "do not cache". */
export const fastTtl = (ttl: number, fast: number): number => (ttl === 0 ? 0 : Math.max(1, Math.ceil(ttl / fast)));

/** Answers a question from the hosted zones and, outside them, from the names of AWS; follows CNAMEs to their end, as a resolver does for its clients. */
export function answer(question: Question, world: World): Reply {
    const answers: AnswerRecord[] = [];
    let name = plainName(question.name);
    for (let hop = 0; hop < longestChain; hop++) {
        const step = lookUp(name, question.type, world);
        answers.push(...step.answers);
        const alias = step.answers[0];
        if (step.rcode !== "NOERROR" || alias?.type !== "CNAME" || question.type === "CNAME") return { ...step, answers };
        name = plainName(alias.value);
    }
    return { rcode: "SERVFAIL", answers: [], problem: `over ${longestChain} CNAMEs in a row` };
}

function lookUp(name: string, type: string, world: World): Reply {
    const zone = world.zones
        .filter((each) => name === each.name || name.endsWith(`.${each.name}`))
        .sort((a, b) => b.name.length - a.name.length)[0];
    if (!zone) {
        const found = world.outside(name);
        if (!found) return { rcode: "NXDOMAIN", answers: [] };
        // Only IPv4 is spoken in the sandbox: the name is there, an AAAA record is not.
        return { rcode: "NOERROR", answers: type === "A" ? [{ name, type: "A", ttl: found.ttl, value: found.address }] : [] };
    }
    const covered = covering(zone, name);
    if (!covered) return { rcode: "NXDOMAIN", answers: [], authority: zone.name };
    const aliases = covered.filter((record) => record.type === "CNAME");
    const candidates = aliases.length > 0 ? aliases : covered.filter((record) => record.type === type);
    const chosen = chooseRecord(candidates, world.healthy);
    if (chosen === "beyond")
        return {
            rcode: "SERVFAIL",
            answers: [],
            problem: `${name}: ${candidates.map((each) => each.beyond ?? "mixed records").join(", ")}`,
        };
    if (!chosen) return { rcode: "NOERROR", answers: [], authority: zone.name };
    if (!served.has(chosen.type))
        return { rcode: "SERVFAIL", answers: [], problem: `${name}: records of type ${chosen.type} are beyond the sandbox` };
    const ttl = fastTtl(chosen.ttl, world.fast);
    return { rcode: "NOERROR", answers: chosen.values.map((value) => ({ name, type: chosen.type, ttl, value })) };
}

/** Records of a name: its own, else those of the closest wildcard (RFC 4592); [] for a name that only has names below it; undefined when there is no such name. */
function covering(zone: Zone, name: string): readonly RecordSet[] | undefined {
    const own = zone.records.filter((record) => record.name === name);
    if (own.length > 0) return own;
    if (zone.records.some((record) => record.name.endsWith(`.${name}`)) || name === zone.name) return [];
    for (let parent = name.slice(name.indexOf(".") + 1); parent.endsWith(zone.name); parent = parent.slice(parent.indexOf(".") + 1)) {
        const wild = zone.records.filter((record) => record.name === `*.${parent}`);
        if (wild.length > 0) return wild;
        // A name that is there stops wildcards above it from covering what would be below it.
        if (parent === zone.name || zone.records.some((record) => record.name === parent || record.name.endsWith(`.${parent}`)))
            return undefined;
    }
    return undefined;
}
