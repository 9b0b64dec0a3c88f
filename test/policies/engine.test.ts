import assert from "node:assert/strict";
import { resolve } from "node:path";
import { startMoto, type Moto } from "../support/moto.ts";
import { cleanUp, Workspace } from "../sandbox/providers/workspace.ts";

const pack = resolve(import.meta.dirname, "../../policies");

/** A failover record as somebody might write it: its TTL, and whether its health check is of this stack. */
const record = (ttl: string, healthCheckId: string) => `
    import * as aws from "@pulumi/aws";
    const zone = new aws.route53.Zone("zone", { name: "example.test" });
    const check = new aws.route53.HealthCheck("check", { type: "TCP", ipAddress: "192.0.2.1", port: 443, requestInterval: 10, failureThreshold: 3 });
    new aws.route53.Record("users", {
        zoneId: zone.zoneId, name: "users.example.test", type: "CNAME", records: ["standby.example.test"], setIdentifier: "standby",
        failoverRoutingPolicies: [{ type: "SECONDARY" }], ttl: ${ttl}, healthCheckId: ${healthCheckId},
    });`;

describe("the policy pack, under the real engine", function () {
    this.timeout(120_000);
    let moto: Moto;
    let workspace: Workspace;

    before(async () => {
        moto = await startMoto();
        workspace = await Workspace.make(moto.env);
    });
    after(async () => {
        await cleanUp();
        await moto?.stop();
    });

    const withPack = async (program: string, command: readonly string[]) => {
        await workspace.program(program);
        return workspace.pulumi(...command, "--policy-pack", pack, "--color", "never");
    };

    it("refuses a TTL of 300 s in the preview, and says what would be right", async () => {
        const { code, text } = await withPack(record("300", "check.id"), ["preview"]);
        assert.notEqual(code, 0, text);
        assert.match(text, /mandatory.*failover-record/);
        assert.match(text, /has a TTL of 300 s: users would be led to a dead site for so long; 60 s at most/);
    });

    it("lets a record pass that keeps the promise, also in an up", async () => {
        const { code, text } = await withPack(record("60", "check.id"), ["up", "--yes", "--skip-preview"]);
        assert.equal(code, 0, text);
        assert.doesNotMatch(text, /mandatory/);
    });

    it("refuses the same record in an up, once somebody raises its TTL", async () => {
        const { code, text } = await withPack(record("300", "check.id"), ["up", "--yes", "--skip-preview"]);
        assert.notEqual(code, 0, text);
        assert.match(text, /has a TTL of 300 s/);
    });

    it("counts and shows what a preview cannot tell yet", async () => {
        const { code, text } = await withPack(record("zone.zoneId.apply(() => 300)", "check.id"), ["preview", "-s", "test"]);
        // The zone is there since the up above: its id is known, and so is the TTL that hangs on it.
        assert.notEqual(code, 0, text);
        const fresh = await Workspace.make(moto.env);
        await fresh.program(record("zone.zoneId.apply(() => 300)", "check.id"));
        const unsure = await fresh.pulumi("preview", "--policy-pack", pack, "--color", "never");
        assert.equal(unsure.code, 0, unsure.text);
        assert.match(unsure.text, /cannot tell yet/);
        assert.match(unsure.text, /its TTL is known only after the update/);
    });
});
