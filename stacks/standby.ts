import * as aws from "@pulumi/aws";
import type * as k8s from "@pulumi/kubernetes";
import { BackupVault } from "../components/backup-vault.ts";
import { FailoverRecord } from "../components/failover-record.ts";
import { Latch } from "../components/latch.ts";
import { Published } from "../components/published.ts";
import { coordination } from "../model/names.ts";
import { standKeys } from "./keys.ts";
import { standNamespace, standUp, type Site } from "./site.ts";
import { protections } from "./vault.ts";

/**
 * The standby site, where everything that both sites need is born: zone, keys, passwords, failover records. It looks nothing up in the primary.
 * @param joined whether the primary has been brought up: only then is there a peer to copy from and to lead users to.
 */
export function standby(site: Site, joined: boolean) {
    const { estate, names, account, providers, active } = site;
    const own = { providers: [providers.aws] };
    const zone = standZone(site);
    const space = standNamespace(site);
    const keys = standKeys(site);
    const vault = new BackupVault(
        "vault",
        {
            bucket: names.vaultBucket("standby"),
            logBucket: names.vaultLogBucket("standby"),
            account,
            keyArn: keys.bucketKeyArn,
            stores: protections(estate),
        },
        own,
    );
    // A server that is active must run whatever the records about its peer say.
    standUp(site, { ...keys, space, zoneId: zone.zoneId }, joined || active);
    const latch = standLatch(site, space);
    for (const [service, { healthPath }] of Object.entries(estate.services))
        new FailoverRecord(
            `${service}-failover`,
            {
                zoneId: zone.zoneId,
                host: names.serviceHost(service),
                primaryHost: names.siteServiceHost(service, "primary"),
                standbyHost: names.siteServiceHost(service, "standby"),
                traffic: estate.traffic,
                healthPath,
                latch,
                joined,
            },
            own,
        );
    new Published(
        "published",
        { bucket: names.coordinationBucket, key: coordination.published("standby"), ids: { zoneId: zone.zoneId, ...keys } },
        own,
    );
    return { vault: vault.bucket, nameServers: zone.nameServers };
}

function standZone({ estate, providers }: Site) {
    const args: aws.route53.ZoneArgs = { name: estate.domain, comment: `Names of estate ${estate.name}` };
    return new aws.route53.Zone("zone", args, { provider: providers.aws, protect: true, retainOnDelete: true });
}

function standLatch({ estate, names, site, account, inputs, providers }: Site, space: k8s.core.v1.Namespace) {
    return new Latch(
        "latch",
        {
            metric: names.latchMetric,
            alarm: names.latchAlarm,
            region: estate.sites[site].region,
            role: names.latchRole,
            coordinationBucket: names.coordinationBucket,
            namespace: names.namespace,
            cluster: { oidcProviderArn: inputs.oidcProviderArn, oidcIssuer: inputs.oidcIssuer },
            place: { site, account },
        },
        { providers: [providers.aws, providers.kubernetes], dependsOn: [space] },
    );
}
