import { objectsOf, type KubernetesObject } from "./kubernetes.ts";
import { at, broken, cannotTell, holds, unknown, type Rule, type Verdict } from "./stack.ts";

function judge({ resource: job, object, patch }: KubernetesObject): Verdict {
    const policy = at(object, "spec", "concurrencyPolicy");
    const start = at(object, "spec", "startingDeadlineSeconds");
    const end = at(object, "spec", "jobTemplate", "spec", "activeDeadlineSeconds");
    // What a patch leaves out stays as it is.
    const silent = (value: unknown) => patch && value === undefined;
    if ([policy, start, end].includes(unknown)) return cannotTell(job, "its schedule is known only after the update");
    if (policy !== "Forbid" && !silent(policy))
        return broken(job, `may overlap (concurrencyPolicy ${String(policy ?? "Allow")}); use Forbid`);
    if (!(Number(start) >= 10) && !silent(start))
        return broken(job, "has no startingDeadlineSeconds of 10 or more: after 100 missed runs it would never start again");
    return Number(end) > 0 || silent(end)
        ? holds(job)
        : broken(job, "has no activeDeadlineSeconds: a run that hangs would keep every later one out");
}

export const cronjobOverlap: Rule = {
    name: "cronjob-overlap",
    description: "Runs of a CronJob never overlap, and each comes to an end.",
    judge: (stack) => objectsOf(stack, "batch", "CronJob").map(judge),
};
