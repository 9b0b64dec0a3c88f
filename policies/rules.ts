import type { Estate } from "../model/estate.ts";
import { bucketEncryption } from "./bucket-encryption.ts";
import { bucketLock } from "./bucket-lock.ts";
import { bucketReplication } from "./bucket-replication.ts";
import { bucketTlsOnly } from "./bucket-tls-only.ts";
import { bucketVersioning } from "./bucket-versioning.ts";
import { cronjobOverlap } from "./cronjob-overlap.ts";
import { failoverRecord } from "./failover-record.ts";
import { noPrimaryLookup } from "./no-primary-lookup.ts";
import type { Rule } from "./stack.ts";
import { statefulsetClaims } from "./statefulset-claims.ts";

/** Every rule of the pack. */
export const rules = (estate: Estate): readonly Rule[] => [
    bucketEncryption,
    bucketLock,
    bucketReplication,
    bucketTlsOnly,
    bucketVersioning,
    cronjobOverlap,
    failoverRecord,
    noPrimaryLookup(estate),
    statefulsetClaims,
];
