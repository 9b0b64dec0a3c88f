import { setTimeout as sleep } from "node:timers/promises";
import type { V1Container } from "@kubernetes/client-node";
import { describe } from "./cluster.ts";
import { Run, type RunOptions } from "./container.ts";
import { watchProbes } from "./probes.ts";
import { backOff, type ContainerState } from "./status.ts";

/** A container cannot be started yet; `reason` is what its status waits with. */
export class NotYet extends Error {
    override readonly name = "NotYet";
    readonly reason: string;
    constructor(reason: string, message: string) {
        super(message);
        this.reason = reason;
    }
}

/** What a keeper needs of its pod. */
export interface PodOfKeeper {
    readonly uid: string;
    readonly address: string;
    /** Aborted when the pod is to go. */
    readonly stopping: AbortSignal;
    grace(): number;
    /** The container's state has changed: report it. */
    changed(): void;
    /** @throws NotYet while something is missing */
    prepare(container: V1Container, attempt: number): Promise<RunOptions>;
    note(line: string): void;
}

export type RestartPolicy = "Always" | "OnFailure" | "Never";

/** Keeps one container running by its restart policy, with its probes and its back-off. */
export class Keeper {
    readonly spec: V1Container;
    readonly state: ContainerState;
    /** The newest run. */
    run: Run | undefined;
    private readonly pod: PodOfKeeper;
    /** Resolves when it has been started once (a sidecar: the next container may start). */
    readonly firstStarted: Promise<void>;
    private tellStarted: () => void = () => {};

    constructor(spec: V1Container, kind: ContainerState["kind"], pod: PodOfKeeper) {
        this.spec = spec;
        this.pod = pod;
        this.state = {
            name: spec.name,
            image: spec.image!,
            kind,
            state: { waiting: { reason: "PodInitializing" } },
            ready: false,
            started: false,
            restarts: 0,
        };
        this.firstStarted = new Promise((resolve) => (this.tellStarted = resolve));
    }

    /** Runs it until its policy says that it is over, or the pod is to go. @returns exit code of the last run */
    async keep(policy: RestartPolicy): Promise<number> {
        let delay: number | undefined;
        for (let code = 137; ;) {
            const run = await this.start();
            if (!run) return code;
            code = await run.exited;
            const ended = {
                exitCode: code,
                reason: code === 0 ? "Completed" : "Error",
                startedAt: run.startedAt,
                finishedAt: new Date(),
                containerID: `sandbox://${this.pod.uid}/${this.spec.name}/${this.state.restarts}`,
            };
            Object.assign(this.state, { state: { terminated: ended }, ready: false, started: false });
            this.pod.changed();
            if (this.pod.stopping.aborted || policy === "Never" || (policy === "OnFailure" && code === 0)) return code;
            delay = backOff(delay, (ended.finishedAt.getTime() - ended.startedAt.getTime()) / 1000);
            this.state.last = ended;
            if (delay > 0) {
                this.state.state = {
                    waiting: { reason: "CrashLoopBackOff", message: `back-off ${delay}s restarting failed container=${this.spec.name}` },
                };
                this.pod.changed();
                if (!(await this.pause(delay * 1000))) {
                    this.state.state = { terminated: ended };
                    return code;
                }
            }
            this.state.restarts++;
        }
    }

    /** Ends the present run: the hook before, TERM, and KILL when the grace is over. */
    async stop(grace: number): Promise<void> {
        const { run } = this;
        if (!run || run.over) return;
        const hook = this.spec.lifecycle?.preStop;
        const began = Date.now();
        if (grace > 0 && hook?.exec) await run.exec(hook.exec.command ?? [], grace * 1000);
        if (grace > 0 && hook?.sleep) await Promise.race([run.exited, sleep(Math.min(hook.sleep.seconds, grace) * 1000)]);
        // A hook that used up the grace still leaves two seconds, as the kubelet does.
        await run.stop(grace === 0 ? 0 : Math.max(grace - (Date.now() - began) / 1000, 2));
    }

    private async start(): Promise<Run | undefined> {
        while (!this.pod.stopping.aborted)
            try {
                const options = await this.pod.prepare(this.spec, this.state.restarts);
                if (this.pod.stopping.aborted) break;
                const run = new Run(options);
                this.run = run;
                // A run whose root could not be made is never "running"; its end is reported like any other.
                if (await run.begun) {
                    this.state.state = { running: { startedAt: run.startedAt } };
                    this.watch(run);
                    this.pod.changed();
                }
                return run;
            } catch (error) {
                const waiting = { reason: error instanceof NotYet ? error.reason : "CreateContainerError", message: describe(error) };
                if (this.state.state.waiting?.message !== waiting.message) {
                    this.state.state = { waiting };
                    this.pod.note(`${this.spec.name} waits: ${waiting.reason}: ${waiting.message}`);
                    this.pod.changed();
                }
                await this.pause(1000);
            }
        return undefined;
    }

    private watch(run: Run): void {
        const current = () => this.run === run && !run.over;
        const set = (change: Partial<ContainerState>) => {
            if (!current() || Object.entries(change).every(([key, value]) => this.state[key as keyof ContainerState] === value)) return;
            Object.assign(this.state, change);
            this.pod.changed();
        };
        void watchProbes(this.spec, run, this.pod.address, {
            started: () => {
                set({ started: true });
                this.tellStarted();
            },
            ready: (ready) => set({ ready }),
            failed: (probe) => {
                if (!current()) return;
                this.pod.note(`${this.spec.name}: the ${probe} probe has failed, the container is stopped`);
                void run.stop(this.pod.grace());
            },
        });
    }

    /** @returns false when the pod is to go before the time is over */
    private async pause(time: number): Promise<boolean> {
        try {
            await sleep(time, undefined, { signal: this.pod.stopping });
            return true;
        } catch {
            return false;
        }
    }
}
