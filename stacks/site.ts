import { kindOf } from "../stores/registry.ts";
import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { BackupAccess } from "../components/backup-access.ts";
import { BackupSchedule } from "../components/backup-schedule.ts";
import { Database } from "../components/database.ts";
import { document } from "../components/component.ts";
import { databaseAccess } from "../components/documents/access.ts";
import { PilotLight } from "../components/pilot-light.ts";
import { PodIdentity } from "../components/pod-identity.ts";
import { SiteRecord } from "../components/site-record.ts";
import { Workload } from "../components/workload.ts";
import { otherSite, siteNames, type Estate, type SiteName } from "../model/estate.ts";
import type { BackupDuty, Names } from "../model/names.ts";
import type { Inputs } from "./inputs.ts";

/** All that a site's program starts from. */
export interface Site {
    readonly estate: Estate;
    readonly names: Names;
    readonly site: SiteName;
    /** AWS account, 12 digits. */
    readonly account: string;
    readonly inputs: Inputs;
    /** What the epoch record says of this site. */
    readonly active: boolean;
    /** The site's own region and cluster, and nothing else. */
    readonly providers: { aws: pulumi.ProviderResource; kubernetes: pulumi.ProviderResource; random: pulumi.ProviderResource };
}

/** What the site's own stack has made before. */
export interface Foundation {
    /** The namespace of everything in the cluster. */
    readonly space: k8s.core.v1.Namespace;
    readonly zoneId: pulumi.Input<string>;
    readonly bucketKeyArn: pulumi.Input<string>;
    /** By store. */
    readonly envelopeKeyArns: Readonly<Record<string, pulumi.Input<string>>>;
}

const duties: Readonly<Record<SiteName, readonly BackupDuty[]>> = {
    primary: ["caller", "writer"],
    standby: ["caller", "writer", "verifier", "expirer"],
};
const guard = "guard";

/**
 * What stands in both sites: who may do what in the cluster, databases, services, backups and nodes, each with as much capacity as the
 * epoch gives this site.
 * @param databasesRun whether there are servers: not in a standby that has no peer to copy from.
 */
export function standUp(site: Site, foundation: Foundation, databasesRun: boolean): void {
    const { estate, names, inputs, active } = site;
    const { namespace } = names;
    const own = { providers: Object.values(site.providers) };
    const place = { site: site.site, account: site.account };
    const cluster = { oidcProviderArn: inputs.oidcProviderArn, oidcIssuer: inputs.oidcIssuer };
    const stores = Object.entries(estate.stores);
    const { space } = foundation;
    const inside = { ...own, dependsOn: [space] };

    const vault = {
        vault: names.vaultBucket(site.site),
        coordinationBucket: names.coordinationBucket,
        stores: Object.keys(estate.stores),
        bucketKeyArn: foundation.bucketKeyArn,
        envelopeKeyArns: Object.values(foundation.envelopeKeyArns),
    };
    const access = new BackupAccess(
        "backup",
        {
            duties: duties[site.site],
            role: (duty) => names.backupRole(duty, site.site),
            namespace,
            cluster,
            vaults: siteNames.map(names.vaultBucket),
            ...vault,
        },
        inside,
    );
    const guards = new PodIdentity(
        guard,
        {
            role: names.guardRole(site.site),
            serviceAccount: guard,
            namespace,
            cluster,
            policy: document({ ...vault, site: site.site, witnessBucket: names.witnessBucket }, databaseAccess),
        },
        inside,
    );

    for (const [store, declaration] of stores) {
        const born = site.site === "standby" ? { passwordsReplicatedTo: estate.sites[otherSite(site.site)].region } : {};
        const database = new Database(
            store,
            {
                store,
                declaration,
                ...place,
                namespace,
                serviceAccount: guard,
                secret: names.storeSecret(store),
                running: databasesRun,
                ...born,
            },
            { ...own, dependsOn: [space, guards] },
        );
        new SiteRecord(
            `${store}-${site.site}`,
            { zoneId: foundation.zoneId, host: names.siteStoreHost(store, site.site), target: database.peerName },
            own,
        );
        new BackupSchedule(
            `${store}-schedule`,
            { store, declaration, namespace, place, active, keeper: site.site === "standby" },
            { ...own, dependsOn: [space, access, database] },
        );
    }

    for (const [service, declaration] of Object.entries(estate.services)) {
        const needs = stores
            .filter(([store]) => declaration.needs.includes(store))
            .map(([store, declared]) => ({ store, kind: kindOf(declared), database: declared.database }));
        const workload = new Workload(
            service,
            { service, declaration, namespace, needs, certificateArn: inputs.certificateArn, active },
            inside,
        );
        new SiteRecord(
            `${service}-${site.site}`,
            { zoneId: foundation.zoneId, host: names.siteServiceHost(service, site.site), target: workload.address },
            own,
        );
    }

    new PilotLight(
        "workload-nodes",
        {
            group: names.nodeGroup(site.site),
            imageId: inputs.nodeImageId,
            instanceProfile: inputs.nodeInstanceProfile,
            securityGroupIds: inputs.securityGroupIds,
            subnetIds: inputs.subnetIds,
            ...(inputs.nodeUserData === undefined ? {} : { userData: inputs.nodeUserData }),
            // A node for each pod of the service that has most: its pods stand on different nodes.
            nodes: Math.max(...Object.values(estate.services).map(({ pods }) => pods)),
            active,
        },
        own,
    );
}

/** The namespace, which admits only pods without privileges. */
export function standNamespace({ names, providers }: Site) {
    const labels = { "pod-security.kubernetes.io/enforce": "restricted" };
    return new k8s.core.v1.Namespace(
        "namespace",
        { metadata: { name: names.namespace, labels } },
        { provider: providers.kubernetes, retainOnDelete: true },
    );
}
