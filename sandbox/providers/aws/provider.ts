import type { Provider, ResourceType } from "../provider.ts";
import { list, optionalText, record, text, texts, type Props, type Value } from "../values.ts";
import { autoscalingTypes } from "./autoscaling.ts";
import { cloudwatchTypes } from "./cloudwatch.ts";
import { ec2Types } from "./ec2.ts";
import { invokeAws } from "./functions.ts";
import { iamTypes } from "./iam.ts";
import { resourceType } from "./kind.ts";
import { kmsTypes } from "./kms.ts";
import { route53Types } from "./route53.ts";
import { bucketObject } from "./s3-object.ts";
import { bucket } from "./s3-bucket.ts";
import { s3SettingTypes } from "./s3-settings.ts";
import { secretsManagerTypes } from "./secretsmanager.ts";
import { Services } from "./services.ts";
import type { Entry } from "./table.ts";

/** Every type that the stand-in knows. */
export const awsTable: Readonly<Record<string, Entry>> = {
    "s3/bucket:Bucket": bucket,
    ...s3SettingTypes,
    "s3/bucketObjectv2:BucketObjectv2": bucketObject,
    ...kmsTypes,
    ...iamTypes,
    ...route53Types,
    ...cloudwatchTypes,
    ...ec2Types,
    ...autoscalingTypes,
    ...secretsManagerTypes,
};

let services: Services | undefined;
const current = (): Services => {
    if (!services) throw new Error("the provider was not configured");
    return services;
};
const types = new Map<string, ResourceType>();

/** Nested settings arrive as JSON text. */
const parsed = (value: Value): Value => (typeof value === "string" && /^[[{]/.test(value) ? (JSON.parse(value) as Value) : value);
const on = (value: Value): boolean => value === true || value === "true";

/** Settings that ask for less checking: nothing is checked here that they would switch off. */
const lenient = ["skipCredentialsValidation", "skipMetadataApiCheck", "skipRegionValidation", "skipRequestingAccountId"];

function nextStep(error: unknown): string {
    const { name = "", message = "" } = error as { name?: string; message?: string };
    if (/timeout|ECONN|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH/i.test(`${name} ${message}`))
        return "the region's endpoint does not answer: see whether the region is up and reachable, then run the command again";
    if (/AccessDenied|NotAuthorized|UnauthorizedOperation|Forbidden/.test(`${name} ${message}`))
        return "give the caller's role this permission, then run the command again";
    if (/Credentials|ExpiredToken|InvalidClientTokenId/.test(`${name} ${message}`))
        return "set AWS credentials that are valid, then run the command again";
    if (/AlreadyExists|AlreadyOwned|Conflict|Exists/.test(name)) return "take another name, or adopt what is there with `pulumi import`";
    return "correct the resource's inputs and run the command again";
}

async function configure(settings: Props): Promise<void> {
    const environment = process.env;
    const region = optionalText(settings["region"]) ?? environment["AWS_REGION"] ?? environment["AWS_DEFAULT_REGION"];
    if (!region) throw new Error("no region\n  next: set `aws:region`, a provider's `region`, or AWS_REGION");
    const profile = optionalText(settings["profile"]);
    if (profile !== undefined) environment["AWS_PROFILE"] = profile;
    const key = optionalText(settings["accessKey"]);
    const token = optionalText(settings["token"]);
    services = new Services({
        region,
        credentials:
            key === undefined
                ? undefined
                : { accessKeyId: key, secretAccessKey: text(settings["secretKey"]), ...(token !== undefined && { sessionToken: token }) },
        endpoints: Object.assign({}, ...list(parsed(settings["endpoints"])).map(record)) as Record<string, string>,
        s3UsePathStyle: on(settings["s3UsePathStyle"]),
        defaultTags: record(record(parsed(settings["defaultTags"]))["tags"]) as Record<string, string>,
    });
    const allowed = texts(parsed(settings["allowedAccountIds"]));
    if (allowed.length > 0 && !allowed.includes(await services.account()))
        throw new Error(
            `the credentials are of account ${await services.account()}, and allowedAccountIds has ${allowed.join(", ")}\n  next: use credentials of one of these accounts`,
        );
}

/** Stand-in for the official aws provider, over the AWS SDK: it honours the environment's credentials, AWS_REGION and AWS_ENDPOINT_URL as the SDK does. */
export const awsProvider: Provider = {
    name: "aws",
    version: "7.48.0",
    settings: [
        "region",
        "profile",
        "accessKey",
        "secretKey",
        "token",
        "endpoints",
        "defaultTags",
        "s3UsePathStyle",
        "allowedAccountIds",
        ...lenient,
    ],
    decisive: ["region"],
    configure,
    type(token) {
        const entry = token.startsWith("aws:") ? awsTable[token.slice("aws:".length)] : undefined;
        if (!entry) return undefined;
        const made = types.get(token) ?? resourceType(token, entry, current);
        types.set(token, made);
        return made;
    },
    invoke: (token, args) => invokeAws(token, args, current()),
    nextStep,
};
