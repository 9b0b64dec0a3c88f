import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { bundleCommands } from "../../model/bundle.ts";
import { rangeOf, resolverAddress } from "../../sandbox/addresses.ts";
import { lastLines } from "../../sandbox/last-lines.ts";
import type { Evidence } from "../../sandbox/rehearsal/evidence.ts";
import { operate } from "../../sandbox/rehearsal/provision.ts";
import type { Activate } from "../../sandbox/rehearsal/recover.ts";
import type { Sandbox } from "../../sandbox/sandbox.ts";
import { estate } from "../../stacks/estate.ts";
import { own, rehearsed } from "./support.ts";

/** The witness is told the new epoch before anything is promoted; all else is in the standby. */
const reachable = [rangeOf.standby, rangeOf.witness, resolverAddress].join(", ");
const machine = fileURLToPath(new URL("./empty-machine.sh", import.meta.url));

/** What a person types on the empty machine: the runbook's line for curl, and the activation. */
const typed = (() => {
    const { curl, enter } = bundleCommands(own.releaseBucket, estate.sites.standby.region);
    return `cd /tmp; command -v node npm git pulumi kubectl && exit 99
        ${curl} && ${enter} && lifeboat activate --yes --json --reason 'from the bundle'`;
})();

const kubeconfig = z.looseObject({
    clusters: z.array(z.looseObject({ name: z.string(), cluster: z.looseObject({ "certificate-authority": z.string() }) })),
});

/** The kubeconfig as a person carries it: with its certificates in it, not beside it. */
function kubeconfigAlone(sandbox: Sandbox): string {
    const config = kubeconfig.parse(JSON.parse(readFileSync(sandbox.env["KUBECONFIG"]!, "utf8")));
    const clusters = config.clusters.map(({ name, cluster: { "certificate-authority": file, ...cluster } }) => ({
        name,
        cluster: { ...cluster, "certificate-authority-data": readFileSync(file).toString("base64") },
    }));
    const alone = join(sandbox.directory, "kubeconfig-alone");
    writeFileSync(alone, JSON.stringify({ ...config, clusters }));
    return alone;
}

describe("an activation from the released bundle, on an empty machine that reaches the standby and the witness only", function () {
    this.timeout(480_000);
    let found: Evidence;
    let verified: { bundle: string; bytes: number; proofs: { what: string }[]; manifest: { includes: string[] } };
    let said = "";

    /** `lifeboat activate` out of the bucket: nothing of this machine but a kernel, a C library and a shell. */
    const fromBundle: Activate = async (sandbox, note, limitMs) => {
        const startedAt = Date.now();
        const command = ["unshare", "--mount", "sh", machine, kubeconfigAlone(sandbox), reachable];
        const child = sandbox.exec([...command, "sh", "-c", typed], {
            actor: "activation",
            execa: { reject: false, stdin: "ignore", timeout: Math.round(limitMs) },
        });
        const { exitCode, stderr } = await child;
        said = String(stderr);
        for (const line of said.split("\n")) note(`  ${line}`);
        return { exitCode: exitCode ?? null, startedAt, finishedAt: Date.now(), said: lastLines(said, 5) };
    };

    before(async () => {
        ({ evidence: found } = await rehearsed("bundle", 4, {
            activate: fromBundle,
            sabotage: async (phase, sandbox) => {
                if (phase !== "lose") return;
                await operate(sandbox, ["lifeboat", "bundle", "--include", "sandbox"], "lifeboat bundle");
                verified = JSON.parse(await operate(sandbox, ["lifeboat", "bundle", "--verify", "--json"], "lifeboat bundle --verify"));
            },
        }));
    });

    it("was proved to start before it was needed", () => {
        const names = ["aws 7.48.0", "kubernetes 4.34.2", "random 4.21.2"].map((plugin) => `the plugin ${plugin} starts`);
        assert.deepEqual(
            verified.proofs.map(({ what }) => what),
            [
                "fetched, checked and unpacked",
                "signed",
                "lifeboat starts",
                "it knows the plan",
                "it reads the epoch in the standby",
                "pulumi starts",
                ...names,
            ],
        );
        assert.deepEqual(verified.manifest.includes, ["sandbox"]);
    });
    it("makes the standby active within every objective", () => {
        assert.match(said, /lifeboat: release 0\.1\.0 .*is in \/tmp\/lifeboat-/);
        assert.deepEqual([found.verdict, found.reasons], ["PASS", []]);
    });
    it("calls neither the lost region nor a global control plane", () => {
        assert.deepEqual([found.calls.deadRegion, found.calls.globalControlPlane], [0, 0]);
        assert.ok(found.calls.total > 20);
    });
});
