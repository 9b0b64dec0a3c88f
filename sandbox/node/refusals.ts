import type { V1Container, V1Pod, V1PodSpec, V1Volume } from "@kubernetes/client-node";

/** Fields that the node acts on, or whose absence from its acts changes nothing that a pod could see here. Any other is refused by name. */
const known = {
    pod: new Set([
        ...[
            "containers",
            "initContainers",
            "volumes",
            "restartPolicy",
            "terminationGracePeriodSeconds",
            "nodeSelector",
            "nodeName",
            "securityContext",
        ],
        ...[
            "serviceAccount",
            "serviceAccountName",
            "automountServiceAccountToken",
            "hostname",
            "subdomain",
            "enableServiceLinks",
            "schedulingGates",
        ],
        // Weighed by the scheduler, or accepted by it (scheduler.ts).
        ...["affinity", "topologySpreadConstraints", "tolerations", "schedulerName", "priority", "priorityClassName", "preemptionPolicy"],
        // Images come from a table: there is nothing to pull. DNS is the sandbox's resolver.
        ...["imagePullSecrets", "dnsPolicy"],
    ]),
    container: new Set([
        ...[
            "name",
            "image",
            "command",
            "args",
            "workingDir",
            "env",
            "envFrom",
            "volumeMounts",
            "securityContext",
            "restartPolicy",
            "lifecycle",
        ],
        ...["livenessProbe", "readinessProbe", "startupProbe", "ports"],
        // Accepted and not enforced: requests and limits; the termination message is never read.
        ...["resources", "resizePolicy", "imagePullPolicy", "terminationMessagePath", "terminationMessagePolicy"],
    ]),
    podSecurity: new Set([
        "runAsUser",
        "runAsGroup",
        "runAsNonRoot",
        "fsGroup",
        "fsGroupChangePolicy",
        "supplementalGroups",
        "seccompProfile",
    ]),
    containerSecurity: new Set([
        "runAsUser",
        "runAsGroup",
        "runAsNonRoot",
        "readOnlyRootFilesystem",
        "allowPrivilegeEscalation",
        "capabilities",
        "privileged",
        "seccompProfile",
    ]),
    volume: new Set(["name", "emptyDir", "configMap", "secret", "downwardAPI", "projected", "persistentVolumeClaim"]),
    projection: new Set(["configMap", "secret", "downwardAPI", "serviceAccountToken"]),
    probe: new Set([
        "exec",
        "httpGet",
        "tcpSocket",
        "initialDelaySeconds",
        "periodSeconds",
        "timeoutSeconds",
        "successThreshold",
        "failureThreshold",
        "terminationGracePeriodSeconds",
    ]),
    mount: new Set(["name", "mountPath", "readOnly", "subPath", "subPathExpr", "recursiveReadOnly"]),
};

/** A default that was written out is no wish. */
const isSet = (value: unknown) => value !== undefined && value !== null && value !== false && !(Array.isArray(value) && value.length === 0);

function unknown(path: string, object: object | undefined, fields: ReadonlySet<string>): string[] {
    return Object.entries(object ?? {})
        .filter(([field, value]) => isSet(value) && !fields.has(field))
        .map(([field]) => `${path}.${field}`);
}

/**
 * What a pod asks for that this node cannot give. Such a pod is not run: its containers wait with this as the reason.
 * @returns one line each; none when the pod can run
 */
export function refusals(pod: V1Pod): string[] {
    const spec = pod.spec!;
    const paths = [
        ...unknown("spec", spec, known.pod),
        ...unknown("spec.securityContext", spec.securityContext, known.podSecurity),
        ...(spec.volumes ?? []).flatMap((volume, index) => ofVolume(`spec.volumes[${index}]`, volume)),
        ...(spec.initContainers ?? []).flatMap((container, index) => ofContainer(`spec.initContainers[${index}]`, container)),
        ...spec.containers.flatMap((container, index) => ofContainer(`spec.containers[${index}]`, container)),
    ];
    return [...paths.map((path) => `the sandbox's node does not know ${path}`), ...otherwise(spec)];
}

function ofVolume(path: string, volume: V1Volume): string[] {
    return [
        ...unknown(path, volume, known.volume),
        ...(volume.projected?.sources ?? []).flatMap((source, index) =>
            unknown(`${path}.projected.sources[${index}]`, source, known.projection),
        ),
    ];
}

function ofContainer(path: string, container: V1Container): string[] {
    const security = container.securityContext;
    return [
        ...unknown(path, container, known.container),
        ...unknown(`${path}.securityContext`, security, known.containerSecurity),
        ...(security?.privileged ? [`${path}.securityContext.privileged`] : []),
        ...(security?.capabilities?.add?.length ? [`${path}.securityContext.capabilities.add`] : []),
        ...(["livenessProbe", "readinessProbe", "startupProbe"] as const).flatMap((probe) =>
            unknown(`${path}.${probe}`, container[probe], known.probe),
        ),
        ...(container.volumeMounts ?? []).flatMap((mount, index) => unknown(`${path}.volumeMounts[${index}]`, mount, known.mount)),
        ...(container.lifecycle?.postStart ? [`${path}.lifecycle.postStart`] : []),
        ...(container.lifecycle?.preStop && !container.lifecycle.preStop.exec && !container.lifecycle.preStop.sleep
            ? [`${path}.lifecycle.preStop`]
            : []),
    ];
}

function otherwise(spec: V1PodSpec): string[] {
    return spec.dnsPolicy && !["ClusterFirst", "Default"].includes(spec.dnsPolicy)
        ? [`the sandbox's node does not know dnsPolicy ${spec.dnsPolicy}`]
        : [];
}
