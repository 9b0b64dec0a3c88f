import type { Call } from "./call.ts";
import { unknownKey, type ConditionContext } from "./conditions.ts";
import type { Principal } from "./policies.ts";

/** What the keys of a condition draw on beyond the call itself. */
export interface ContextExtras {
    readonly viaService?: string;
    readonly encryptionContext?: Readonly<Record<string, string>>;
    readonly keyAliases?: readonly string[];
    readonly requestAlias?: string;
    /** How the multipart upload was begun that this call is part of. */
    readonly upload?: { readonly encryption?: string; readonly keyId?: string };
}

/**
 * Values of the condition keys that the sandbox knows; every other one is `unknownKey`, and the policy that asks for it is taken for the worst.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html,
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/amazon-s3-policy-keys.html, https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html
 */
export function conditionContext(call: Call, principal: Principal, extras: ContextExtras): ConditionContext {
    const header = (name: string) => {
        const value = call.headers[name];
        return value === undefined ? undefined : [Array.isArray(value) ? value[0]! : value];
    };
    const query = (name: string) => {
        const value = call.query.get(name);
        return value === null ? undefined : [value];
    };
    const one = (value: string | undefined) => (value === undefined ? undefined : [value]);
    const kms = call.service === "kms" || extras.viaService !== undefined;
    const s3 = call.service === "s3" && extras.viaService === undefined;
    const everywhere: Record<string, () => readonly string[] | undefined> = {
        "aws:securetransport": () => ["true"],
        "aws:principalarn": () => [principal.arn],
        "aws:principalaccount": () => [principal.account],
        "aws:requestedregion": () => [call.region === "global" ? "us-east-1" : call.region],
        "aws:sourceip": () => [call.source],
        "aws:resourceaccount": () => [principal.account],
        // Present only when a service calls for somebody: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-sourcearn
        "aws:sourcearn": () => undefined,
        "aws:sourceaccount": () => undefined,
        // Absent with long-term keys and in sessions without a second factor, and the sandbox gives out nothing else.
        "aws:multifactorauthpresent": () => undefined,
        "aws:viaawsservice": () => [String(extras.viaService !== undefined)],
        "aws:principalisawsservice": () => ["false"],
    };
    const ofS3: Record<string, () => readonly string[] | undefined> = {
        "s3:prefix": () => query("prefix"),
        "s3:delimiter": () => query("delimiter"),
        "s3:max-keys": () => query("max-keys"),
        "s3:versionid": () => query("versionId"),
        "s3:x-amz-acl": () => header("x-amz-acl"),
        "s3:x-amz-storage-class": () => header("x-amz-storage-class"),
        "s3:x-amz-copy-source": () => header("x-amz-copy-source"),
        "s3:x-amz-server-side-encryption": () => header("x-amz-server-side-encryption") ?? one(extras.upload?.encryption),
        "s3:x-amz-server-side-encryption-aws-kms-key-id": () =>
            header("x-amz-server-side-encryption-aws-kms-key-id") ?? one(extras.upload?.keyId),
        "s3:x-amz-server-side-encryption-customer-algorithm": () => header("x-amz-server-side-encryption-customer-algorithm"),
        "s3:object-lock-mode": () => header("x-amz-object-lock-mode"),
        "s3:if-match": () => header("if-match"),
        "s3:if-none-match": () => header("if-none-match"),
        "s3:resourceaccount": () => [principal.account],
        "s3:tlsversion": () => ["1.3"],
        "s3:requestobjecttagkeys": () => listOf(requestTags(call)),
    };
    const context = extras.encryptionContext ?? {};
    const ofKms: Record<string, () => readonly string[] | undefined> = {
        "kms:viaservice": () => one(extras.viaService),
        "kms:calleraccount": () => [principal.account],
        "kms:requestalias": () => one(extras.requestAlias),
        "kms:resourcealiases": () => listOf(Object.fromEntries((extras.keyAliases ?? []).map((alias) => [alias, ""]))),
        "kms:encryptioncontextkeys": () => listOf(context),
        "kms:grantisforawsresource": () => undefined,
    };
    return (key) => {
        const name = key.toLowerCase();
        const table = Object.hasOwn(everywhere, name)
            ? everywhere
            : s3 && Object.hasOwn(ofS3, name)
              ? ofS3
              : kms && Object.hasOwn(ofKms, name)
                ? ofKms
                : undefined;
        if (table) return table[name]!();
        if (kms && name.startsWith("kms:encryptioncontext:")) return one(context[key.slice("kms:EncryptionContext:".length)]);
        if (s3 && name.startsWith("s3:requestobjecttag/")) return one(requestTags(call)[key.slice("s3:RequestObjectTag/".length)]);
        if (call.service === "monitoring" && name === "cloudwatch:namespace")
            return one(call.parameters["Namespace"] === undefined ? undefined : String(call.parameters["Namespace"]));
        return unknownKey;
    };
}

const listOf = (values: Readonly<Record<string, string>>) => (Object.keys(values).length === 0 ? undefined : Object.keys(values));

/** Tags that a request would set: from the header of a put, or the body of PutObjectTagging. */
function requestTags(call: Call): Record<string, string> {
    const header = call.headers["x-amz-tagging"];
    if (typeof header === "string") return Object.fromEntries(new URLSearchParams(header));
    if (call.operation !== "PutObjectTagging") return {};
    const tags = (call.body?.toString() ?? "").matchAll(/<Tag>.*?<Key>(.*?)<\/Key>.*?<Value>(.*?)<\/Value>.*?<\/Tag>/gs);
    return Object.fromEntries([...tags].map(([, key, value]) => [key, value]));
}
