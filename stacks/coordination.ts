import { GetObjectCommand, NoSuchBucket, NoSuchKey } from "@aws-sdk/client-s3";
// eslint-disable-next-line no-restricted-imports -- the one factory of AWS clients, with its time limits; no other part of backup is needed
import { awsClients } from "../backup/clients.ts";
import { Failure } from "../model/failure.ts";
import type { ReadRecord } from "./truth.ts";

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
