import { at, broken, cannotTell, holds, ofType, unknown, type Rule } from "./stack.ts";

/** As they were called before Kubernetes 1.21, and since. */
const versions = ["kubernetes:batch/v1:CronJob", "kubernetes:batch/v1beta1:CronJob"];

export const cronjobOverlap: Rule = {
    name: "cronjob-overlap",
    description: "Runs of a CronJob never overlap, and each comes to an end.",
    judge: (stack) =>
        versions
            .flatMap((type) => ofType(stack, type))
            .map((job) => {
                const policy = at(job.props, "spec", "concurrencyPolicy");
                const start = at(job.props, "spec", "startingDeadlineSeconds");
                const end = at(job.props, "spec", "jobTemplate", "spec", "activeDeadlineSeconds");
                if ([policy, start, end].includes(unknown)) return cannotTell(job, "its schedule is known only after the update");
                if (policy !== "Forbid") return broken(job, `may overlap (concurrencyPolicy ${String(policy ?? "Allow")}); use Forbid`);
                if (!(Number(start) >= 10))
                    return broken(job, "has no startingDeadlineSeconds of 10 or more: after 100 missed runs it would never start again");
                return Number(end) > 0
                    ? holds(job)
                    : broken(job, "has no activeDeadlineSeconds: a run that hangs would keep every later one out");
            }),
};
