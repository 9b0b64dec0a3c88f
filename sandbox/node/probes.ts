import { get as getPlain, type IncomingMessage } from "node:http";
import { get as getTls } from "node:https";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { V1Container, V1Probe } from "@kubernetes/client-node";
import type { Run } from "./container.ts";

export interface ProbeEvents {
    /** The startup probe has passed, or there is none. */
    started(): void;
    ready(ready: boolean): void;
    /** A startup or liveness probe has failed for good: the container is to be stopped. */
    failed(probe: "startup" | "liveness"): void;
}

/**
 * Asks a container's probes for as long as the run lasts: first the startup probe alone, then readiness and liveness side by side. Periods and
 * thresholds are those of the kubelet, so what takes a period there takes one here.
 * @see https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/
 */
export async function watchProbes(container: V1Container, run: Run, address: string, events: ProbeEvents): Promise<void> {
    const { startupProbe, readinessProbe, livenessProbe } = container;
    if (startupProbe) {
        const passed = await rounds(startupProbe, container, run, address, (ok) => (ok ? "done" : "failed"));
        if (run.over) return;
        if (passed === "failed") return events.failed("startup");
    }
    events.started();
    if (!readinessProbe) events.ready(true);
    await Promise.all([
        readinessProbe &&
            rounds(readinessProbe, container, run, address, (ok) => {
                events.ready(ok);
                return "go on";
            }),
        livenessProbe &&
            rounds(livenessProbe, container, run, address, (ok) => (ok ? "go on" : "failed")).then((verdict) => {
                if (verdict === "failed" && !run.over) events.failed("liveness");
            }),
    ]);
}

/** Asks each period until the run is over or a verdict ends it; calls `verdict` whenever a threshold is reached. */
async function rounds(
    probe: V1Probe,
    container: V1Container,
    run: Run,
    address: string,
    verdict: (ok: boolean) => "go on" | "done" | "failed",
): Promise<"done" | "failed"> {
    const { initialDelaySeconds = 0, periodSeconds = 10, successThreshold = 1, failureThreshold = 3 } = probe;
    await sleep(initialDelaySeconds * 1000, undefined, { ref: false });
    for (let [good, bad] = [0, 0]; !run.over; await sleep(periodSeconds * 1000, undefined, { ref: false })) {
        const ok = await ask(probe, container, run, address);
        [good, bad] = ok ? [good + 1, 0] : [0, bad + 1];
        if (run.over || (ok ? good < successThreshold : bad < failureThreshold)) continue;
        const next = verdict(ok);
        if (next !== "go on") return next;
    }
    return "done";
}

async function ask(probe: V1Probe, container: V1Container, run: Run, address: string): Promise<boolean> {
    const limit = (probe.timeoutSeconds ?? 1) * 1000;
    if (probe.exec) return (await run.exec(probe.exec.command ?? [], limit)) === 0;
    const port = (named: number | string) =>
        typeof named === "number" ? named : (container.ports?.find(({ name }) => name === named)?.containerPort ?? Number(named));
    const { httpGet, tcpSocket } = probe;
    return new Promise((resolve) => {
        // One clock for all of it: a server that accepts and says nothing is no better than none.
        const timer = setTimeout(() => resolve(false), limit);
        const answer = (ok: boolean) => {
            clearTimeout(timer);
            resolve(ok);
        };
        if (httpGet) {
            const headers = Object.fromEntries((httpGet.httpHeaders ?? []).map(({ name, value }) => [name, value]));
            const where = {
                host: httpGet.host ?? address,
                port: port(httpGet.port),
                path: httpGet.path ?? "/",
                headers,
                agent: false,
                timeout: limit,
            } as const;
            const got = ({ statusCode = 0 }: IncomingMessage) => {
                answer(statusCode >= 200 && statusCode < 400);
                request.destroy();
            };
            const request = httpGet.scheme === "HTTPS" ? getTls({ ...where, rejectUnauthorized: false }, got) : getPlain(where, got);
            request.on("timeout", () => request.destroy()).on("error", () => answer(false));
        } else if (tcpSocket) {
            const socket = connect({ host: tcpSocket.host ?? address, port: port(tcpSocket.port), timeout: limit }, () => {
                answer(true);
                socket.destroy();
            });
            socket.on("timeout", () => socket.destroy()).on("error", () => answer(false));
        } else answer(false);
    });
}
