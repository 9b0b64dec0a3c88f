import { sandboxAccount } from "../addresses.ts";
import type { AccountView } from "./account-view.ts";
import type { Call } from "./call.ts";
import { conditionContext, type ContextExtras } from "./context.ts";
import { evaluate, type PolicyDocument, type Policies } from "./policies.ts";
import { administratorPolicies, type Known } from "./principals.ts";
import { refusals, type Refusal } from "./refusals.ts";

/** One permission that a call needs. */
interface Need {
    readonly action: string;
    readonly resource: string;
    readonly extras?: ContextExtras;
    readonly policy?: PolicyDocument | undefined;
    readonly resourceMustAllow?: boolean;
}

/** How a multipart upload was begun: its parts are judged by it, since they do not repeat its headers. */
export interface Upload {
    readonly encryption?: string;
    readonly keyId?: string;
}

export interface Judgement {
    readonly refusal?: Refusal;
    readonly unknown: readonly string[];
}

const header = (call: Call, name: string): string | undefined => {
    const value = call.headers[name];
    return Array.isArray(value) ? value[0] : value;
};
const string = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);

/**
 * Judges a call by the caller's identity policies and the bucket's, key's or role's own policy, default deny.
 * Calls that S3 makes to KMS on the caller's behalf are judged too (roles only: an administrator may use every key whose policy names the account).
 * Not judged: iam:PassRole, object ACLs (bucket owner enforced), grants.
 */
export async function judge(call: Call, known: Known, view: AccountView, uploads: ReadonlyMap<string, Upload>): Promise<Judgement> {
    // "No permissions are required to perform this operation."
    if (call.service === "sts" && call.operation === "GetCallerIdentity") return { unknown: [] };
    const identity = known.role === undefined ? administratorPolicies : ((await view.role(known.role))?.policies ?? []);
    const unknown: string[] = [];
    for (const need of await needs(call, known, view, uploads)) {
        const context = conditionContext(call, known.principal, need.extras ?? {});
        const policies: Policies = { identity, resource: need.policy, resourceMustAllow: need.resourceMustAllow ?? false };
        const decision = evaluate({ principal: known.principal, action: need.action, resource: need.resource, context }, policies);
        unknown.push(...decision.unknown);
        if (!decision.allowed) {
            const who = known.principal.session ?? known.principal.arn;
            return { refusal: refusals.denied(call.dialect, who, need.action, need.resource, decision.reason), unknown };
        }
    }
    return { unknown };
}

async function needs(call: Call, known: Known, view: AccountView, uploads: ReadonlyMap<string, Upload>): Promise<Need[]> {
    switch (call.service) {
        case "s3":
            return [...(await s3Needs(call, view, uploads)), ...(known.role === undefined ? [] : await s3KeyNeeds(call, view, uploads))];
        case "kms":
            return kmsNeeds(call, view);
        case "secretsmanager": {
            const id = string(call.parameters["SecretId"]);
            const arn = id === undefined ? undefined : await view.secretArn(call.region, id);
            return call.actions.map((action) => ({ action, resource: arn ?? "*" }));
        }
        case "sts": {
            const arn = string(call.parameters["RoleArn"]);
            const role = arn === undefined ? undefined : await view.role(arn.split("/").pop()!);
            return call.actions.map((action) => ({ action, resource: arn ?? "*", policy: role?.trust, resourceMustAllow: true }));
        }
        default:
            return call.actions.map((action) => ({ action, resource: "*" }));
    }
}

async function s3Needs(call: Call, view: AccountView, uploads: ReadonlyMap<string, Upload>): Promise<Need[]> {
    if (call.bucket === undefined) return call.actions.map((action) => ({ action, resource: "*" }));
    const policy = call.operation === "CreateBucket" ? undefined : await view.bucketPolicy(call.bucket);
    const bucketArn = `arn:aws:s3:::${call.bucket}`;
    const upload = uploads.get(call.query.get("uploadId") ?? "");
    if (call.operation === "DeleteObjects")
        return objectsToDelete(call.body?.toString() ?? "").map(({ key, version }) => ({
            action: version ? "s3:DeleteObjectVersion" : "s3:DeleteObject",
            resource: `${bucketArn}/${key}`,
            policy,
        }));
    const own = call.actions.map((action) => ({
        action,
        resource: call.onBucket ? bucketArn : `${bucketArn}/${call.key}`,
        policy,
        ...(upload ? { extras: { upload } } : {}),
    }));
    const source = copySource(call);
    if (!source) return own;
    const action = source.version === undefined ? "s3:GetObject" : "s3:GetObjectVersion";
    return [...own, { action, resource: `arn:aws:s3:::${source.bucket}/${source.key}`, policy: await view.bucketPolicy(source.bucket) }];
}

