import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Readable } from "node:stream";
import { constants } from "node:os";
import { prepareRoot, setprivFlags, type RootOptions } from "./root.ts";

export interface RunOptions extends RootOptions {
    /** Network namespace of the pod. */
    readonly netns: string;
    readonly environment: Readonly<Record<string, string>>;
    /** Where standard output and error go. */
    readonly log: string;
}

/** One run of a container: from its start to its end. A restart is another run. */
export class Run {
    readonly startedAt = new Date();
    readonly log: string;
    /** Resolves with the exit code; 128 + n when signal n ended it. */
    readonly exited: Promise<number>;
    /** Resolves when its root is made and its program about to begin: true; or when it ended before that: false. */
    readonly begun: Promise<boolean>;
    over = false;
    private running = false;
    private readonly options: RunOptions;
    private readonly child: ChildProcess;

    constructor(options: RunOptions) {
        this.options = options;
        this.log = options.log;
        mkdirSync(dirname(options.log), { recursive: true });
        mkdirSync(options.base, { recursive: true });
        const script = join(options.making, "start.sh");
        const text = prepareRoot(options);
        writeFileSync(script, text, { mode: 0o600 });
        const fd = openSync(options.log, "a");
        // Process 1 of the new pid namespace is the shell's first child. Not `unshare --fork`: in util-linux 2.38 it answers 1 for a child that SIGKILL
        // ended. The node dies -> this shell gets TERM -> it kills process 1 -> the kernel kills the rest. (A pdeathsig on process 1 alone would not
        // do: the kernel clears it when a process changes its uid.)
        // Its own words about a killed child are not for the container's log.
        const wait = 'setpriv --pdeathsig KILL sh "$0" & exec 2>/dev/null 3>&-; trap "kill -KILL $!" TERM; wait $!';
        const namespaces = ["--mount", "--uts", "--ipc", "--pid"];
        this.child = spawn(
            "setpriv",
            ["--pdeathsig", "TERM", "nsenter", `--net=/run/netns/${options.netns}`, "unshare", ...namespaces, "sh", "-c", wait, script],
            {
                env: { ...options.environment },
                stdio: ["ignore", fd, fd, "pipe"],
            },
        );
        closeSync(fd);
        this.exited = new Promise<number>((resolve) => {
            this.child.on("error", () => resolve(128));
            this.child.on("exit", (code, signal) => resolve(code ?? 128 + constants.signals[signal!]));
        }).then((code) => {
            this.over = true;
            return code;
        });
        // The root script says a line there as its last act (root.ts); with its end the pipe ends too.
        const line = this.child.stdio[3] as Readable;
        this.begun = new Promise<boolean>((resolve) => {
            line.once("data", () => resolve(true))
                .once("error", () => resolve(false))
                .once("close", () => resolve(false));
        });
        void this.begun.then((began) => (this.running = began));
    }

    /** Process 1 of the container, as this machine numbers it; undefined before it is there and after it is gone. */
    get firstProcess(): number | undefined {
        try {
            const children = readFileSync(`/proc/${this.child.pid}/task/${this.child.pid}/children`, "utf8");
            return Number(children.split(" ")[0]) || undefined;
        } catch {
            return undefined;
        }
    }

    /** Signals process 1, as a container runtime does: a program that does not handle TERM ignores it there. */
    signal(signal: NodeJS.Signals): void {
        const pid = this.firstProcess;
        if (pid === undefined || this.over) return;
        try {
            process.kill(pid, signal);
        } catch (error) {
            if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
        }
    }

    /** Asks it to end, and ends it after `grace` seconds. */
    async stop(grace: number): Promise<void> {
        // Before its program has begun there is nobody to hear a TERM.
        await this.begun;
        this.signal(grace > 0 ? "SIGTERM" : "SIGKILL");
        const timer = setTimeout(() => this.signal("SIGKILL"), grace * 1000);
        await this.exited;
        clearTimeout(timer);
    }

    /** Whether there is a container to enter: before it has begun, its root is still this machine's. */
    get begunAndAlive(): boolean {
        return this.firstProcess !== undefined && !this.over && this.running;
    }

    /** The command line that runs a command in the container: its files, processes, network, user. It dies with its parent. */
    enter(command: readonly string[]): string[] {
        const pid = this.firstProcess;
        if (pid === undefined || !this.begunAndAlive) throw new Error("the container is not running");
        const flags = setprivFlags(this.options.identity);
        const shell = ["sh", "-c", 'cd "$0" && exec "$@"', this.options.workingDirectory];
        return [
            "nsenter",
            "-t",
            String(pid),
            "-m",
            "-u",
            "-i",
            "-p",
            "-n",
            "-r",
            "-w",
            "setpriv",
            ...flags,
            "--pdeathsig",
            "KILL",
            "--",
            ...shell,
            ...command,
        ];
    }

    get environment(): Readonly<Record<string, string>> {
        return this.options.environment;
    }

    /** Runs a command in the container. @returns its exit code; 137 when it took longer than `limit` ms */
    exec(command: readonly string[], limit: number): Promise<number> {
        return new Promise((resolve) => {
            let line: string[];
            try {
                line = this.enter(command);
            } catch {
                return resolve(128);
            }
            const child = spawn(line[0]!, line.slice(1), {
                env: { ...this.environment },
                stdio: "ignore",
                timeout: limit,
                killSignal: "SIGKILL",
            });
            child.on("exit", (code) => resolve(code ?? 137)).on("error", () => resolve(128));
        });
    }
}
