import assert from "node:assert/strict";
import { whoIs } from "../../../sandbox/addresses.ts";
import { parseAttempts } from "../../../sandbox/loss.ts";
import { until } from "../../../sandbox/daemon.ts";
import type { Sandbox } from "../../../sandbox/sandbox.ts";
import { Client, endSandbox, ownSandbox } from "../support.ts";

describe("sandbox: the loss of a region", function () {
    this.timeout(400_000);
    let sandbox: Sandbox;
    let customer: Client;
    let activation: Client;

    before(async () => {
        sandbox = await ownSandbox("loss");
        [customer, activation] = [new Client(sandbox, "customers"), new Client(sandbox, "activation")];
    });
    after(async () => {
        await Promise.all([customer?.end(), activation?.end()]);
        if (sandbox) await endSandbox(sandbox);
    });

    it("makes connections to it hang, leaves the other region be, and counts who tried", async () => {
        const [gate, api, other] = [
            ["10.1.255.1", 443],
            ["10.1.0.1", 6443],
            ["10.2.255.1", 443],
        ] as const;
        for (const [host, port] of [gate, api, other])
            assert.equal(await customer.do("connect", host, port, 5000), "open", `${host} before`);
        assert.deepEqual(await sandbox.attempts(), []);

        const { at } = await sandbox.lose("primary");
        assert.ok(Math.abs(Date.parse(at) - Date.now()) < 60_000);
        const verdicts = await Promise.all([gate, api].map(([host, port]) => customer.do("connect", host, port, 1500)));
        assert.deepEqual(verdicts, ["silent", "silent"]);
        assert.equal(await activation.do("connect", ...other, 5000), "open");
        assert.equal(await activation.do("connect", ...gate, 1500), "silent");

        const attempts = await sandbox.attempts();
        const tried = (who: string, destination: string, port: number) =>
            attempts.find((one) => one.who === who && one.destination === destination && one.port === port);
        assert.ok((tried("customers", ...gate)?.packets ?? 0) >= 1, JSON.stringify(attempts));
        assert.ok(tried("customers", ...api));
        assert.ok(tried("activation", ...gate));
        assert.equal(tried("activation", ...api), undefined);

        const { sites, daemons } = await sandbox.status();
        assert.deepEqual(sites, { primary: { state: "lost", lostAt: at }, standby: { state: "standing" } });
        const state = (name: string) => daemons.find((daemon) => daemon.name === name)?.state;
        assert.deepEqual(
            [state("apiserver-primary"), state("node-primary"), state("apiserver-standby"), state("node-standby")],
            ["ended", "ended", "ready", "ready"],
        );
    });

    it("happens once: asked again it says when it was", async () => {
        const first = await sandbox.lose("primary");
        assert.deepEqual(await sandbox.lose("primary"), first);
    });

    it("leaves the other cluster at work, and global control planes refusing writes", async () => {
        await until("a node", 20_000, () => activation.do("read", "standby", "v1", "Node", "", "standby-system").then(Boolean));
        const refused = await sandbox.exec(["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "https://iam.amazonaws.com/"], {
            execa: { reject: false },
        });
        assert.equal(refused.exitCode, 0, String(refused.stderr));
    });
});

describe("the counters of a lost region", () => {
    it("are read with who has each address, most packets first", () => {
        const element = (source: string, destination: string, port: number, packets: number) => ({
            elem: { val: { concat: [source, destination, port] }, counter: { packets, bytes: 60 } },
        });
        const json = JSON.stringify({
            nftables: [
                { metainfo: {} },
                { set: { name: "attempts", elem: [element("10.0.2.1", "10.1.129.4", 443, 3), element("10.2.0.9", "10.1.0.1", 6443, 8)] } },
            ],
        });
        assert.deepEqual(parseAttempts(json), [
            { source: "10.2.0.9", who: "pod:standby", destination: "10.1.0.1", port: 6443, packets: 8 },
            { source: "10.0.2.1", who: "customers", destination: "10.1.129.4", port: 443, packets: 3 },
        ]);
        assert.deepEqual(parseAttempts('{"nftables":[{"set":{"name":"attempts"}}]}'), []);
    });
});

describe("who an address belongs to", () => {
    it("is an actor, a pod or the node of a site, or the sandbox itself", () => {
        const owners = {
            "10.0.5.1": "activation",
            "10.2.0.1": "node:standby",
            "10.1.0.2": "pod:primary",
            "10.1.127.9": "pod:primary",
            "10.1.129.4": "sandbox",
            "10.2.255.1": "sandbox",
            "127.0.0.1": "sandbox",
        };
        assert.deepEqual(Object.fromEntries(Object.keys(owners).map((address) => [address, whoIs(address)])), owners);
    });
});
