import { setTimeout as sleep } from "node:timers/promises";
import { otherSite } from "../../model/estate.ts";
import { Failure } from "../../model/failure.ts";
import { actionFor, type Lease } from "../../model/lease.ts";
import type { Unprotected } from "../../stores/physical.ts";
import type { DatabasePlace, DatabaseStatus, GuardedServer } from "../../stores/place.ts";
import { readMarker, writeMarker, type Marker } from "./marker.ts";
import { restoredProblem, unprotectedOf } from "./told.ts";
import type { Proofs, Prover } from "./proofs.ts";
import type { EpochRecord } from "../../model/epoch.ts";

export interface GuardTools {
    readonly place: DatabasePlace;
    readonly server: GuardedServer;
    readonly proofs: Proofs;
    /** Ends every client's session at once. */
    drop(): void;
    /** Told of each record that a prover answers with, and not waited for; it tells of its own failures. */
    answered?(prover: Prover, record: EpochRecord): Promise<void>;
    readonly signal: AbortSignal;
}

export interface GuardStatus extends DatabaseStatus {
    store: string;
    /** Of a replica that does not hear from its peer: when it last did, and how far it was behind then. */
    heard?: { secondsAgo: number; lagSeconds: number };
    /** What the server holds that a replica of it does not, as it was asked within the last minute. */
    unprotected: readonly Unprotected[];
    /** What the volume's marker says of its copy; absent where the data began here. */
    seed?: Marker["seed"];
    lease: {
        state: Lease["state"];
        /** The highest that this guard was told of; 0: of none. */
        epoch: number;
        /** How long the proof is good for. */
        secondsLeft: number;
        /** Who does not answer, and why. */
        silent: Record<string, string>;
    };
}
/** How a server becomes a replica again: from its own position, or by a copy, which wipes it. `restart`: the copy begins when its pod starts. */
export interface RejoinedStore {
    store: string;
    way: "followed already" | "position" | "copy";
    restart: boolean;
}
export interface PromotedStore {
    store: string;
    promotedAt: string;
    /** Where its own history begins. */
    position: string;
}

/** The guard beside one server: it alone makes the server writable, and it alone lets the server's answers out. */
export interface Guard {
    /** Whether an answer of the server may leave at this instant: a proof of the right to write, or a server that is known to take no writes. */
    passes(): boolean;
    /** One look at the server, and what follows from the lease. @returns what was done, in words; undefined for nothing */
    look(): Promise<string | undefined>;
    /**
     * Promotes the server in place, with a proof that is fresh. Repeated, it finds the work done and answers the same.
     * @throws Failure("refused") when the site is not the active one or its copy was never finished, Failure("unavailable") when neither prover nor server
     * answers
     */
    promote(): Promise<PromotedStore>;
    /**
     * Makes the server a replica of the peer, which is active: from where it stands, where the peer's history has that place, else wiped and copied. What it held alone is to be
     * saved before.
     * @throws Failure("refused") when the site is the active one or the server takes writes
     */
    rejoin(): Promise<RejoinedStore>;
    status(): Promise<GuardStatus>;
    /** Looks, and looks again whenever the lease changes and every `every` ms, until the signal. What is wrong is told once, until it changes. */
    run(every: number): Promise<void>;
}

const unfinished = (marker: Marker | undefined): boolean => marker?.seed === "wanted" || marker?.seed === "copying";