/** What CopyObject and UploadPartCopy read. */
export function copySource(call: Call): { bucket: string; key: string; version: string | undefined } | undefined {
    const text = header(call, "x-amz-copy-source");
    if (text === undefined) return undefined;
    const [path = "", query = ""] = text.replace(/^\//, "").split("?");
    const decoded = decodeURIComponent(path);
    const slash = decoded.indexOf("/");
    return {
        bucket: decoded.slice(0, slash),
        key: decoded.slice(slash + 1),
        version: new URLSearchParams(query).get("versionId") ?? undefined,
    };
}

function objectsToDelete(xml: string): { key: string; version: boolean }[] {
    const unescape = (text: string) =>
        text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&quot;", '"').replaceAll("&apos;", "'").replaceAll("&amp;", "&");
    return [...xml.matchAll(/<Object>(.*?)<\/Object>/gs)].map(([, object = ""]) => ({
        key: unescape(/<Key>(.*?)<\/Key>/s.exec(object)?.[1] ?? ""),
        version: /<VersionId>[^<]/.test(object),
    }));
}

/**
 * What S3 asks of KMS in the caller's name. https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html and
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateMultipartUpload.html: GenerateDataKey to begin an upload, Decrypt for its parts and its completion.
 */
async function s3KeyNeeds(call: Call, view: AccountView, uploads: ReadonlyMap<string, Upload>): Promise<Need[]> {
    if (call.bucket === undefined || call.key === undefined) return [];
    const reads = call.operation === "GetObject" || (call.operation === "HeadObject" && header(call, "x-amz-checksum-mode") !== undefined);
    const actions: Readonly<Record<string, readonly string[]>> = {
        PutObject: ["kms:GenerateDataKey"],
        CopyObject: ["kms:GenerateDataKey"],
        CreateMultipartUpload: ["kms:GenerateDataKey"],
        UploadPart: ["kms:Decrypt"],
        UploadPartCopy: ["kms:Decrypt"],
        CompleteMultipartUpload: ["kms:Decrypt"],
    };
    const list: Need[] = [];
    const viaS3 = async (action: string, bucket: string, key: string, id: string, perBucket: boolean) => {
        const found = await view.key(call.region, id);
        const arn = `arn:aws:s3:::${bucket}${perBucket ? "" : `/${key}`}`;
        list.push({
            action,
            resource: found?.arn ?? keyArn(call.region, id),
            policy: found?.policy,
            resourceMustAllow: true,
            extras: {
                viaService: `s3.${call.region}.amazonaws.com`,
                encryptionContext: { "aws:s3:arn": arn },
                keyAliases: found?.aliases ?? [],
            },
        });
    };
    const byDefault = await view.bucketKey(call.bucket);
    if (reads) {
        const id = await view.objectKey(call.bucket, call.key, call.query.get("versionId") ?? undefined);
        if (id !== undefined) await viaS3("kms:Decrypt", call.bucket, call.key, id, byDefault?.perBucket ?? false);
    }
    for (const action of actions[call.operation] ?? []) {
        const upload = uploads.get(call.query.get("uploadId") ?? "");
        const encryption = header(call, "x-amz-server-side-encryption") ?? upload?.encryption;
        const named = header(call, "x-amz-server-side-encryption-aws-kms-key-id") ?? upload?.keyId;
        const id = named ?? (encryption === "AES256" ? undefined : byDefault?.id);
        if (id !== undefined) await viaS3(action, call.bucket, call.key, id, byDefault?.perBucket ?? false);
    }
    const source = copySource(call);
    if (source) {
        const id = await view.objectKey(source.bucket, source.key, source.version);
        if (id !== undefined)
            await viaS3("kms:Decrypt", source.bucket, source.key, id, (await view.bucketKey(source.bucket))?.perBucket ?? false);
    }
    return list;
}

const keyArn = (region: string, id: string) =>
    id.startsWith("arn:") ? id : `arn:aws:kms:${region}:${sandboxAccount}:${id.startsWith("alias/") ? id : `key/${id}`}`;

async function kmsNeeds(call: Call, view: AccountView): Promise<Need[]> {
    const { parameters } = call;
    const need = async (action: string, id: string | undefined, contextName = "EncryptionContext"): Promise<Need> => {
        if (id === undefined) return { action, resource: "*" };
        const found = await view.key(call.region, id);
        const alias = /alias\/[^:]+$/.exec(id)?.[0];
        return {
            action,
            resource: found?.arn ?? keyArn(call.region, id),
            policy: found?.policy,
            resourceMustAllow: found !== undefined,
            extras: {
                keyAliases: found?.aliases ?? [],
                ...(alias === undefined ? {} : { requestAlias: alias }),
                encryptionContext: (parameters[contextName] ?? {}) as Record<string, string>,
            },
        };
    };
    const blob = string(parameters["CiphertextBlob"]);
    if (call.operation === "ReEncrypt")
        return [
            await need("kms:ReEncryptFrom", string(parameters["SourceKeyId"]) ?? keyOfCiphertext(blob), "SourceEncryptionContext"),
            await need("kms:ReEncryptTo", string(parameters["DestinationKeyId"]), "DestinationEncryptionContext"),
        ];
    const id =
        string(parameters["KeyId"]) ??
        string(parameters["TargetKeyId"]) ??
        (call.operation === "Decrypt" ? keyOfCiphertext(blob) : undefined);
    return Promise.all(call.actions.map((action) => need(action, id)));
}

/** The stand-in's ciphertext begins with the key's id in 40 characters (moto/kms_repairs.py). */
function keyOfCiphertext(blob: string | undefined): string | undefined {
    const id = Buffer.from(blob ?? "", "base64")
        .subarray(0, 40)
        .toString("latin1")
        .replaceAll("\0", "");
    return /^(mrk-)?[0-9a-f-]{32,36}$/.test(id) ? id : undefined;
}
