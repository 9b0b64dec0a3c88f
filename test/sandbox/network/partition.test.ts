import assert from "node:assert/strict";
import { withoutRegions } from "../../../sandbox/regions.ts";
import type { Sandbox } from "../../../sandbox/sandbox.ts";
import type { SiteStatus } from "../../../sandbox/supervisor.ts";
import { estate } from "../../../stacks/estate.ts";
import { lifeboat } from "../../support/cli.ts";
import { Client, endSandbox, ownSandbox } from "../support.ts";

describe("sandbox: a region that is cut off", function () {
    this.timeout(400_000);
    let sandbox: Sandbox;
    let customer: Client;
    let neighbour: Client;

    before(async () => {
        sandbox = await ownSandbox("cut");
        [customer, neighbour] = [new Client(sandbox, "customers"), new Client(sandbox, "primary-side")];
    });
    after(async () => {
        await Promise.all([customer?.end(), neighbour?.end()]);
        if (sandbox) await endSandbox(sandbox);
    });
    const primary = ["10.1.255.1", 443] as const;
    const standby = ["10.2.255.1", 443] as const;
    const reach = (client: Client, [host, port]: readonly [string, number]) => client.do("connect", host, port, 1500);

    it("lives on for those inside it, and is silent to everybody else until it is healed", async () => {
        const all = () =>
            Promise.all([reach(customer, primary), reach(customer, standby), reach(neighbour, primary), reach(neighbour, standby)]);
        assert.deepEqual(await all(), ["open", "open", "open", "open"]);
        await sandbox.cut("primary");
        assert.deepEqual(await all(), ["silent", "open", "open", "silent"]);
        const { sites, cuts, daemons } = await sandbox.status();
        assert.deepEqual([sites.primary, cuts], [{ state: "standing" }, { primary: ["standby", "witness", "outside"] }]);
        assert.ok(daemons.every(({ state }) => state === "ready"));
        const tried = await sandbox.attempts();
        assert.ok(tried.some(({ who, destination, port }) => who === "customers" && destination === primary[0] && port === 443));
        await sandbox.heal("primary");
        assert.deepEqual(await all(), ["open", "open", "open", "open"]);
        assert.deepEqual([(await sandbox.status()).cuts, await sandbox.attempts()], [{}, []]);
    });

    it("may be cut off from one place and reached from another, and what was counted stays while the cut changes", async () => {
        await sandbox.cut("primary", ["outside"]);
        assert.deepEqual([await reach(customer, primary), await reach(neighbour, standby)], ["silent", "open"]);
        await sandbox.cut("primary", ["standby"]);
        assert.deepEqual([await reach(customer, primary), await reach(neighbour, standby)], ["open", "silent"]);
        assert.ok((await sandbox.attempts()).some(({ who }) => who === "customers"));
        await sandbox.heal("primary");
    });

    it("still has names answered: the resolver stands for each region's own", async () => {
        await sandbox.cut("primary");
        const { status } = await neighbour.do("fetch", "https://dynamodb.us-east-1.amazonaws.com/", 3000);
        assert.equal(status, 501);
        await sandbox.heal("primary");
    });

    it("stands still with open connections while it is paused, and goes on afterwards", async () => {
        await sandbox.pause("primary");
        assert.equal((await sandbox.status()).sites.primary.state, "paused");
        const waiting = customer.do("read", "primary", "v1", "Namespace", "", "default");
        assert.equal(await Promise.race([waiting.then(() => "answered"), customer.do("sleep", 1000).then(() => "silent")]), "silent");
        await sandbox.resume("primary");
        assert.equal((await waiting).metadata?.name, "default");
        assert.equal((await sandbox.status()).sites.primary.state, "standing");
    });

    it("refuses places that there are not, and to cut a place off from itself", async () => {
        await assert.rejects(sandbox.cut("primary", ["primary"]), /primary.* is none of standby, witness, outside/);
        await assert.rejects(sandbox.cut("moon" as "witness"), /moon.* is none of/);
        assert.deepEqual((await sandbox.status()).cuts, {});
    });

    it("is made and ended on the command line as well, as is the loss of a region", async () => {
        const type = async (...argv: string[]) => {
            const { code, stdout, stderr } = await lifeboat(["sandbox", ...argv, "--name", sandbox.name, "--json"]);
            assert.equal(code, 0, stderr);
            return JSON.parse(stdout) as Record<string, string>;
        };
        assert.match((await type("cut", "primary"))["cut"] ?? "", /^\d{4}-/);
        assert.equal(await reach(customer, primary), "silent");
        await type("heal", "primary");
        assert.equal(await reach(customer, primary), "open");
        await type("lose", "standby");
        assert.equal((await sandbox.status()).sites.standby.state, "lost");
        await type("restore", "standby");
        assert.equal((await sandbox.status()).sites.standby.state, "standing");
        const nowhere = await lifeboat(["sandbox", "lose", "witness", "--name", sandbox.name]);
        assert.deepEqual([nowhere.code, /Allowed choices are primary, standby/.test(nowhere.stderr)], [2, true], nowhere.stderr);
    });
    it("lets a command inside end as it ends: by a signal too", async () => {
        const { code } = await lifeboat(["sandbox", "exec", "--name", sandbox.name, "--", "sh", "-c", "kill -9 $$"]);
        assert.equal(code, 137);
    });
});

describe("what AWS cannot do between regions", () => {
    const standing: SiteStatus = { state: "standing" };
    const sites = { primary: standing, standby: standing };
    const { primary, standby } = { primary: estate.sites.primary.region, standby: estate.sites.standby.region };

    it("is nothing while all is whole, or a site only stands still", () => {
        const whole = { gate: { globalWrites: false, regions: [] }, replicator: { regions: [] } };
        assert.deepEqual(withoutRegions({ sites, cuts: {} }, estate), whole);
        assert.deepEqual(
            withoutRegions({ sites: { ...sites, primary: { state: "paused" } }, cuts: { witness: ["primary"] } }, estate),
            whole,
        );
    });
    it("is global writes and all of the region once a site is lost", () => {
        const lost: SiteStatus = { state: "lost", lostAt: "2026-01-01T00:00:00Z" };
        assert.deepEqual(withoutRegions({ sites: { ...sites, standby: lost }, cuts: {} }, estate), {
            gate: { globalWrites: true, regions: [standby] },
            replicator: { regions: [standby] },
        });
    });
    it("is copies between sites that are cut off from each other, whichever was named; and global writes once the outside is cut off", () => {
        for (const cuts of [{ primary: ["standby"] }, { standby: ["primary"] }] as const)
            assert.deepEqual(withoutRegions({ sites, cuts }, estate), {
                gate: { globalWrites: false, regions: [] },
                replicator: { regions: [primary] },
            });
        assert.equal(withoutRegions({ sites, cuts: { standby: ["outside"] } }, estate).gate.globalWrites, true);
    });
});
