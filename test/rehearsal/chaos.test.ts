import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import type { Outcome } from "../../recovery/chaos/experiment.ts";
import { operate, provision } from "../../sandbox/rehearsal/provision.ts";
import { jobsOf, untilCopied, untilProtected } from "../../sandbox/rehearsal/protect.ts";
import { startSandbox, type Sandbox } from "../../sandbox/sandbox.ts";
import { estate } from "../../stacks/estate.ts";
import { endSandbox } from "../sandbox/support.ts";
import { records, source } from "./support.ts";

const note = (line: string) => {
    if (process.env["LIFEBOAT_VERBOSE"]) process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`);
};
const approved = ["--yes", "--reason", "test", "--json"];

describe("chaos in a site that is protected", function () {
    this.timeout(400_000);
    let sandbox: Sandbox;
    before(async () => {
        sandbox = await startSandbox({ name: "test-chaos", estate, source, fast: 10 });
        await provision(sandbox, note);
        await untilProtected(sandbox, 90_000);
    });
    after(() => endSandbox(sandbox));

    const chaos = (...args: string[]) => sandbox.exec(["lifeboat", "chaos", ...args], { execa: { reject: false, stdin: "ignore" } });
    const experiment = async (...args: string[]): Promise<Outcome> => {
        const { exitCode, stdout, stderr } = await chaos(...args, ...approved);
        note(String(stderr));
        note(String(stdout));
        assert.equal(exitCode, 0, String(stderr));
        return JSON.parse(String(stdout)) as Outcome;
    };
    const left = () =>
        operate(
            sandbox,
            ["kubectl", "--context", "primary", "-n", "orders", "get", "jobs,pods", "-l", "lifeboat.dev/chaos", "-o", "name"],
            "kubectl get",
        );
    /** A Job that is being deleted goes with its pod's second of grace. */
    const untilNothingIsLeft = async (ms: number) => {
        for (const end = Date.now() + ms; (await left()) !== "" && Date.now() < end;) await sleep(500);
        return left();
    };

    it("is refused before there is a verified recovery point: nothing to fall back on", async () => {
        const { exitCode, stderr } = await chaos("pod", "orders", ...approved);
        assert.equal(exitCode, 4);
        assert.match(String(stderr), /nothing may be broken now:[^]*no verified recovery point yet[^]*next: mend that/);
        await jobsOf(sandbox, "primary", "backup", 120_000);
        assert.ok(await untilCopied(sandbox, 30_000));
        await jobsOf(sandbox, "standby", "verify", 120_000);
    });

    it("pod: the only writer dies, and the time until users are served and the replica follows again is told", async () => {
        const { felt, fault, recovered } = await experiment("pod", "orders-mysql");
        assert.deepEqual(fault, { pod: "orders-mysql-0", of: 1 });
        assert.ok(recovered.served! > 0 && recovered.protected! >= recovered.served!, JSON.stringify(recovered));
        assert.ok(felt.unanswered > 0 && felt.longestAway > 0, JSON.stringify(felt));
    });

    it("latency: a part of what users ask comes late, nothing is lost, and it ends by itself", async () => {
        const { felt, fault, recovered } = await experiment("latency", "orders", "--for", "10 s");
        assert.ok((fault["connections"] as number) > 3, JSON.stringify(fault));
        assert.ok(felt.slowestMs >= 150, JSON.stringify(felt));
        assert.ok(recovered.served! < 10);
        assert.equal(await untilNothingIsLeft(10_000), "");
    });

    it("connections: a store has none left for a while, and gives them again", async () => {
        const { fault, recovered } = await experiment("connections", "orders-postgres", "--for", "10 s");
        assert.ok((fault["held"] as number) > 50 && (fault["refused"] as number) > 0, JSON.stringify(fault));
        assert.ok(recovered.protected !== null);
        assert.equal(await untilNothingIsLeft(10_000), "");
    });

    it("killed with -9 in the middle: the fault ends by itself, a second one is refused meanwhile, and what is left is found and taken away", async () => {
        // By force: a loaded machine that answers late is not what is tested here.
        const first = chaos("latency", "orders", "--for", "8 s", "--force", ...approved);
        let ended = "";
        void first.then(({ exitCode, stderr }) => (ended = `it ended with ${exitCode}: ${String(stderr)}`));
        let seen = "";
        for (const end = Date.now() + 60_000; ended === "" && !seen.includes("pod/") && Date.now() < end; await sleep(300))
            seen = await left();
        assert.match(seen, /pod\/chaos-/, ended);
        first.kill("SIGKILL");
        await first;
        const second = await chaos("pod", "orders", ...approved, "--force");
        assert.equal(second.exitCode, 4);
        assert.match(String(second.stderr), /latency of orders in the primary, begun by .* is under way: one at a time/);
        assert.equal((await chaos("clean")).exitCode, 4, "nothing is taken away under somebody who may live");

        const running = [
            "kubectl",
            "--context",
            "primary",
            "-n",
            "orders",
            "get",
            "pods",
            "-l",
            "lifeboat.dev/chaos",
            "--field-selector",
            "status.phase=Running",
            "-o",
            "name",
        ];
        const alive = () => operate(sandbox, running, "kubectl get");
        for (const end = Date.now() + 30_000; (await alive()) !== "" && Date.now() < end;) await sleep(500);
        assert.equal(await alive(), "", "the fault has ended, with nobody there to end it");

        const { until } = (await records(sandbox, "chaos.json"))["chaos.json"] as { until: string };
        await sleep(Math.max(0, Date.parse(until) + 31_000 - Date.now()));
        assert.match(String((await chaos("pod", "orders", ...approved)).stderr), /was left without clean-up[^]*next: lifeboat chaos clean/);
        const cleaned = await chaos("clean", "--json");
        assert.equal(cleaned.exitCode, 0, String(cleaned.stderr));
        assert.match(JSON.stringify(JSON.parse(String(cleaned.stdout))), /primary\/chaos-/);
        assert.equal(await untilNothingIsLeft(10_000), "");
        await experiment("pod", "orders");
    });
});
