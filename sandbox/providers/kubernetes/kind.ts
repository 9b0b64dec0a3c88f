import { setTimeout as sleep } from "node:timers/promises";
import { autoname } from "../naming.ts";
import { NotReady, type Failing, type ResourceType, type Subject } from "../provider.ts";
import { isRecord, isUnknown, list, record, text, unknown, type Props, type Value } from "../values.ts";
import { awaits, deletionLimit, Hopeless, type Await } from "./awaits.ts";
import { ApiError, isGone, type Cluster } from "./cluster.ts";
import { isNamespaced, needsNew, type Mutability, type ObjectKind } from "./kinds.ts";
import { managedObject } from "./managed.ts";
import { parseWaitFor, waitingFor } from "./wait-for.ts";

/** What the provider was configured with, and the cluster it speaks to. */
export interface Session {
    cluster: Cluster;
    /** Namespace of objects that name none. */
    namespace: string;
    mutability: Mutability;
    /** Set when the engine cancels: awaits end. */
    cancelled: AbortSignal;
}

export const fieldManager = "pulumi";
/** How long an await bears an API server that does not answer, in ms. */
const silence = 30_000;
/** Source: https://www.pulumi.com/registry/packages/kubernetes/installation-configuration/ and the SDK's `annotations` documentation */
const annotations = ["autonamed", "deletionPropagationPolicy", "patchForce", "skipAwait", "timeoutSeconds", "waitFor"];

const metadata = (object: Props): Props => record(object["metadata"]);
const annotation = (object: Props, name: string): string | undefined => {
    const value = record(metadata(object)["annotations"])[`pulumi.com/${name}`];
    return value === undefined ? undefined : text(value);
};
const skips = (object: Props): boolean => annotation(object, "skipAwait") === "true";
/** What an object is waited for: its own annotation before the kind's logic, as since 4.18.4 of the official provider. */
function awaitOf(object: Props, usual: Await | undefined): Await | undefined {
    if (skips(object)) return undefined;
    const own = annotation(object, "waitFor");
    return own === undefined ? usual : { limit: usual?.limit ?? 600, onRead: true, waiting: (live) => waitingFor(own, live) };
}
const idOf = (live: Props): string => [metadata(live)["namespace"], metadata(live)["name"]].filter((part) => part !== undefined).join("/");

/** The live object as the state keeps it; who manages which field is the cluster's own bookkeeping. */
function stateOf(live: Props): Props {
    const { managedFields: _, ...kept } = metadata(live);
    return { ...live, metadata: kept };
}

/** Fields that the cluster fills in: unknown until the object is there. */
function foreseen(kind: ObjectKind, inputs: Props): Props {
    const fresh = Object.fromEntries(["creationTimestamp", "generation", "resourceVersion", "uid"].map((name) => [name, unknown]));
    const named = metadata(inputs)["name"] === undefined ? { name: unknown } : {};
    const address =
        kind.kind === "Service" && record(inputs["spec"])["clusterIP"] === undefined
            ? { spec: { ...record(inputs["spec"]), clusterIP: unknown } }
            : {};
    return {
        ...inputs,
        ...address,
        metadata: isUnknown(inputs["metadata"]) ? unknown : { ...metadata(inputs), ...named, ...fresh },
        status: unknown,
    };
}

/** New inputs over what is there, field by field; a list is replaced whole. */
function over(old: Value, now: Value): Value {
    if (!isRecord(old) || !isRecord(now)) return now;
    return { ...old, ...Object.fromEntries(Object.entries(now).map(([name, value]) => [name, over(old[name], value)])) };
}

