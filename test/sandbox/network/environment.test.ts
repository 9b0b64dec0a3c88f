import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { neutral } from "../../../sandbox/environment.ts";
import type { Sandbox } from "../../../sandbox/sandbox.ts";
import { sharedSandbox } from "../support.ts";

describe("sandbox: a command inside", function () {
    this.timeout(400_000);
    let sandbox: Sandbox;

    before(async () => {
        ({ sandbox } = await sharedSandbox());
    });
    const run = async (script: string, options: Parameters<Sandbox["exec"]>[1] = {}) =>
        sandbox.exec(["sh", "-c", script], { ...options, execa: { reject: false, ...options.execa } });

    it("stands in the copy of the checkout, and leaves the original as it was", async () => {
        const { stdout } = await run("pwd; echo mark >>Pulumi.dr.yaml; tail -n 1 Pulumi.dr.yaml; sed -i '$d' Pulumi.dr.yaml");
        assert.deepEqual(String(stdout).split("\n"), [sandbox.checkout, "mark"]);
        assert.doesNotMatch(readFileSync("Pulumi.dr.yaml", "utf8"), /mark/);
        assert.match(readFileSync(`${sandbox.checkout}/Pulumi.prod.yaml`, "utf8"), /lifeboat:certificateArn: arn:aws:acm:us-east-1:/);
    });

    it("finds AWS's endpoints by their own names, trusts them, and is known by the address of its actor", async () => {
        const since = new Date().toISOString();
        const get = "node -e 'fetch(\"https://dynamodb.us-east-1.amazonaws.com/\").then((r) => console.log(r.status))'";
        // 501: the gate itself, about a service that it does not know.
        for (const actor of ["operator", "activation", "customers", "harness"] as const)
            assert.equal(String((await run(get, { actor })).stdout), "501");
        const audit = (await sandbox.control("gate", "GET", `/audit?since=${since}`)) as { who: string; region: string }[];
        for (const actor of ["operator", "activation", "customers", "harness"])
            assert.ok(
                audit.some(({ who, region }) => who === actor && region === "us-east-1"),
                `${actor} in ${JSON.stringify(audit)}`,
            );
    });

    it("reaches nothing outside the sandbox", async () => {
        const { stdout } = await run(
            'node -e \'const s = require("net").connect({ host: "192.0.2.1", port: 80 }); s.on("error", (e) => console.log(e.code))\'',
        );
        assert.match(String(stdout), /^E(NETUNREACH|HOSTUNREACH)$/);
    });

    it("gives its exit code, its output and its input's end", async () => {
        const { exitCode, stdout } = await run("cat; exit 9", { execa: { input: "said" } });
        assert.deepEqual([exitCode, stdout], [9, "said"]);
    });

    it("hears a signal that is sent by kill(), and dies with its parent", async () => {
        const child = sandbox.exec(["sh", "-c", 'trap "echo heard; exit 3" TERM; echo up; while :; do sleep 0.1; done'], {
            execa: { reject: false },
        });
        await new Promise((resolve) => child.stdout!.once("data", resolve));
        child.kill("SIGTERM");
        const { exitCode, stdout } = await child;
        assert.deepEqual([exitCode, stdout], [3, "up\nheard"]);
    });

    it("may put something right after Ctrl-C, which a terminal sends to everybody in the line", async () => {
        const child = sandbox.exec(["sh", "-c", 'trap "sleep 0.3; echo right; exit 7" INT; echo up; while :; do sleep 0.1; done'], {
            execa: { reject: false, detached: true },
        });
        await new Promise((resolve) => child.stdout!.once("data", resolve));
        process.kill(-child.pid!, "SIGINT");
        const { exitCode, stdout } = await child;
        assert.deepEqual([exitCode, stdout], [7, "up\nright"]);
    });

    it("has no credential or endpoint of the caller's own", () => {
        assert.deepEqual(
            neutral({
                HOME: "/h",
                AWS_PROFILE: "mine",
                AWS_ENDPOINT_URL: "x",
                PULUMI_ACCESS_TOKEN: "x",
                KUBECONFIG: "x",
                https_proxy: "x",
                LIFEBOAT_SITE: "x",
                NOTHING: undefined,
            }),
            { HOME: "/h" },
        );
    });
});
