import { createSign, generateKeyPairSync } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { Agent } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { makeAuthority } from "../../../sandbox/aws/authority.ts";
import { startGate, type GateOptions } from "../../../sandbox/aws/gate.ts";
import { operatorKey } from "../../../sandbox/aws/principals.ts";
import { startMoto } from "../../support/moto.ts";

export const regions = { primary: "us-east-1", standby: "us-west-2" } as const;

/** Configuration of an SDK client that reaches moto itself, as the sandbox's own daemons do. */
export const direct = (url: string, region: string) => ({
    region,
    endpoint: url,
    credentials: { accessKeyId: operatorKey, secretAccessKey: "any" },
    forcePathStyle: true,
});

export type Credentials = { accessKeyId: string; secretAccessKey: string; sessionToken?: string };

/** Moto behind a gate on loopback: 127.0.0.1 is outside every region, 127.0.1.1 us-east-1, 127.0.2.1 us-west-2. */
export async function startAccount(overrides: Partial<GateOptions> = {}) {
    const directory = mkdtempSync(join(tmpdir(), "gate-"));
    const [moto] = await Promise.all([
        startMoto(),
        makeAuthority(directory, { regions: Object.values(regions), domain: "orders.example" }),
    ]);
    const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const issuer = "oidc.eks.us-east-1.amazonaws.com/id/TEST";
    writeFileSync(join(directory, "token.pub"), publicKey.export({ type: "spki", format: "pem" }));
    const gate = await startGate({
        certificate: { cert: join(directory, "ca/gate.pem"), key: join(directory, "ca/gate.key") },
        listeners: [
            { address: "127.0.0.1", port: 0 },
            { address: "127.0.1.1", port: 0, region: regions.primary },
            { address: "127.0.2.1", port: 0, region: regions.standby },
        ],
        moto: moto.url,
        tokenKeys: { [issuer]: join(directory, "token.pub") },
        auditFile: join(directory, "audit.jsonl"),
        socket: join(directory, "gate.sock"),
        ...overrides,
    });
    const dialled = {
        global: { address: "127.0.0.1", port: gate.ports[0]! },
        "us-east-1": { address: "127.0.1.1", port: gate.ports[1]! },
        "us-west-2": { address: "127.0.2.1", port: gate.ports[2]! },
    };
    const ca = readFileSync(join(directory, "ca/ca.pem"));
    const agents: Agent[] = [];
    /** Connects to `at` whatever the name, as the sandbox's resolver would have it. */
    const agentTo = (at: keyof typeof dialled) => {
        const agent = new Agent({
            ca,
            keepAlive: true,
            lookup: (_host, options, callback) => {
                const { address } = dialled[at];
                if (options.all) callback(null, [{ address, family: 4 }]);
                else callback(null, address, 4);
            },
        });
        agents.push(agent);
        return agent;
    };
    const at = (where: keyof typeof dialled, service: string, credentials?: Credentials) => {
        const host = where === "global" ? `${service}.amazonaws.com` : `${service}.${where}.amazonaws.com`;
        return {
            region: where === "global" ? "us-east-1" : where,
            endpoint: `https://${host}:${dialled[where].port}`,
            credentials: credentials ?? { accessKeyId: operatorKey, secretAccessKey: "any" },
            requestHandler: new NodeHttpHandler({ httpsAgent: agentTo(where) }),
            maxAttempts: 1,
        };
    };
    return {
        directory,
        moto,
        gate,
        issuer,
        agentTo,
        dialled,
        /** Configuration of an SDK client that dials an endpoint by its real name. */
        at,
        /** A service account's token, as the cluster would sign it. */
        token(claims: Record<string, unknown>, key = privateKey): string {
            const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
            const now = Math.floor(Date.now() / 1000);
            const body = `${part({ alg: "RS256" })}.${part({ iss: `https://${issuer}`, aud: ["sts.amazonaws.com"], exp: now + 600, ...claims })}`;
            return `${body}.${createSign("sha256").update(body).sign(key).toString("base64url")}`;
        },
        async stop() {
            for (const agent of agents) agent.destroy();
            await gate.close();
            await moto.stop();
            rmSync(directory, { recursive: true, force: true });
        },
    };
}
export type Account = Awaited<ReturnType<typeof startAccount>>;
