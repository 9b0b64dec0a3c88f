import type { V1Container, V1EnvVarSource, V1Service } from "@kubernetes/client-node";
import type { Image } from "./images.ts";
import type { PodSource } from "./source.ts";

/** Puts `$(NAME)` in, as the kubelet does: an unknown name stays as it is, `$$` is one dollar. */
export function expand(text: string, environment: Readonly<Record<string, string>>): string {
    return text.replace(/\$\$|\$\(([\w.-]+)\)/g, (all, name: string | undefined) =>
        name === undefined ? "$" : (environment[name] ?? all),
    );
}

/**
 * Variables that tell a pod of the Services of its namespace, as they were when it started.
 * @see https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
 */
export function serviceLinks(services: readonly V1Service[], namespace: string): Record<string, string> {
    const links: Record<string, string> = {};
    for (const { metadata, spec } of services) {
        const master = metadata?.namespace === "default" && metadata.name === "kubernetes";
        if ((metadata?.namespace !== namespace && !master) || !spec?.clusterIP || spec.clusterIP === "None") continue;
        const prefix = metadata!.name!.toUpperCase().replaceAll("-", "_");
        const host = spec.clusterIP;
        (spec.ports ?? []).forEach(({ name, port, protocol = "TCP" }, index) => {
            const [own, kind] = [`${prefix}_PORT_${port}_${protocol}`, protocol.toLowerCase()];
            if (index === 0)
                Object.assign(links, {
                    [`${prefix}_SERVICE_HOST`]: host,
                    [`${prefix}_SERVICE_PORT`]: String(port),
                    [`${prefix}_PORT`]: `${kind}://${host}:${port}`,
                });
            if (name) links[`${prefix}_SERVICE_PORT_${name.toUpperCase().replaceAll("-", "_")}`] = String(port);
            Object.assign(links, {
                [own]: `${kind}://${host}:${port}`,
                [`${own}_PROTO`]: kind,
                [`${own}_PORT`]: String(port),
                [`${own}_ADDR`]: host,
            });
        });
    }
    return links;
}

/**
 * The environment of a container: what its image brings, Services, `envFrom`, `env`; the later wins.
 * @throws Error when a ConfigMap, Secret or key that is not optional is not there
 */
export async function environmentOf(
    container: V1Container,
    image: Image,
    source: PodSource,
    services: readonly V1Service[],
): Promise<Record<string, string>> {
    const { namespace = "" } = source.pod.metadata ?? {};
    const links = serviceLinks(services, source.pod.spec?.enableServiceLinks === false ? "" : namespace);
    const environment: Record<string, string> = { HOME: image.user.home, HOSTNAME: source.hostname, ...image.env, ...links };
    for (const { configMapRef, secretRef, prefix = "" } of container.envFrom ?? []) {
        const data = configMapRef ? await source.configMap(configMapRef) : await source.secret(secretRef!);
        for (const [key, value] of Object.entries(data)) environment[prefix + key] = value.toString();
    }
    for (const { name, value, valueFrom } of container.env ?? [])
        environment[name] = valueFrom ? await valueOf(valueFrom, container, source) : expand(value ?? "", environment);
    return environment;
}

async function valueOf(from: V1EnvVarSource, container: V1Container, source: PodSource): Promise<string> {
    if (from.fieldRef) return source.field(from.fieldRef.fieldPath);
    if (from.resourceFieldRef) {
        const [kind, name] = from.resourceFieldRef.resource.split(".") as ["limits" | "requests", string];
        const amount = container.resources?.[kind]?.[name];
        if (amount === undefined || from.resourceFieldRef.divisor)
            throw new Error(`the sandbox's node does not know resourceFieldRef ${from.resourceFieldRef.resource} here`);
        return amount;
    }
    const ref = from.configMapKeyRef ?? from.secretKeyRef;
    if (!ref) throw new Error("the sandbox's node does not know this valueFrom");
    const data = from.configMapKeyRef ? await source.configMap(ref) : await source.secret(ref);
    const value = data[ref.key];
    if (value === undefined && !ref.optional)
        throw new Error(
            `couldn't find key ${ref.key} in ${from.configMapKeyRef ? "ConfigMap" : "Secret"} ${source.pod.metadata?.namespace}/${ref.name}`,
        );
    return value?.toString() ?? "";
}
