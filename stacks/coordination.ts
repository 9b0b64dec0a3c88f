import { GetObjectCommand, NoSuchBucket, NoSuchKey } from "@aws-sdk/client-s3";
import { GetCallerIdentityCommand } from "@aws-sdk/client-sts";
// eslint-disable-next-line no-restricted-imports -- the one factory of AWS clients, with its time limits; no other part of backup is needed
import { awsClients } from "../backup/clients.ts";
import { Failure } from "../model/failure.ts";
import type { ReadRecord } from "./truth.ts";

/**
 * Number of the AWS account, by a region's own STS. Not asked of the provider: its plugin takes longer to start than this takes altogether.
 * @throws Failure "unavailable" where STS does not answer
 */
export async function accountNumber(region: string): Promise<string> {
    try {
        const { Account } = await awsClients(region).sts.send(new GetCallerIdentityCommand({}));
        if (Account !== undefined) return Account;
        throw new Error("it named no account");
    } catch (error) {
        throw new Failure(
            "unavailable",
            `STS in ${region} does not say whose credentials these are: ${(error as Error).message}`,
            "log in to AWS, or wait until the standby region answers",
            { cause: error },
        );
    }
}

/** Reads a coordination bucket, in the standby region, within the limits that every AWS call of ours has. */
export function recordsIn(region: string, bucket: string): ReadRecord {
    const { s3 } = awsClients(region);
    return async (key) => {
        try {
            const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
            return await Body?.transformToString();
        } catch (error) {
            if (error instanceof NoSuchKey) return undefined;
            if (error instanceof NoSuchBucket || (error as Error).name === "NoSuchBucket")
                throw new Failure(
                    "prerequisite",
                    `there is no coordination bucket ${bucket} in ${region}`,
                    "run `lifeboat bootstrap` first",
                    {
                        cause: error,
                    },
                );
            throw new Failure(
                "unavailable",
                `${key} in ${bucket} (${region}) cannot be read: ${(error as Error).message}`,
                "the standby region must answer, with credentials that may read its coordination bucket",
                { cause: error },
            );
        }
    };
}
