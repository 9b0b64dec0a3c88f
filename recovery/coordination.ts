import { awsClients } from "../backup/clients.ts";
import type { Estate } from "../model/estate.ts";
import { names, witnessRegion } from "../model/names.ts";
import { coordinationBucket, type CoordinationBucket } from "./conditional-bucket.ts";

export type { CoordinationBucket };

/** The coordination bucket of an estate. `account` is the AWS account's number. */
export const coordinationOf = (estate: Estate, account: string): CoordinationBucket =>
    coordinationBucket(awsClients(estate.sites.standby.region).s3, names(estate, account).coordinationBucket);

/** The witness's bucket of an estate: in its third region, or in the standby's where none is declared. */
export const witnessOf = (estate: Estate, account: string): CoordinationBucket =>
    coordinationBucket(awsClients(witnessRegion(estate)).s3, names(estate, account).witnessBucket);
