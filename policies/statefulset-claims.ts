import { objectsOf, type KubernetesObject } from "./kubernetes.ts";
import { at, broken, cannotTell, holds, unknown, type Rule, type Verdict } from "./stack.ts";

function judge({ resource: set, object }: KubernetesObject): Verdict {
    const retention = at(object, "spec", "persistentVolumeClaimRetentionPolicy");
    for (const [when, what] of [
        ["whenDeleted", "is deleted"],
        ["whenScaled", "is scaled down, as a standby's is to none"],
    ] as const) {
        const policy = at(retention, when);
        if (policy === unknown) return cannotTell(set, "what becomes of its claims is known only after the update");
        // What is left out is Retain. https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#persistentvolumeclaim-retention
        if ((policy ?? "Retain") !== "Retain")
            return broken(
                set,
                `loses its data when it ${what} (persistentVolumeClaimRetentionPolicy.${when} ${String(policy)}); use Retain`,
            );
    }
    return holds(set);
}

export const statefulsetClaims: Rule = {
    name: "statefulset-claims",
    description: "The claims that a StatefulSet makes, which are no resources of the stack, outlive it.",
    judge: (stack) => objectsOf(stack, "apps", "StatefulSet").map(judge),
};
