/** A throw-away AWS account for a test. */
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { startMoto } from "../support/moto.ts";

export const region = "us-west-2";
export const credentials = { accessKeyId: "AKIAOPERATOR000000000", secretAccessKey: "any" };

export interface Account {
    endpoint: string;
    s3: S3Client;
    /** What a process needs to reach this account and no other. */
    env: Record<string, string>;
    makeBucket(name: string): Promise<void>;
    stop(): Promise<void>;
}

export async function startAccount(): Promise<Account> {
    const moto = await startMoto();
    const endpoint = moto.url;
    const s3 = new S3Client({ region, endpoint, credentials, forcePathStyle: true });
    return {
        endpoint,
        s3,
        env: moto.env,
        async makeBucket(name) {
            await s3.send(new CreateBucketCommand({ Bucket: name, CreateBucketConfiguration: { LocationConstraint: region } }));
        },
        async stop() {
            s3.destroy();
            await moto.stop();
        },
    };
}
