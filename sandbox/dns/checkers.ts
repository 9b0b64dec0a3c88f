import { setTimeout as sleep } from "node:timers/promises";
import { metricHealth, newEndpoint, observe, statusOf, type EndpointState } from "./health.ts";
import { probe, type Observation, type Target } from "./probe.ts";
import type { Route53Reader } from "./route53.ts";
import type { HealthCheckDeclaration } from "./zone-data.ts";

export interface CheckersOptions {
    readonly reader: Pick<Route53Reader, "metric">;
    /** Address of a name, as the checkers' own resolver has it. */
    readonly resolve: (host: string) => string | undefined;
    /** Divides intervals, and limits down to a second. @default 1 */
    readonly fast: number;
    /** Address that probes come from. */
    readonly from?: string;
    /** How often metrics are read, in ms. @default 500 */
    readonly metricsEveryMs?: number;
}

export interface CheckStatus {
    readonly id: string;
    readonly type: string;
    readonly name: string;
    readonly healthy: boolean;
    /** RFC 3339 UTC: since when it has been so. */
    readonly since: string;
    readonly changes: readonly { readonly at: string; readonly healthy: boolean }[];
    /** Endpoints: what the last request met. */
    readonly last?: string;
}

interface Watched {
    declaration: HealthCheckDeclaration;
    endpoint: EndpointState;
    /** Of a metric's check, before inversion. */
    metric: boolean;
    last?: string;
    readonly stop: AbortController;
    since: string;
    healthy: boolean | undefined;
    changes: { at: string; healthy: boolean }[];
}

const endpointTypes = new Set(["HTTP", "HTTPS"]);
const known = new Set([...endpointTypes, "CALCULATED", "CLOUDWATCH_METRIC"]);
/** Limits of one request; a machine that runs everything at once needs a second whatever `fast` is. */
const limit = (seconds: number, fast: number) => Math.max(1000, (seconds * 1000) / fast);

/**
 * Route 53's health checkers, as one: each endpoint is asked every `interval` seconds (from an answer to the next request), each metric is read, and the
 * status of calculated checks follows at once. In life many checkers ask, each at that interval, and more than 18% of them must agree.
 * https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-determining-health-of-endpoints.html
 */
export function startCheckers(options: CheckersOptions) {
    const { fast, reader, resolve, from } = options;
    const watched = new Map<string, Watched>();

    /** Works every status out anew, children before parents, and notes what changed. */
    function settle(): void {
        const now = new Date().toISOString();
        const status = (each: Watched): boolean => {
            const own = each.declaration.type === "CLOUDWATCH_METRIC" ? each.metric : each.endpoint.healthy;
            return statusOf(each.declaration, own, (id) => {
                const child = watched.get(id);
                return child && child.declaration.type !== "CALCULATED" ? status(child) : undefined;
            });
        };
        for (const each of watched.values()) {
            const healthy = status(each);
            if (healthy === each.healthy) continue;
            // The first status is where a check starts, not a change.
            if (each.healthy !== undefined) each.changes.push({ at: now, healthy });
            each.healthy = healthy;
            each.since = now;
        }
    }

    async function ask(check: HealthCheckDeclaration): Promise<Observation> {
        if (!known.has(check.type)) return { passed: false, said: `health checks of type ${check.type} are beyond the sandbox` };
        const address = check.address ?? (check.host === undefined ? undefined : resolve(check.host));
        if (address === undefined) return { passed: false, said: `${check.host} leads to no address` };
        const tls = check.type === "HTTPS";
        const target: Target = {
            address,
            port: check.port ?? (tls ? 443 : 80),
            host: check.host ?? address,
            path: check.path ?? "/",
            tls,
            sni: check.sni ?? tls,
            ...(from === undefined ? {} : { from }),
        };
        // Who is lost does not connect, and that wait is part of the detection: it is scaled whole. An answer takes what the machine takes.
        return probe(target, { connectMs: Math.max(300, 4000 / fast), answerMs: limit(2, fast) });
    }

    async function watchEndpoint(each: Watched): Promise<void> {
        while (!each.stop.signal.aborted) {
            const check = each.declaration;
            if (!check.disabled) {
                const { passed, said } = await ask(check);
                each.endpoint = observe(each.endpoint, passed, check.threshold ?? 3);
                each.last = said;
                settle();
            }
            await sleep(((check.interval ?? 30) * 1000) / fast, undefined, { signal: each.stop.signal }).catch(() => undefined);
        }
    }

    async function watchMetric(each: Watched): Promise<void> {
        while (!each.stop.signal.aborted) {
            const { alarm, insufficient = "LastKnownStatus", disabled } = each.declaration;
            try {
                if (!disabled) {
                    if (!alarm) throw new Error("no alarm is named");
                    each.metric = metricHealth(await reader.metric(alarm), each.metric, insufficient);
                    each.last = "read";
                }
            } catch (error) {
                // What cannot be read changes nothing; it is said, so that it is not taken for "healthy".
                each.last = (error as Error).message;
                console.error(`health check ${each.declaration.name}: ${each.last}`);
            }
            settle();
            await sleep(options.metricsEveryMs ?? 500, undefined, { signal: each.stop.signal }).catch(() => undefined);
        }
    }

    return {
        /** Takes over what is declared now: new checks start, deleted ones stop, changed ones go on as they are. */
        declare(declarations: readonly HealthCheckDeclaration[]): void {
            const ids = new Set(declarations.map(({ id }) => id));
            for (const [id, each] of watched)
                if (!ids.has(id)) {
                    each.stop.abort();
                    watched.delete(id);
                }
            const fresh: Watched[] = [];
            for (const declaration of declarations) {
                const each = watched.get(declaration.id);
                if (each) each.declaration = declaration;
                else {
                    const made: Watched = {
                        declaration,
                        endpoint: newEndpoint,
                        metric: true,
                        stop: new AbortController(),
                        since: new Date().toISOString(),
                        healthy: undefined,
                        changes: [],
                    };
                    watched.set(declaration.id, made);
                    fresh.push(made);
                }
            }
            settle();
            for (const each of fresh)
                if (each.declaration.type === "CLOUDWATCH_METRIC") void watchMetric(each);
                else if (each.declaration.type !== "CALCULATED") void watchEndpoint(each);
        },
        healthy: (id: string): boolean | undefined => watched.get(id)?.healthy,
        status: (): CheckStatus[] =>
            [...watched.values()].map(({ declaration: { id, type, name }, healthy = true, since, changes, last }) => ({
                id,
                type,
                name,
                healthy,
                since,
                changes: [...changes],
                ...(last === undefined ? {} : { last }),
            })),
        stop(): void {
            for (const each of watched.values()) each.stop.abort();
            watched.clear();
        },
    };
}
