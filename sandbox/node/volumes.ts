import { execFileSync } from "node:child_process";
import {
    chmodSync,
    chownSync,
    existsSync,
    mkdirSync,
    readFileSync,
    readdirSync,
    renameSync,
    rmSync,
    statSync,
    writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import type { V1DownwardAPIVolumeFile, V1KeyToPath, V1ProjectedVolumeSource, V1Volume, V1VolumeProjection } from "@kubernetes/client-node";
import type { PodSource } from "./source.ts";

interface File {
    readonly content: Buffer;
    readonly mode: number;
}

/** A token is renewed when it has used up this share of its life. */
const renewAfter = 0.8;

/**
 * The volumes of one pod as directories of this machine. `fill` may be called again: what a ConfigMap or Secret says by then is put in place, file by
 * file, and tokens that get old are renewed.
 */
export class Volumes {
    /** Volume's name to its directory. */
    readonly paths = new Map<string, string>();
    private readonly source: PodSource;
    private readonly directory: string;
    private readonly owned = new Set<string>();

    constructor(source: PodSource, directory: string) {
        this.source = source;
        this.directory = directory;
    }

    /** @throws Error while something that a volume needs (a claim's volume, a Secret) is not there */
    async fill(): Promise<void> {
        for (const volume of this.source.pod.spec?.volumes ?? []) {
            if (volume.persistentVolumeClaim) await this.claim(volume.name, volume.persistentVolumeClaim.claimName);
            else if (volume.emptyDir) this.empty(volume.name);
            else await this.project(volume);
        }
    }

    remove(): void {
        rmSync(this.directory, { recursive: true, force: true });
    }

    private get group(): number | undefined {
        return this.source.pod.spec?.securityContext?.fsGroup;
    }

    private async claim(name: string, claimName: string): Promise<void> {
        if (this.paths.has(name)) return;
        const { core } = this.source.cluster;
        const claim = await core.readNamespacedPersistentVolumeClaim({ name: claimName, namespace: this.source.namespace });
        if (claim.status?.phase !== "Bound") throw new Error(`persistentvolumeclaim ${claimName} is not bound`);
        const { hostPath } = (await core.readPersistentVolume({ name: claim.spec!.volumeName! })).spec!;
        if (!hostPath) throw new Error(`the sandbox's node does not know the kind of volume ${claim.spec!.volumeName}`);
        this.giveToGroup(hostPath.path);
        this.paths.set(name, hostPath.path);
    }

    private empty(name: string): void {
        if (this.paths.has(name)) return;
        const path = join(this.directory, name);
        mkdirSync(path, { recursive: true });
        chmodSync(path, 0o777);
        this.giveToGroup(path);
        this.paths.set(name, path);
    }

    /**
     * What the kubelet does for fsGroup: all of the volume belongs to the group, which may write, and new files inherit it. Every time a pod starts,
     * unless its policy is OnRootMismatch.
     * @see https://kubernetes.io/docs/tasks/configure-pod-container/security-context/
     */
    private giveToGroup(path: string): void {
        if (this.group === undefined || this.owned.has(path)) return;
        const policy = this.source.pod.spec?.securityContext?.fsGroupChangePolicy;
        const { gid, mode } = statSync(path);
        if (policy !== "OnRootMismatch" || gid !== this.group || (mode & 0o2070) !== 0o2070)
            execFileSync(
                "sh",
                ["-ec", 'chgrp -R "$1" "$0"; chmod -R ug+rwX "$0"; find "$0" -type d -exec chmod g+s {} +', path, String(this.group)],
                { stdio: "pipe" },
            );
        this.owned.add(path);
    }

    private async project(volume: V1Volume): Promise<void> {
        const path = join(this.directory, volume.name);
        const { configMap, secret, downwardAPI, projected } = volume;
        const plain: V1VolumeProjection | undefined = configMap
            ? { configMap }
            : secret
              ? {
                    secret: {
                        name: secret.secretName!,
                        ...(secret.items && { items: secret.items }),
                        ...(secret.optional && { optional: true }),
                    },
                }
              : downwardAPI && { downwardAPI: { ...(downwardAPI.items && { items: downwardAPI.items }) } };
        const sources = plain ? [plain] : (projected as V1ProjectedVolumeSource).sources!;
        const mode = configMap?.defaultMode ?? secret?.defaultMode ?? downwardAPI?.defaultMode ?? projected?.defaultMode ?? 0o644;
        const files = new Map<string, File>();
        for (const source of sources) await this.collect(source, mode, path, files);
        this.write(path, files);
        this.paths.set(volume.name, path);
    }

    private async collect(from: V1VolumeProjection, mode: number, path: string, files: Map<string, File>): Promise<void> {
        const pick = (data: Readonly<Record<string, Buffer>>, reference: { name?: string; items?: V1KeyToPath[]; optional?: boolean }) => {
            for (const item of reference.items ?? Object.keys(data).map((key): V1KeyToPath => ({ key, path: key }))) {
                const content = data[item.key];
                if (content) files.set(item.path, { content, mode: item.mode ?? mode });
                else if (!reference.optional) throw new Error(`references non-existent key ${item.key} of ${reference.name}`);
            }
        };
        if (from.configMap) pick(await this.source.configMap(from.configMap), from.configMap);
        if (from.secret) pick(await this.source.secret(from.secret), from.secret);
        for (const item of from.downwardAPI?.items ?? []) files.set(item.path, { content: this.downward(item), mode: item.mode ?? mode });
        if (from.serviceAccountToken) {
            const { audience, path: name, expirationSeconds = 3600 } = from.serviceAccountToken;
            const at = join(path, name);
            const fresh = existsSync(at) && Date.now() - statSync(at).mtimeMs < expirationSeconds * 1000 * renewAfter;
            // A token is its reader's alone, unless the volume has a group.
            files.set(name, {
                content: fresh ? readFileSync(at) : Buffer.from(await this.source.token(audience, expirationSeconds)),
                mode: this.group === undefined ? 0o644 : 0o640,
            });
        }
    }

    private downward(item: V1DownwardAPIVolumeFile): Buffer {
        if (!item.fieldRef) throw new Error("the sandbox's node does not know resourceFieldRef in a volume");
        return Buffer.from(this.source.field(item.fieldRef.fieldPath));
    }

    private write(path: string, files: ReadonlyMap<string, File>): void {
        mkdirSync(path, { recursive: true });
        chmodSync(path, 0o755);
        for (const [name, { content, mode }] of files) {
            const at = join(path, name);
            if (existsSync(at) && readFileSync(at).equals(content)) continue;
            mkdirSync(dirname(at), { recursive: true });
            const fresh = join(dirname(at), `..${Date.now()}`);
            writeFileSync(fresh, content);
            // With a group the kubelet opens the files to it.
            chmodSync(fresh, this.group === undefined ? mode : mode | 0o440);
            if (this.group !== undefined) chownSync(fresh, 0, this.group);
            renameSync(fresh, at);
        }
        for (const entry of readdirSync(path, { recursive: true, withFileTypes: true })) {
            const at = join(entry.parentPath, entry.name);
            if (entry.isFile() && !files.has(at.slice(path.length + 1))) rmSync(at);
        }
    }
}
