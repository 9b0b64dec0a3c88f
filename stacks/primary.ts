import * as aws from "@pulumi/aws";
import { BackupVault } from "../components/backup-vault.ts";
import { Published } from "../components/published.ts";
import { Failure } from "../model/failure.ts";
import { coordination } from "../model/names.ts";
import { standKeys } from "./keys.ts";
import { primaryIds, type StandbyIds } from "./published.ts";
import { standNamespace, standUp, type Site } from "./site.ts";
import { protections } from "./vault.ts";

/**
 * The primary site. What it shares with the standby was born there: keys and passwords come as replicas, the zone by its id.
 * After an activation elsewhere it stands passive: no pods, backups asleep, its servers read-only by their guards.
 */
export function primary(site: Site, standby: StandbyIds) {
    const { estate, names, account, providers } = site;
    const missing = Object.keys(estate.stores).filter((store) => standby.envelopeKeyArns[store] === undefined);
    if (missing.length > 0)
        throw new Failure("prerequisite", `the standby knows nothing of ${missing.join(", ")} yet`, "run `pulumi up -s dr` first");

    const keys = standKeys(site, { bucket: standby.bucketKeyArn, envelopes: standby.envelopeKeyArns });
    const vault = new BackupVault(
        "vault",
        {
            bucket: names.vaultBucket("primary"),
            logBucket: names.vaultLogBucket("primary"),
            account,
            keyArn: keys.bucketKeyArn,
            stores: protections(estate),
            replicateTo: {
                bucket: names.vaultBucket("standby"),
                keyArn: standby.bucketKeyArn,
                role: names.replicationRole("primary"),
            },
        },
        { providers: [providers.aws] },
    );
    standUp(site, { ...keys, space: standNamespace(site), zoneId: standby.zoneId }, true);
    // Told to the standby, where it is looked for: the one thing that this stack makes outside its region.
    new Published(
        "published",
        { bucket: names.coordinationBucket, key: coordination.published("primary"), ids: primaryIds },
        { providers: [new aws.Provider("standby-region", { region: estate.sites.standby.region })], dependsOn: [vault] },
    );
    return { vault: vault.bucket };
}
