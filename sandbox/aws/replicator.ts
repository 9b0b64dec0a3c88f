import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { sandboxAccount } from "../addresses.ts";
import { serveControl } from "../control.ts";
import { accountView, type AccountView } from "./account-view.ts";
import { unknownKey } from "./conditions.ts";
import { evaluate } from "./policies.ts";
import { shuffler } from "./shuffle.ts";

/** Something that the stand-in has queued for replication (moto/s3_replication.py). */
const waiting = z.object({
    id: z.string(),
    /** RFC 3339 UTC: when it was written. */
    at: z.string(),
    kind: z.enum(["object", "metadata", "delete-marker"]),
    bucket: z.string(),
    key: z.string(),
    versionId: z.string(),
    role: z.string(),
    rule: z.string(),
    destination: z.string(),
    sourceRegion: z.string(),
    destinationRegion: z.string(),
    sourceKmsKey: z.string().nullable(),
    replicaKmsKey: z.string().nullable(),
});
export type Waiting = z.output<typeof waiting>;

export interface ReplicatorOptions {
    readonly moto: string;
    /** Unix socket: GET /, PUT / {"lagMs"?, "paused"?, "regions"?}. */
    readonly socket?: string;
    /** Of the order in which objects are copied. @default 1 */
    readonly seed?: number;
    /** How long after it was written an object may be copied, at the earliest. @default 200 */
    readonly lagMs?: number;
}

export interface ReplicatorSettings {
    readonly lagMs: number;
    readonly paused: boolean;
    /** Lost regions: nothing is copied from or to them. */
    readonly regions: readonly string[];
}

const settingsChange = z.strictObject({
    lagMs: z.number().min(0).optional(),
    paused: z.boolean().optional(),
    regions: z.array(z.string()).optional(),
});
/** A version that is still being written (metadata and tags come after its bytes) is left alone. */
const settleMs = 100;

/** Which of the queued changes may be copied now: old enough, and between regions that stand. */
export function ready(queue: readonly Waiting[], settings: ReplicatorSettings, now: number): Waiting[] {
    if (settings.paused) return [];
    const lag = Math.max(settings.lagMs, settleMs);
    return queue.filter(
        (item) =>
            now - Date.parse(item.at) >= lag &&
            !settings.regions.includes(item.sourceRegion) &&
            !settings.regions.includes(item.destinationRegion),
    );
}

/**
 * What the rule's role must be allowed, as S3 asks it. https://docs.aws.amazon.com/AmazonS3/latest/userguide/setting-repl-config-perm-overview.html and
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-config-for-kms-objects.html
 */
export function permissionsFor(item: Waiting): { action: string; resource: string; viaService?: string }[] {
    const from = `arn:aws:s3:::${item.bucket}`;
    const source = `${from}/${item.key}`;
    const replica = `arn:aws:s3:::${item.destination}/${item.key}`;
    if (item.kind === "delete-marker") return [{ action: "s3:ReplicateDelete", resource: replica }];
    return [
        { action: "s3:GetReplicationConfiguration", resource: from },
        { action: "s3:ListBucket", resource: from },
        { action: "s3:GetObjectVersionForReplication", resource: source },
        { action: "s3:GetObjectVersionTagging", resource: source },
        { action: "s3:ReplicateObject", resource: replica },
        { action: "s3:ReplicateTags", resource: replica },
        ...(item.sourceKmsKey === null
            ? []
            : [{ action: "kms:Decrypt", resource: item.sourceKmsKey, viaService: `s3.${item.sourceRegion}.amazonaws.com` }]),
        ...(item.replicaKmsKey === null
            ? []
            : [{ action: "kms:Encrypt", resource: item.replicaKmsKey, viaService: `s3.${item.destinationRegion}.amazonaws.com` }]),
    ];
}

/** @returns why the role may not do it; undefined when it may */
async function missingPermission(item: Waiting, view: AccountView): Promise<string | undefined> {
    const role = await view.role(item.role.split("/").pop()!);
    if (role?.arn !== item.role) return `there is no role ${item.role}`;
    const principal = { arn: item.role, account: sandboxAccount };
    const assumed = evaluate(
        {
            principal: { arn: "s3.amazonaws.com", account: sandboxAccount, service: "s3.amazonaws.com" },
            action: "sts:AssumeRole",
            resource: item.role,
            context: trustContext(item),
        },
        { identity: [], resource: role.trust, resourceMustAllow: true },
    );
    if (!assumed.allowed) return `the trust policy of ${item.role} does not admit s3.amazonaws.com`;
    for (const { action, resource, viaService } of permissionsFor(item)) {
        const kms = action.startsWith("kms:");
        const key = kms ? await view.key(resource.split(":")[3] ?? item.sourceRegion, resource) : undefined;
        const context = (name: string) => contextOf(name, item, viaService);
        const policies = kms ? { identity: role.policies, resource: key?.policy, resourceMustAllow: true } : { identity: role.policies };
        const decision = evaluate({ principal, action, resource: key?.arn ?? resource, context }, policies);
        if (!decision.allowed)
            return `${item.role} may not ${action} on ${resource}: ${decision.reason} ${decision.unknown.join("; ")}`.trim();
    }
    return undefined;
}

