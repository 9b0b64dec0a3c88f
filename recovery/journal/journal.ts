import { createHash, randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { Failure } from "../../model/failure.ts";
import { coordination } from "../../model/names.ts";
import { commandOf } from "../../model/plan.ts";
import type { CoordinationBucket } from "../conditional-bucket.ts";
import { thisRunner, type Runner } from "../runner.ts";
import { entry, type Entry, type Event, type Opened } from "./entries.ts";
import { damaged, replay, type ActivationState } from "./state.ts";

/** A runner that has nothing to write says so this often (ms). */
export const heartbeatEvery = 3_000;

/** The journal of one activation: it only grows, each entry is written on the condition that nobody has written that number. */
export interface Journal {
    readonly activation: string;
    state(): ActivationState;
    /** Writes one entry, after those asked for before it. @throws Failure "refused" when another runner has taken the activation over. */
    append(event: Event): Promise<void>;
    /** Whether an append showed that another runner has taken the activation over. */
    displaced(): boolean;
    /** Says that the runner lives until disposed. */
    beat(): Disposable;
}

const digest = (text: string): string => createHash("sha256").update(text).digest("hex");

/** `20261121T154010Z-9f3c` */
export const newActivationId = (now = new Date()): string =>
    `${now.toISOString().replace(/[-:]/g, "").replace(/\.\d+/, "")}-${randomBytes(2).toString("hex")}`;

/** Begins the journal of a new activation. */
export async function openJournal(bucket: CoordinationBucket, activation: string, opened: Opened, runner = thisRunner()): Promise<Journal> {
    const journal = continueJournal(bucket, activation, [], null, runner);
    await journal.append(opened);
    return journal;
}

/** An unfinished or finished activation, as it was found. */
export interface FoundJournal {
    state: ActivationState;
    /** A later look that finds more of them knows that the runner lives. */
    entries: readonly Entry[];
    /** Goes on with it as this runner. @throws Failure "refused" when somebody was faster. */
    takeOver(runner?: Runner): Promise<Journal>;
}

/** Reads a journal and checks it. @throws Failure "refused" where it is damaged or foreign. */
export async function readJournal(bucket: CoordinationBucket, activation: string): Promise<FoundJournal> {
    const keys = await bucket.list(coordination.journal(activation, 0).replace(/\d+\.json$/, ""));
    const texts = await Promise.all(
        keys.map(async (key, number) => {
            if (key !== coordination.journal(activation, number)) throw damaged(activation, `${key} stands where entry ${number} should`);
            return (await bucket.get(key))?.text ?? "";
        }),
    );
    const entries: Entry[] = [];
    let previous: string | null = null;
    for (const [number, text] of texts.entries()) {
        const found = parse(activation, number, text);
        if (found.previous !== previous) throw damaged(activation, `entry ${number} does not follow the one before it`);
        entries.push(found);
        previous = digest(text);
    }
    const state = replay(entries);
    return {
        state,
        entries,
        async takeOver(runner = thisRunner()) {
            const journal = continueJournal(bucket, activation, [...entries], previous, runner);
            await journal.append({ kind: "resumed" });
            return journal;
        },
    };
}

/** Every activation there was, newest first. */
export const activations = async (bucket: CoordinationBucket): Promise<string[]> =>
    (await bucket.list("journal/", "/")).map((prefix) => prefix.split("/")[1] ?? "").reverse();

/** The newest activation, or undefined. */
export async function findNewest(bucket: CoordinationBucket): Promise<FoundJournal | undefined> {
    const [newest] = await activations(bucket);
    return newest === undefined ? undefined : readJournal(bucket, newest);
}

/** The newest activation that has not ended, or undefined. */
export async function findUnfinished(bucket: CoordinationBucket): Promise<FoundJournal | undefined> {
    for (const activation of await activations(bucket)) {
        const last = (await bucket.list(`journal/${activation}/`)).at(-1);
        const text = last === undefined ? undefined : (await bucket.get(last))?.text;
        // Only the end is looked at, so that old activations cost two calls each; what does not say that it is finished is read whole.
        if (text !== undefined && entry.safeParse(tryJson(text)).data?.event.kind === "closed") continue;
        return readJournal(bucket, activation);
    }
    return undefined;
}

function tryJson(text: string): unknown {
    try {
        return JSON.parse(text);
    } catch {
        return undefined;
    }
}

function parse(activation: string, number: number, text: string): Entry {
    const found = entry.safeParse(tryJson(text));
    if (!found.success) throw damaged(activation, `entry ${number} is not readable`);
    if (found.data.activation !== activation || found.data.number !== number)
        throw damaged(activation, `entry ${number} says it is entry ${found.data.number} of ${found.data.activation}`);
    return found.data;
}

function continueJournal(
    bucket: CoordinationBucket,
    activation: string,
    entries: Entry[],
    previous: string | null,
    runner: Runner,
): Journal {
    let last = previous;
    let queue: Promise<unknown> = Promise.resolve();
    let written = performance.now();
    let lost = false;

    const write = async (what: Event): Promise<void> => {
        const number = entries.length;
        const next: Entry = entry.parse({
            version: 1,
            activation,
            number,
            previous: last,
            at: new Date().toISOString(),
            runner,
            event: what,
        });
        replay([...entries, next]); // a fault of ours is found before it is written
        const text = JSON.stringify(next);
        if (!(await create(bucket, coordination.journal(activation, number), text))) {
            lost = true;
            const { opened } = replay([...entries, next]);
            throw await displacedBy(bucket, activation, number, commandOf[opened.scenario]);
        }
        entries.push(next);
        last = digest(text);
        written = performance.now();
    };
    const append = (what: Event): Promise<void> => {
        const turn = queue.then(() => write(what));
        queue = turn.catch(() => undefined);
        return turn;
    };
    return {
        activation,
        state: () => replay(entries),
        append,
        displaced: () => lost,
        beat() {
            const timer = setInterval(() => {
                if (performance.now() - written < heartbeatEvery) return;
                // A beat that fails is not the end: the next entry of a step will say why.
                void append({ kind: "heartbeat" }).catch(() => undefined);
            }, heartbeatEvery / 2);
            timer.unref();
            return { [Symbol.dispose]: () => clearInterval(timer) };
        },
    };
}

/** Waiting times (ms) before an entry that could not be written is tried again. */
const patience = [500, 2_000, 5_000];

/** Writes the same text again where there was no answer: an entry that did arrive is found to be this one. */
async function create(bucket: CoordinationBucket, key: string, text: string): Promise<boolean> {
    for (const wait of patience) {
        try {
            return await bucket.create(key, text);
        } catch (error) {
            if (!(error instanceof Failure) || error.exit !== "unavailable") throw error;
            await sleep(wait);
        }
    }
    return bucket.create(key, text);
}

async function displacedBy(bucket: CoordinationBucket, activation: string, number: number, command: string): Promise<Failure> {
    const stored = await bucket.get(coordination.journal(activation, number));
    const by = stored === undefined ? undefined : entry.safeParse(tryJson(stored.text)).data?.runner;
    return new Failure(
        "refused",
        `activation ${activation} was taken over by ${by === undefined ? "another process" : `${by.by} (pid ${by.pid})`}`,
        `leave it to them; \`${command} --resume\` would take it back`,
    );
}