/** Objects of one kind. */
export function objectType(kind: ObjectKind, session: () => Session): ResourceType {
    const key = `${kind.apiVersion} ${kind.kind}`;
    const usual: Await | undefined = awaits[key];

    const where = (id: string): { namespace: string; name: string } => {
        const [first = "", second] = id.split("/");
        return second === undefined ? { namespace: session().namespace, name: first } : { namespace: first, name: second };
    };
    const get = async (id: string): Promise<Props | undefined> => {
        const { cluster } = session();
        try {
            return await cluster.call("GET", await cluster.path({ ...kind, ...where(id) }));
        } catch (error) {
            if (isGone(error)) return undefined;
            throw error;
        }
    };

    async function apply(inputs: Props): Promise<Props> {
        const { cluster, namespace } = session();
        const { name, namespace: own, generateName } = metadata(inputs);
        const at = { ...kind, namespace: text(own ?? namespace) };
        const body = { ...inputs, ...kind };
        if (name === undefined && generateName !== undefined)
            return cluster.call("POST", await cluster.path(at), { query: { fieldManager, fieldValidation: "Strict" }, body });
        const force = annotation(inputs, "patchForce") === "true" ? { force: "true" } : {};
        return cluster.call("PATCH", await cluster.path({ ...at, name: text(name) }), {
            query: { fieldManager, fieldValidation: "Strict", ...force },
            type: "application/apply-patch+yaml",
            body,
        });
    }

    /** Looks for what an await asks, in the object's namespace. */
    const lookingFrom = (live: Props) => {
        const seen = new Map<string, number>();
        const namespace = text(metadata(live)["namespace"]);
        const { cluster } = session();
        return {
            list: async (apiVersion: string, of: string, labelSelector = "") =>
                list(
                    (await cluster.call("GET", await cluster.path({ apiVersion, kind: of, namespace }), { query: { labelSelector } }))[
                        "items"
                    ],
                ).map(record),
            find: async (apiVersion: string, of: string, name: string) => {
                try {
                    return await cluster.call("GET", await cluster.path({ apiVersion, kind: of, namespace: "", name }));
                } catch (error) {
                    if (isGone(error)) return undefined;
                    throw error;
                }
            },
            settled(what: string, seconds: number): boolean {
                const since = seen.get(what) ?? Date.now();
                seen.clear();
                seen.set(what, since);
                return Date.now() - since >= seconds * 1000;
            },
        };
    };

    /** Waits as the official provider does. @throws NotReady with the live object when the limit is over, or it can never be ready */
    async function untilReady(subject: Subject, inputs: Props, made: Props): Promise<Props> {
        const ready = awaitOf(inputs, usual);
        if (!ready) return made;
        const id = idOf(made);
        const limit = subject.timeoutSeconds || Number(annotation(inputs, "timeoutSeconds") ?? ready.limit);
        const looking = lookingFrom(made);
        let live = made;
        let silentSince: number | undefined;
        const fail = (why: string) => new NotReady(why, { id, inputs, state: stateOf(live) });
        for (const until = Date.now() + limit * 1000; ; await sleep(300)) {
            let why: string | undefined;
            try {
                const now = await get(id);
                if (!now) throw new Hopeless("it was deleted by somebody else");
                live = now;
                why = await ready.waiting(now, looking);
                if (why === undefined) return now;
                silentSince = undefined;
            } catch (error) {
                // The object is there, so however the waiting ends it must be in the state. A short silence of the API is waited out.
                why = error instanceof Error ? error.message : String(error);
                silentSince ??= Date.now();
                if (error instanceof Hopeless || error instanceof ApiError || Date.now() - silentSince > silence) throw fail(why);
            }
            if (session().cancelled.aborted) throw fail(`stopped by the engine while waiting: ${why}`);
            if (Date.now() > until) throw fail(`not ready after ${limit} s: ${why}`);
        }
    }

    return {
        outputs: ["status"],
        ...(key === "v1 Secret" && { secrets: ["data", "stringData"] }),

        check(subject, olds, news, random) {
            const failures: Failing[] = [];
            const inputs: Props = { ...news, ...kind };
            for (const name of ["apiVersion", "kind"] as const)
                if (news[name] !== undefined && news[name] !== kind[name])
                    failures.push({ property: name, reason: `${subject.type} has ${name} ${kind[name]}, not ${text(news[name])}` });
            const given = metadata(news);
            const own = record(given["annotations"]);
            for (const name of Object.keys(own).filter((one) => one.startsWith("pulumi.com/")))
                if (!annotations.includes(name.slice("pulumi.com/".length)))
                    failures.push({
                        property: `metadata.annotations["${name}"]`,
                        reason: `the stand-in does not do ${name}; it has ${annotations.join(", ")}`,
                    });
            try {
                if (own["pulumi.com/waitFor"] !== undefined) parseWaitFor(text(own["pulumi.com/waitFor"]));
            } catch (error) {
                failures.push({
                    property: 'metadata.annotations["pulumi.com/waitFor"]',
                    reason: error instanceof Error ? error.message : String(error),
                });
            }
            const completed: Props = { ...given };
            if (given["name"] === undefined && given["generateName"] === undefined && !isUnknown(news["metadata"])) {
                const before = annotation(olds, "autonamed") === "true" ? metadata(olds)["name"] : undefined;
                completed["name"] = before ?? autoname(subject.name, random, 8, 253).toLowerCase();
                completed["annotations"] = { ...own, "pulumi.com/autonamed": "true" };
            }
            if (given["namespace"] === undefined && isNamespaced(kind) === true) completed["namespace"] = session().namespace;
            if (given["namespace"] !== undefined && isNamespaced(kind) === false)
                failures.push({ property: "metadata.namespace", reason: `a ${kind.kind} lives in no namespace` });
            if (!isUnknown(news["metadata"])) inputs["metadata"] = completed;
            return { inputs, failures };
        },
        replaces: (difference) => needsNew(kind, difference, session().mutability),
        deletesFirst: (olds, news) =>
            annotation(news, "autonamed") !== "true" &&
            metadata(olds)["name"] === metadata(news)["name"] &&
            metadata(olds)["namespace"] === metadata(news)["namespace"],

        foresee: (inputs, olds) => (olds === undefined ? foreseen(kind, inputs) : (over(olds, inputs) as Props)),
        async create(subject, inputs) {
            const live = await untilReady(subject, inputs, await apply(inputs));
            return { id: idOf(live), state: stateOf(live) };
        },
        async read(_subject, id, inputs, state) {
            const live = await get(id);
            if (!live) return undefined;
            const kept = managedObject(inputs ?? {}, live);
            const found = { id: idOf(live), inputs: inputs === undefined ? importable(live) : kept, state: stateOf(live) };
            const ready = awaitOf(inputs ?? live, usual);
            if (ready?.onRead) {
                const looking = { ...lookingFrom(live), settled: () => true };
                let why: string | undefined;
                try {
                    why = await ready.waiting(live, looking);
                } catch (error) {
                    why = error instanceof Error ? error.message : String(error);
                }
                // A look-up of an object of somebody else's says what is there; only what we manage has to be ready.
                if (why !== undefined && state !== undefined) throw new NotReady(why, found);
            }
            return found;
        },
        async update(subject, _id, _olds, news) {
            return stateOf(await untilReady(subject, news, await apply(news)));
        },
        async delete(subject, id, state) {
            const { cluster, cancelled } = session();
            const path = await cluster.path({ ...kind, ...where(id) });
            const propagationPolicy =
                { orphan: "Orphan", background: "Background" }[annotation(state, "deletionPropagationPolicy") ?? ""] ?? "Foreground";
            try {
                await cluster.call("DELETE", path, { body: { apiVersion: "v1", kind: "DeleteOptions", propagationPolicy } });
            } catch (error) {
                if (isGone(error)) return;
                throw error;
            }
            if (skips(state)) return;
            const { uid } = metadata(state);
            const limit = subject.timeoutSeconds || Number(annotation(state, "timeoutSeconds") ?? deletionLimit(kind));
            for (const until = Date.now() + limit * 1000; ; await sleep(300)) {
                const live = await get(id);
                // A new object of the same name is not the one that was deleted.
                if (!live || (uid !== undefined && metadata(live)["uid"] !== uid)) return;
                if (cancelled.aborted) throw new Error("stopped by the engine while it was being deleted");
                if (Date.now() > until) {
                    const holders = list(metadata(live)["finalizers"]).map(text).join(", ");
                    throw new Error(`still there ${limit} s after its deletion${holders === "" ? "" : `; held by ${holders}`}`);
                }
            }
        },
    };
}

/** What a program would have to say of an imported object: without what the cluster fills in. */
function importable(live: Props): Props {
    const { status: _status, metadata: all, ...rest } = live;
    const { name, namespace, labels, annotations: notes } = record(all);
    return {
        ...rest,
        metadata: Object.fromEntries(
            Object.entries({ name, namespace, labels, annotations: notes }).filter(([, value]) => value !== undefined),
        ),
    };
}
