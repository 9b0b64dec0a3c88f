import type { Provider, ResourceType } from "../provider.ts";
import { optionalText, type Props, type Value } from "../values.ts";
import { ApiError, Cluster } from "./cluster.ts";
import { objectType, type Session } from "./kind.ts";
import { kindOf } from "./kinds.ts";

let session: Session | undefined;
const current = (): Session => {
    if (!session) throw new Error("the provider was not configured");
    return session;
};
const stopping = new AbortController();
const types = new Map<string, ResourceType>();
const on = (value: Value): boolean => value === true || value === "true";

function configure(settings: Props): void {
    const { kubeconfig, context, cluster, enableServerSideApply = true } = settings;
    if (!on(enableServerSideApply))
        throw new Error("the stand-in applies on the server's side only\n  next: leave enableServerSideApply out");
    session = {
        cluster: new Cluster({
            ...(kubeconfig !== undefined && { kubeconfig: String(kubeconfig) }),
            ...(context !== undefined && { context: String(context) }),
            ...(cluster !== undefined && { cluster: String(cluster) }),
        }),
        namespace: optionalText(settings["namespace"]) ?? "default",
        mutability: {
            enableConfigMapMutable: on(settings["enableConfigMapMutable"]),
            enableSecretMutable: on(settings["enableSecretMutable"]),
        },
        cancelled: stopping.signal,
    };
}

function nextStep(error: unknown): string {
    if (error instanceof ApiError) {
        if (error.reason === "Conflict")
            return "somebody else manages this field: leave it out, or take it with the annotation pulumi.com/patchForce";
        if (error.reason === "Forbidden" || error.status === 401)
            return "give the kubeconfig's user this permission, then run the command again";
        return "correct the object and run the command again";
    }
    const { message = "" } = error as { message?: string };
    if (/cannot be reached|does not/.test(message) && /API at/.test(message))
        return "see whether the cluster is up and the context is the right one, then run the command again";
    if (/not ready|stopped by/.test(message))
        return "look at the object's events and pods (`kubectl describe`); the next `pulumi up` waits again";
    return "correct the object or the kubeconfig and run the command again";
}

/** Stand-in for the official kubernetes provider: server-side apply of any kind, with the official awaits. Rendering YAML to a directory is refused. */
export const kubernetesProvider: Provider = {
    name: "kubernetes",
    version: "4.34.2",
    settings: ["kubeconfig", "context", "cluster", "namespace", "enableConfigMapMutable", "enableSecretMutable", "enableServerSideApply"],
    decisive: ["kubeconfig", "context", "cluster"],
    configure,
    type(token) {
        const kind = kindOf(token);
        if (!kind) return undefined;
        const made = types.get(token) ?? objectType(kind, current);
        types.set(token, made);
        return made;
    },
    cancel: () => stopping.abort(),
    nextStep,
};