export function guardOf({ place, server, proofs, drop, answered, signal }: GuardTools): Guard {
    const { store, volume } = place;
    const { site } = place;
    /** True while the server is known to take no writes: nobody but this process lifts that, and it says so first. */
    let closed = false;
    /** True while the server is a former writer of a site that is active no more. */
    let retired = false;
    /** What the last look went by. */
    let writing: boolean | undefined;
    let turn: Promise<unknown> = Promise.resolve();
    let woken = Promise.withResolvers<void>();
    let lapse: NodeJS.Timeout | undefined;

    /** One at a time: what a look found must still hold when it acts. */
    const exclusively = <Result>(work: () => Promise<Result>): Promise<Result> => {
        const result = turn.then(work);
        turn = result.catch(() => undefined); // told to whoever asked for it
        return result;
    };
    const passes = () => proofs.mayWrite() || closed;
    /** When a replica last told its lag, on this process's clock: what a region's loss costs is known by it when the peer is silent. */
    let heard: { at: number; lagSeconds: number } | undefined;

    const unprotected = unprotectedOf(server, store);

    async function ask(): Promise<DatabaseStatus> {
        const found = await server.status();
        if (found.lagSeconds !== null) heard = { at: performance.now(), lagSeconds: found.lagSeconds };
        return found;
    }

    /** After anything that may have changed the right to write: the sessions first, then the server. */
    function react(): void {
        clearTimeout(lapse);
        const left = proofs.left();
        if (left > 0 && !signal.aborted) lapse = setTimeout(react, left * 1000 + 1);
        if (!passes()) drop();
        if (proofs.mayWrite() !== writing) woken.resolve();
    }

    const why = (): string => {
        const lease = proofs.lease();
        switch (lease.state) {
            case "ceded":
                return `epoch ${lease.epoch} makes ${lease.active} active`;
            case "proven":
                return proofs.mayWrite()
                    ? `epoch ${lease.epoch} makes ${site} active`
                    : `the lease of epoch ${lease.epoch} ran out, and nobody says whether it is still this site's`;
            case "unproven":
                return "nobody has said which site is active";
        }
    };

    async function look(): Promise<string | undefined> {
        const marker = readMarker(volume);
        const { role } = await ask();
        closed = role === "read-only" || role === "replica";
        retired = role === "read-only" && proofs.lease().state === "ceded";
        const mayWrite = proofs.mayWrite();
        writing = mayWrite;
        if (unfinished(marker)) return refuseIfActive(mayWrite);
        if (marker?.seed === "copied") return followOrRefuse(marker, mayWrite);
        switch (actionFor(mayWrite, role)) {
            case "open":
                if (marker?.seed === "restored" && !marker.parted) {
                    await server.partHistory?.();
                    writeMarker(volume, { ...marker, parted: true });
                }
                closed = false;
                await server.open();
                return `writable: ${why()}`;
            case "close":
                await server.close();
                closed = true;
                return `read-only: ${why()}`;
            case "leave":
                return role === "replica" && !mayWrite ? server.tend?.(signal) : undefined;
        }
    }

    function refuseIfActive(mayWrite: boolean): undefined {
        if (mayWrite)
            throw new Failure(
                "refused",
                `${why()}, but its copy of ${store} was never finished: it stays closed`,
                `restore a recovery point into it: lifeboat restore ${store}`,
            );
        return undefined;
    }

    async function followOrRefuse(marker: Marker, mayWrite: boolean): Promise<string | undefined> {
        if (mayWrite)
            throw new Failure(
                "refused",
                `${why()}, and ${store} is a copy that was not promoted: it stays closed`,
                `promote it: lifeboat guard ${store} --promote, as \`lifeboat activate\` does`,
            );
        if (proofs.lease().state !== "ceded") return undefined;
        await followCopy(marker);
        return `seeded from ${place.peer.host}, and follows it`;
    }

    async function followCopy({ position, ...marker }: Marker): Promise<void> {
        await server.followCopy?.(position ?? "");
        writeMarker(volume, { ...marker, seed: "done", at: new Date().toISOString() });
    }

    /** @throws Failure where this server is none that may be promoted */
    function checkWhole(): Marker | undefined {
        const marker = readMarker(volume);
        if (!unfinished(marker)) return marker;
        throw new Failure(
            "refused",
            `the copy of ${store} in ${site} was never finished: promoting it would serve a part of the data`,
            `restore a recovery point into it: lifeboat restore ${store}`,
        );
    }

    async function promote(): Promise<PromotedStore> {
        await proofs.ask();
        if (!proofs.mayWrite()) {
            const ceded = proofs.lease().state === "ceded";
            throw new Failure(
                ceded ? "refused" : "unavailable",
                `${store} in ${site} may not be promoted: ${why()}`,
                ceded
                    ? "claim the epoch first: lifeboat activate"
                    : "see why neither the standby's bucket nor the witness answers its guard",
            );
        }
        const marker = checkWhole();
        // Its own history has to begin where the copy ends.
        if (marker?.seed === "copied") await followCopy(marker);
        // From here on only the lease lets an answer out.
        closed = false;
        const { position } = await server.promote(signal);
        const promotedAt = marker?.promotedAt ?? new Date().toISOString();
        const now = readMarker(volume);
        if (now && now.promotedAt === undefined) writeMarker(volume, { ...now, promotedAt });
        return { store, promotedAt, position };
    }

    async function rejoin(): Promise<RejoinedStore> {
        await proofs.ask();
        const { state } = proofs.lease();
        const { role, lagSeconds } = await server.status();
        if (state !== "ceded" || role === "writable" || role === "half-open")
            throw new Failure(
                "refused",
                `${store} in ${site} is ${role}, and ${why()}: only a closed server of a passive site becomes a replica`,
                "run `lifeboat status` to see who is active",
            );
        if (role === "replica" && lagSeconds !== null) return { store, way: "followed already", restart: false };
        const from = otherSite(site);
        const at = () => new Date().toISOString();
        if (role === "read-only" && !unfinished(readMarker(volume)) && (await server.followFromHere?.(signal))) {
            writeMarker(volume, { seed: "done", from, at: at() });
            return { store, way: "position", restart: false };
        }
        // From here on its data counts as half a copy, whatever happens to this process.
        writeMarker(volume, { seed: "wanted", from, at: at() });
        woken.resolve();
        return { store, way: "copy", restart: true };
    }

    async function status(): Promise<GuardStatus> {
        const found = await ask();
        const marker = readMarker(volume);
        const silent = found.role === "replica" && found.lagSeconds === null && heard !== undefined;
        const last = silent ? { heard: { secondsAgo: (performance.now() - heard!.at) / 1000, lagSeconds: heard!.lagSeconds } } : {};
        const problem = unfinished(marker) ? "its seed is not finished" : (found.problem ?? restoredProblem(marker, found.role, store));
        const { state, epoch } = proofs.lease();
        const lease = { state, epoch, secondsLeft: proofs.left(), silent: Object.fromEntries(proofs.silent()) };
        const told = problem === undefined ? {} : { problem };
        return { store, ...found, ...last, ...told, ...(marker && { seed: marker.seed }), unprotected: await unprotected(), lease };
    }

    /** Tells a line once, until there is another one of its kind. */
    const told = new Map<string, string>();
    const tell = (kind: string, line: string) => {
        if (told.get(kind) !== line) place.note(`${new Date().toISOString()} ${store}: ${line}`);
        told.set(kind, line);
    };
    const tellWhatIsWrong = (problem: string | undefined) => {
        for (const [name, reason] of proofs.silent()) tell(name, `${name} does not answer: ${reason}`);
        for (const kind of [...told.keys()])
            if (kind !== "done" && kind !== "problem" && !proofs.silent().has(kind)) {
                place.note(`${new Date().toISOString()} ${store}: ${kind} answers again`);
                told.delete(kind);
            }
        if (problem !== undefined) tell("problem", problem);
        else if (told.delete("problem")) tell("done", "all is as the epoch demands");
    };

    return {
        passes,
        look: () => exclusively(look),
        promote: async () => {
            checkWhole(); // a seed under way holds the turn for long
            return exclusively(promote);
        },
        rejoin: () => exclusively(rejoin),
        status,
        async run(every) {
            const renewing = proofs.renew(signal, (prover, record) => {
                react();
                void answered?.(prover, record);
            });
            signal.addEventListener("abort", () => clearTimeout(lapse), { once: true });
            while (!signal.aborted) {
                const pause = new AbortController();
                // The first look waits for the first answer: a guard that was restarted is not to close what it will open at once.
                await Promise.race([woken.promise, sleep(every, undefined, { signal: AbortSignal.any([signal, pause.signal]) })]).catch(
                    () => {},
                );
                pause.abort();
                woken = Promise.withResolvers();
                try {
                    const done = await exclusively(look);
                    if (done !== undefined) tell("done", done);
                    else if (retired)
                        tell("done", `stays read-only: ${why()}; its data is kept as it is, what to do next says \`lifeboat status\``);
                    tellWhatIsWrong(undefined);
                } catch (error) {
                    const { message, cause } = error as Error;
                    tellWhatIsWrong(`not as the epoch demands yet: ${message}${cause instanceof Error ? ` (${cause.message})` : ""}`);
                }
                react();
            }
            await renewing;
        },
    };
}
