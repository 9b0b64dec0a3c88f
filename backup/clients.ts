import { createRequire } from "node:module";
import type * as cloudwatch from "@aws-sdk/client-cloudwatch";
import type * as iam from "@aws-sdk/client-iam";
import type * as kms from "@aws-sdk/client-kms";
import type * as s3 from "@aws-sdk/client-s3";
import type * as sts from "@aws-sdk/client-sts";
import { fromNodeProviderChain } from "@aws-sdk/credential-providers";
import { NodeHttpHandler } from "@smithy/node-http-handler";

/** A client takes a tenth of a second to load, and a command or a preview uses one or two of them: each is loaded when it is first asked for. */
const load = createRequire(import.meta.url);

/**
 * Limits of one call, in milliseconds. The SDK has none of its own: against a region that is gone it hangs without end.
 * A retry may take place after a time-out, so a call is over after `total` at the latest, whatever happened to it.
 */
export const callLimits = { connect: 2_000, request: 15_000, total: 45_000, attempts: 3 } as const;

/** A call that was given up after `callLimits.total`. Named as the SDK's own time-outs are, so that one test of the name finds both. */
export class CallTimeout extends Error {
    override readonly name = "TimeoutError";
    constructor(command: string, region: string) {
        super(`${command} in ${region} had no answer within ${callLimits.total / 1000} s`);
    }
}

const http = () => ({
    connectionTimeout: callLimits.connect,
    requestTimeout: callLimits.request,
    throwOnRequestTimeout: true,
    socketTimeout: callLimits.request,
});

/** One provider for all clients: a pod's web identity is exchanged for credentials once, in its own region, not once a service. */
let credentials: ReturnType<typeof fromNodeProviderChain> | undefined;
function sharedCredentials(region: string) {
    credentials ??= fromNodeProviderChain({
        clientConfig: {
            region: process.env["AWS_REGION"] ?? region,
            maxAttempts: callLimits.attempts,
            requestHandler: new NodeHttpHandler(http()),
        },
    });
    return credentials;
}

interface Limited {
    middlewareStack: {
        add(
            middleware: (next: (args: never) => Promise<unknown>, context: { commandName?: string }) => (args: never) => Promise<unknown>,
            options: { step: "initialize"; name: string; priority: "high" },
        ): void;
    };
}

/** Gives a client its total limit: the first thing that a call meets, so that retries and the fetching of credentials count too. */
function limited<Client extends object>(client: Client, region: string): Client {
    (client as unknown as Limited).middlewareStack.add(
        (next, context) => async (args) => {
            const { promise, reject } = Promise.withResolvers<never>();
            const timer = setTimeout(() => reject(new CallTimeout(context.commandName ?? "a call", region)), callLimits.total);
            try {
                return await Promise.race([next(args), promise]);
            } finally {
                clearTimeout(timer);
            }
        },
        { step: "initialize", name: "lifeboatTotalLimit", priority: "high" },
    );
    return client;
}

function makeClients(region: string) {
    const made = new Map<string, object>();
    const config = () => ({ region, credentials: sharedCredentials(region), maxAttempts: callLimits.attempts, requestHandler: http() });
    const once = <Client extends object>(name: string, make: () => Client): Client => {
        const client = made.get(name) ?? limited(make(), region);
        made.set(name, client);
        return client as Client;
    };
    return {
        region,
        get s3() {
            return once<s3.S3Client>("s3", () => {
                const { S3Client } = load("@aws-sdk/client-s3") as typeof s3;
                return new S3Client(config());
            });
        },
        get kms() {
            return once<kms.KMS>("kms", () => {
                const { KMS } = load("@aws-sdk/client-kms") as typeof kms;
                return new KMS(config());
            });
        },
        get cloudwatch() {
            return once<cloudwatch.CloudWatchClient>("cloudwatch", () => {
                const { CloudWatchClient } = load("@aws-sdk/client-cloudwatch") as typeof cloudwatch;
                return new CloudWatchClient(config());
            });
        },
        get sts() {
            return once<sts.STSClient>("sts", () => {
                const { STSClient } = load("@aws-sdk/client-sts") as typeof sts;
                return new STSClient(config());
            });
        },
        /** A global control plane: never needed by an activation. */
        get iam() {
            return once<iam.IAMClient>("iam", () => {
                const { IAMClient } = load("@aws-sdk/client-iam") as typeof iam;
                return new IAMClient(config());
            });
        },
    };
}

export type AwsClients = ReturnType<typeof makeClients>;

const byRegion = new Map<string, AwsClients>();

/**
 * The one factory of AWS clients: each is made when first asked for, kept, and has the limits above.
 * Endpoint, credentials and certificates come from the standard AWS environment; nothing is set here.
 * @param region "us-west-2"
 * @example await awsClients(estate.sites.standby.region).s3.send(new GetObjectCommand({ Bucket, Key }))
 */
export function awsClients(region: string): AwsClients {
    const known = byRegion.get(region) ?? makeClients(region);
    byRegion.set(region, known);
    return known;
}