const trustContext = (item: Waiting) => (name: string) => {
    if (name.toLowerCase() === "aws:sourceaccount") return [sandboxAccount];
    return name.toLowerCase() === "aws:sourcearn" ? [`arn:aws:s3:::${item.bucket}`] : unknownKey;
};

function contextOf(name: string, item: Waiting, viaService: string | undefined) {
    const key = name.toLowerCase();
    if (key === "aws:securetransport") return ["true"];
    if (key === "aws:principalarn") return [item.role];
    if (key === "kms:viaservice") return viaService === undefined ? undefined : [viaService];
    if (key !== "kms:encryptioncontext:aws:s3:arn" || viaService === undefined) return unknownKey;
    const bucket = viaService.includes(item.sourceRegion) ? item.bucket : item.destination;
    return [`arn:aws:s3:::${bucket}/${item.key}`, `arn:aws:s3:::${bucket}`];
}

/**
 * The part of S3 that replicates: copies what declared rules say, one version at a time, in no particular order, after a lag. What waits is kept by the stand-in, so a
 * replicator that was killed goes on where it stopped. https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication.html
 */
export async function startReplicator(options: ReplicatorOptions) {
    const shuffle = shuffler(options.seed ?? 1);
    let settings: ReplicatorSettings = { lagMs: options.lagMs ?? 200, paused: false, regions: [] };
    let replicated = 0;
    const failures: { bucket: string; key: string; versionId: string; why: string }[] = [];
    let stopped = false;
    const queue = async (): Promise<Waiting[]> =>
        z.array(waiting).parse(await (await fetch(`${options.moto}/_sandbox/replication`)).json());

    // Writes to policies pass the gate, not this process, so what was read of them is soon forgotten.
    let view = accountView(options.moto);
    let viewed = Date.now();
    const recentView = () => {
        if (Date.now() - viewed > 1000) [view, viewed] = [accountView(options.moto), Date.now()];
        return view;
    };

    async function settle(item: Waiting): Promise<void> {
        const why = await missingPermission(item, recentView());
        const result = why === undefined ? "COMPLETED" : "FAILED";
        const answer = await fetch(`${options.moto}/_sandbox/replication/${item.id}`, { method: "POST", body: JSON.stringify({ result }) });
        if (!answer.ok) throw new Error(`replicating ${item.bucket}/${item.key}: ${answer.status} ${await answer.text()}`);
        if (why === undefined) replicated++;
        else {
            failures.push({ bucket: item.bucket, key: item.key, versionId: item.versionId, why });
            console.error(`${item.bucket}/${item.key} ${item.versionId} is not replicated: ${why}`);
        }
    }

    async function work(): Promise<void> {
        while (!stopped) {
            try {
                // One at a time, and asked anew after each, so that a pause or a lost region stops the very next copy.
                const [next] = shuffle(ready(await queue(), settings, Date.now()));
                if (next) await settle(next);
                else await sleep(250);
            } catch (error) {
                console.error((error as Error).stack);
                await sleep(500);
            }
        }
    }

    const control = options.socket
        ? await serveControl(options.socket, {
              "GET /": async () => ({ ...settings, pending: (await queue()).length, replicated, failures }),
              "PUT /": (body) => {
                  const { lagMs = settings.lagMs, paused = settings.paused, regions = settings.regions } = settingsChange.parse(body);
                  return (settings = { lagMs, paused, regions });
              },
          })
        : undefined;
    const working = work();
    return {
        set: (change: Partial<ReplicatorSettings>): void => void (settings = { ...settings, ...change }),
        status: async () => ({ ...settings, pending: (await queue()).length, replicated, failures }),
        async close(): Promise<void> {
            stopped = true;
            await working;
            control?.closeAllConnections();
            await new Promise((resolve) => (control ? control.close(resolve) : resolve(undefined)));
        },
    };
}
