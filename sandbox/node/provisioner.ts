import { mkdirSync, rmSync } from "node:fs";
import type { V1PersistentVolume, V1PersistentVolumeClaim } from "@kubernetes/client-node";
import { describe, log, statusOf, type Cluster } from "./cluster.ts";

const provisioner = "sandbox.lifeboat.dev/directory";
const annotation = { of: "volume.kubernetes.io/storage-provisioner", by: "pv.kubernetes.io/provisioned-by" };

/**
 * Volumes on demand, as a CSI driver gives them: the binder controller marks a claim with its class's provisioner, and binds it to the volume that
 * we then make. Storage class `gp3` is the default one. A volume is a directory of the site, owned by root as a new file system is; its size is not enforced.
 * @see https://kubernetes.io/docs/concepts/storage/persistent-volumes/#dynamic
 */
export async function runProvisioner(cluster: Cluster): Promise<void> {
    const { core } = cluster;
    await cluster.apply({
        apiVersion: "storage.k8s.io/v1",
        kind: "StorageClass",
        metadata: { name: "gp3", annotations: { "storageclass.kubernetes.io/is-default-class": "true" } },
        provisioner,
        volumeBindingMode: "WaitForFirstConsumer",
        reclaimPolicy: "Delete",
        allowVolumeExpansion: true,
    });

    const provision = async (claim: V1PersistentVolumeClaim) => {
        const { name, namespace, uid } = claim.metadata!;
        const { storageClassName, accessModes, resources } = claim.spec!;
        const path = `${cluster.directory}/volumes/${namespace}-${name}-${uid!.slice(0, 8)}`;
        mkdirSync(path, { recursive: true, mode: 0o755 });
        const { reclaimPolicy } = await cluster.storage.readStorageClass({ name: storageClassName! });
        await core.createPersistentVolume({
            body: {
                metadata: { name: `pvc-${uid}`, annotations: { [annotation.by]: provisioner } },
                spec: {
                    capacity: { storage: resources!.requests!["storage"]! },
                    accessModes: accessModes!,
                    volumeMode: "Filesystem",
                    storageClassName: storageClassName!,
                    persistentVolumeReclaimPolicy: reclaimPolicy ?? "Delete",
                    hostPath: { path },
                    claimRef: { apiVersion: "v1", kind: "PersistentVolumeClaim", namespace: namespace!, name: name!, uid: uid! },
                },
            },
        });
    };
    cluster.watch<V1PersistentVolumeClaim>(
        "/api/v1/persistentvolumeclaims",
        () => core.listPersistentVolumeClaimForAllNamespaces(),
        (claim, deleted) => {
            if (deleted || claim.spec?.volumeName || claim.metadata?.annotations?.[annotation.of] !== provisioner) return;
            provision(claim).catch((error: unknown) => {
                if (statusOf(error) !== 409) log(`volume for ${claim.metadata?.namespace}/${claim.metadata?.name}: ${describe(error)}`);
            });
        },
    );

    cluster.watch<V1PersistentVolume>(
        "/api/v1/persistentvolumes",
        () => core.listPersistentVolume(),
        (volume, deleted) => {
            const ours = volume.metadata?.annotations?.[annotation.by] === provisioner;
            if (deleted || !ours || volume.metadata?.deletionTimestamp) return;
            if (volume.status?.phase !== "Released" || volume.spec?.persistentVolumeReclaimPolicy !== "Delete") return;
            rmSync(volume.spec.hostPath!.path, { recursive: true, force: true });
            core.deletePersistentVolume({ name: volume.metadata!.name! }).catch((error: unknown) =>
                log(`volume ${volume.metadata?.name}: ${describe(error)}`),
            );
        },
    );
}
