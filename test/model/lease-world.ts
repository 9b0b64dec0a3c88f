import type { LeaseTerms, SiteName } from "../../model/estate.ts";
import { mayWrite, noLease, type Claim, type heard, type Lease } from "../../model/lease.ts";
import { seconds, type Seconds } from "../../model/units.ts";

/** Something that happens to the world, so many ms after what came before. */
export interface Happening {
    readonly after: number;
    readonly what:
        | { readonly kind: "cut" | "heal"; readonly site: SiteName; readonly prover: "standby" | "witness" }
        | { readonly kind: "pause" | "resume" | "kill"; readonly site: SiteName }
        | { readonly kind: "activate" | "give up" };
}

export interface World {
    readonly terms: LeaseTerms;
    readonly happenings: readonly Happening[];
    /** What each guard's clock shows at the beginning (s), and how fast it runs. */
    readonly clocks: Readonly<Record<SiteName, { readonly shows: number; readonly rate: number }>>;
    /** How fast the clock of the activation's machine runs. */
    readonly activationRate: number;
    /** Delays of requests and of answers, in ms, taken in turn. */
    readonly delays: readonly number[];
    /** ms between the claim and the witness's being told. */
    readonly tellsAfter: number;
    /** The thing that is tested; a wrong one in its place must be found out. */
    readonly prove: (...args: [...Parameters<typeof heard>, heardAt: Seconds]) => Lease;
    readonly wait: Seconds;
}

/** An instant at which a site's gate would let an acknowledgement out. */
export interface Acknowledged {
    readonly at: number;
    readonly site: SiteName;
    readonly epoch: number;
}

const tick = 50;
const tail = 60_000;

interface Answer {
    readonly record: Claim;
    readonly askedAt: Seconds;
    readonly arrives: number;
}

/**
 * Two guards, two records and an activation, in steps of 50 ms of a time that none of them knows. Requests and answers take as long as they may; a guard that stands still
 * finds what came meanwhile when it goes on, and may let an acknowledgement out before it reads it.
 */
export function live(world: World): { acknowledged: Acknowledged[]; fencedAt: number | undefined } {
    const { terms, clocks, prove } = world;
    const records: Record<"standby" | "witness", Claim> = {
        standby: { epoch: 1, active: "primary" },
        witness: { epoch: 1, active: "primary" },
    };
    const guards = (["primary", "standby"] as const).map((site) => ({
        site,
        lease: noLease,
        paused: false,
        nextAsk: 0,
        cut: new Set<"standby" | "witness">(),
        /** On their way to a record. */
        asked: [] as { prover: "standby" | "witness"; reads: number; askedAt: Seconds }[],
        answers: [] as Answer[],
        now: (time: number): Seconds => seconds(clocks[site].shows + (time / 1000) * clocks[site].rate),
    }));
    let drawn = 0;
    const delay = () => world.delays[drawn++ % world.delays.length] ?? 0;
    const due = world.happenings.map(
        (
            (sum) => (each) =>
                ({ at: (sum += each.after), what: each.what }) as const
        )(0),
    );
    const acknowledged: Acknowledged[] = [];
    let activation: { tellsAt: number; fencedAt?: number } | undefined;
    let fencedAt: number | undefined;
    const end = (due.at(-1)?.at ?? 0) + tail;

    const happen = (what: Happening["what"]) => {
        if ("site" in what) {
            const guard = guards.find(({ site }) => site === what.site)!;
            if (what.kind === "cut") guard.cut.add(what.prover);
            else if (what.kind === "heal") guard.cut.delete(what.prover);
            else if (what.kind === "kill") Object.assign(guard, { lease: noLease, paused: false, nextAsk: 0, asked: [], answers: [] });
            else guard.paused = what.kind === "pause";
        } else if (what.kind === "activate" && records.standby.active === "primary") {
            records.standby = { epoch: records.standby.epoch + 1, active: "standby" };
            activation = { tellsAt: world.tellsAfter };
        } else if (what.kind === "give up" && activation && fencedAt === undefined) {
            records.standby = { epoch: records.standby.epoch + 1, active: "primary" };
            records.witness = records.standby;
            activation = undefined;
        }
    };

    for (let time = 0; time <= end; time += tick) {
        while (due[0] && due[0].at <= time) {
            const { what } = due.shift()!;
            happen(what);
            if (what.kind === "activate" && activation) activation = { tellsAt: Math.max(activation.tellsAt, time + world.tellsAfter) };
        }
        if (activation && activation.fencedAt === undefined && time >= activation.tellsAt) {
            records.witness = records.standby;
            activation.fencedAt = time + (world.wait * 1000) / world.activationRate;
        }
        if (activation?.fencedAt !== undefined && time >= activation.fencedAt) fencedAt ??= time;
        for (const guard of guards) {
            for (const { prover, reads, askedAt } of guard.asked.filter(({ reads }) => reads <= time))
                if (!guard.cut.has(prover) && reads <= time)
                    guard.answers.push({ record: records[prover], askedAt, arrives: time + delay() });
            guard.asked = guard.asked.filter(({ reads }) => reads > time);
            if (guard.paused) continue;
            const now = guard.now(time);
            // Before it reads what came: the worst order.
            const promoted = guard.site === "primary" || fencedAt !== undefined;
            if (promoted && mayWrite(guard.lease, now)) acknowledged.push({ at: time, site: guard.site, epoch: guard.lease.epoch });
            for (const { record, askedAt } of guard.answers.filter(({ arrives }) => arrives <= time))
                guard.lease = prove(guard.lease, guard.site, record, askedAt, terms, now);
            guard.answers = guard.answers.filter(({ arrives }) => arrives > time);
            if (time < guard.nextAsk) continue;
            guard.nextAsk = time + terms.renewEvery * 1000;
            for (const prover of ["standby", "witness"] as const)
                if (!guard.cut.has(prover)) guard.asked.push({ prover, reads: time + delay(), askedAt: now });
        }
    }
    return { acknowledged, fencedAt };
}
