import { list, optionalText, record, text, texts, type Props, type Value } from "../values.ts";
import { unknownName } from "./names.ts";
import type { Services } from "./services.ts";

/** A function of the official provider: what it takes, and its answer. */
interface AwsFunction {
    takes: readonly string[];
    secrets?: readonly string[];
    answer(args: Props, aws: Services): Promise<Props>;
}

const single = (values: string[]): Value => (values.length === 1 ? values[0] : values);
/** IAM's element only where something was given. */
const element = (name: string, value: Value): Props => (list(value).length > 0 ? { [name]: single(texts(value)) } : {});

function principals(name: string, given: Value): Props {
    const all = list(given).map(record);
    if (all.length === 0) return {};
    if (all.some(({ type, identifiers }) => type === "*" && texts(identifiers).includes("*"))) return { [name]: "*" };
    const byType: Record<string, string[]> = {};
    for (const { type, identifiers } of all) byType[text(type)] = [...(byType[text(type)] ?? []), ...texts(identifiers)];
    return { [name]: Object.fromEntries(Object.entries(byType).map(([type, identifiers]) => [type, single(identifiers)])) };
}

function conditions(given: Value): Props {
    const out: Record<string, Props> = {};
    for (const { test, variable, values } of list(given).map(record)) (out[text(test)] ??= {})[text(variable)] = single(texts(values));
    return Object.keys(out).length > 0 ? { Condition: out } : {};
}

const statementTakes = ["actions", "conditions", "effect", "notActions", "notPrincipals", "notResources", "principals", "resources", "sid"];
function statement(given: Props): Props {
    const strange = unknownName(given, statementTakes);
    if (strange !== undefined) throw new Error(`a statement has no "${strange}"; it has ${statementTakes.join(", ")}`);
    return {
        ...(given["sid"] !== undefined && { Sid: given["sid"] }),
        Effect: given["effect"] ?? "Allow",
        ...element("Action", given["actions"]),
        ...element("NotAction", given["notActions"]),
        ...element("Resource", given["resources"]),
        ...element("NotResource", given["notResources"]),
        ...principals("Principal", given["principals"]),
        ...principals("NotPrincipal", given["notPrincipals"]),
        ...conditions(given["conditions"]),
    };
}

/** Source: https://www.pulumi.com/registry/packages/aws/api-docs/ (each function's own page) */
const functions: Readonly<Record<string, AwsFunction>> = {
    "aws:index/getCallerIdentity:getCallerIdentity": {
        takes: ["id"],
        async answer(_args, aws) {
            const { sdk, client } = await aws.use("sts");
            const { Account, Arn, UserId } = await client.send(new sdk.GetCallerIdentityCommand({}));
            return { accountId: Account, arn: Arn, userId: UserId, id: Account };
        },
    },
    "aws:index/getRegion:getRegion": {
        takes: ["endpoint", "id", "name", "region"],
        async answer(args, aws) {
            const region = text(args["region"] ?? args["name"] ?? aws.settings.region);
            return { region, name: region, id: region, description: region, endpoint: `ec2.${region}.amazonaws.com` };
        },
    },
    "aws:secretsmanager/getSecretVersion:getSecretVersion": {
        takes: ["region", "secretId", "versionId", "versionStage"],
        secrets: ["secretString", "secretBinary"],
        async answer(args, aws) {
            const region = text(args["region"] ?? aws.settings.region);
            const { sdk, client } = await aws.use("secretsmanager", region);
            const VersionId = optionalText(args["versionId"]);
            const VersionStage = optionalText(args["versionStage"]) ?? "AWSCURRENT";
            const found = await client.send(
                new sdk.GetSecretValueCommand({
                    SecretId: text(args["secretId"]),
                    ...(VersionId === undefined ? { VersionStage } : { VersionId }),
                }),
            );
            return {
                region,
                arn: found.ARN,
                secretArn: found.ARN,
                secretId: args["secretId"],
                id: `${text(args["secretId"])}|${VersionId ?? VersionStage}`,
                secretString: found.SecretString ?? "",
                secretBinary: found.SecretBinary ? Buffer.from(found.SecretBinary).toString("base64") : "",
                versionId: found.VersionId,
                versionStage: VersionStage,
                versionStages: found.VersionStages ?? [],
                createdDate: found.CreatedDate?.toISOString() ?? "",
            };
        },
    },
    "aws:iam/getPolicyDocument:getPolicyDocument": {
        takes: ["policyId", "statements", "version"],
        async answer(args) {
            const document = {
                Version: args["version"] ?? "2012-10-17",
                ...(args["policyId"] !== undefined && { Id: args["policyId"] }),
                Statement: list(args["statements"]).map((given) => statement(record(given))),
            };
            const minifiedJson = JSON.stringify(document);
            return { ...args, json: JSON.stringify(document, null, 2), minifiedJson, id: String(minifiedJson.length) };
        },
    },
};

/** Calls a function of the table; undefined when there is none of that name. */
export async function invokeAws(
    token: string,
    args: Props,
    aws: Services,
): Promise<{ result: Props; secrets?: readonly string[] } | undefined> {
    const found = functions[token];
    if (!found) return undefined;
    const strange = unknownName(args, found.takes);
    if (strange !== undefined) throw new Error(`the stand-in has no argument "${strange}" here; it has ${found.takes.join(", ")}`);
    const result = await found.answer(args, aws);
    return { result, ...(found.secrets && { secrets: found.secrets }) };
}

export const awsFunctionTokens: readonly string[] = Object.keys(functions);
