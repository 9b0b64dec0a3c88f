import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { cgroupRoot } from "../../../sandbox/cgroup.ts";
import { until } from "../../../sandbox/daemon.ts";
import { supervisorPid } from "../../../sandbox/enter.ts";
import { attach, sandboxesDirectory, startSandbox } from "../../../sandbox/sandbox.ts";
import { estate } from "../../../stacks/estate.ts";
import { source } from "../source.ts";

/** Processes that carry a sandbox's directory in their command line, or stand in one of its cgroups. */
function processesOf({ name, directory }: { name: string; directory: string }): number[] {
    return readdirSync("/proc")
        .filter((entry) => /^\d+$/.test(entry) && Number(entry) !== process.pid)
        .filter((entry) => {
            try {
                const line = readFileSync(`/proc/${entry}/cmdline`, "utf8");
                return line.includes(directory) || readFileSync(`/proc/${entry}/cgroup`, "utf8").includes(`lifeboat-${name}-`);
            } catch {
                // It ended between the listing and the reading.
                return false;
            }
        })
        .map(Number);
}

describe("sandbox: its supervisor", function () {
    this.timeout(900_000);
    const name = `test-supervisor-${process.pid}`;
    const cgroup = join(cgroupRoot(), `lifeboat-${name}-primary`);
    const starters: ChildProcess[] = [];

    /** Starts a sandbox in a process of its own, which can be killed. */
    async function start() {
        const starter = spawn(process.execPath, [fileURLToPath(new URL("starter.ts", import.meta.url)), name], {
            stdio: ["ignore", "pipe", "inherit"],
        });
        starters.push(starter);
        await Promise.race([once(starter.stdout, "data"), once(starter, "exit").then(() => assert.fail("the sandbox did not start"))]);
        return { starter, sandbox: attach(name) };
    }
    const gone = (directory: string) => until("nothing is left", 15_000, () => processesOf({ name, directory }).length === 0);
    after(async () => {
        for (const starter of starters) starter.kill("SIGKILL");
        const directory = join(sandboxesDirectory(), name);
        if (supervisorPid(directory)) await attach(name).stop();
        rmSync(directory, { recursive: true, force: true });
    });

    it("leaves no process behind when it, or whoever started it, is killed -9; the next of the name starts clean", async () => {
        const first = await start();
        const { directory } = first.sandbox;
        const lasting = first.sandbox.exec(["sleep", "1000"], { execa: { reject: false } });
        assert.ok(processesOf(first.sandbox).length >= 10);
        await assert.rejects(startSandbox({ name, estate, source }), /is in use: what started it, .*, still runs in it/);
        process.kill(supervisorPid(directory)!, "SIGKILL");
        await gone(directory);
        assert.notEqual((await lasting).exitCode, 0);
        assert.throws(() => attach(name), /no sandbox/);
        assert.ok(existsSync(cgroup), "a cgroup of the dead one is left over");
        first.starter.kill("SIGKILL");

        const second = await start();
        const state = await second.sandbox.status();
        assert.deepEqual([state.phase, state.daemons.filter((daemon) => daemon.state !== "ready")], ["up", []]);
        second.starter.kill("SIGKILL");
        await gone(directory);
        await until("no cgroup is left", 5000, () => !existsSync(cgroup));
        assert.ok(existsSync(join(directory, "logs", "supervisor.log")), "its logs stay");
    });
});
