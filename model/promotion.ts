/**
 * What a promotion may change in the stack of the site that becomes active, and nothing else: resources of these types, in place, these properties.
 * Paths are those of the resource's inputs.
 */
export const promotable: Readonly<Record<string, readonly string[]>> = {
    "kubernetes:apps/v1:Deployment": ["spec.replicas"],
    "kubernetes:batch/v1:CronJob": ["spec.suspend"],
    "aws:autoscaling/group:Group": ["minSize"],
};

/** One step of `pulumi preview --json`, as far as it is judged. */
export interface PreviewStep {
    op: string;
    urn: string;
    oldState?: { inputs?: Record<string, unknown> | undefined } | undefined;
    newState?: { inputs?: Record<string, unknown> | undefined } | undefined;
    /** Property path -> how it differs, where the provider says so. */
    detailedDiff?: Record<string, unknown> | null | undefined;
    /** Top-level properties that differ, where the provider says no more. */
    diffReasons?: readonly string[] | null | undefined;
}
export interface Preview {
    steps?: readonly PreviewStep[];
}

export interface Judgement {
    /** URNs of the updates that a promotion is made of: what an activation targets. */
    allowed: string[];
    /** Everything else that would move, and why it may not. */
    forbidden: { urn: string; op: string; because: string }[];
}

/** Steps that change nothing in the cloud. */
const still: ReadonlySet<string> = new Set(["same", "read", "refresh"]);

/** The type of a resource by its URN. @example typeOf("urn:pulumi:dr::lifeboat::lifeboat:components:Workload$kubernetes:apps/v1:Deployment::orders") */
export const typeOf = (urn: string): string => urn.split("::")[2]?.split("$").at(-1) ?? "";

/**
 * Judges the difference between the standby as it is and as it would be if it were active: in-place updates of what is promotable, and nothing
 * created, replaced or deleted. What is not in the list would need control planes that may be gone.
 */
export function judgePromotion(preview: Preview): Judgement {
    const judgement: Judgement = { allowed: [], forbidden: [] };
    for (const step of preview.steps ?? []) {
        const { op, urn } = step;
        if (still.has(op)) continue;
        const because = objection(step);
        if (because === undefined) judgement.allowed.push(urn);
        else judgement.forbidden.push({ urn, op, because });
    }
    return judgement;
}

/** URNs that the activation's `up` is aimed at, by a preview of it. */
export const promotionTargets = (preview: Preview): string[] => judgePromotion(preview).allowed;

function objection(step: PreviewStep): string | undefined {
    if (step.op !== "update") return `would be ${operations[step.op] ?? `touched (${step.op})`}`;
    const type = typeOf(step.urn);
    const allowed = promotable[type];
    if (!allowed) return `${type || "it"} may not change in a promotion`;
    const others = changedPaths(step).filter((path) => !allowed.includes(path));
    return others.length === 0 ? undefined : `${others.join(", ")} would change; only ${allowed.join(", ")} may`;
}

const operations: Readonly<Record<string, string>> = {
    create: "created",
    delete: "deleted",
    replace: "replaced",
    "create-replacement": "replaced",
    "delete-replaced": "replaced",
    import: "imported",
    "read-replacement": "replaced",
};

/** Every path at which a step changes a resource: by its inputs, and by what its provider says of them. */
function changedPaths({ oldState, newState, detailedDiff, diffReasons }: PreviewStep): string[] {
    const inputs = differences(oldState?.inputs ?? {}, newState?.inputs ?? {});
    const detailed = Object.keys(detailedDiff ?? {});
    const covered = [...inputs, ...detailed];
    // A top-level reason is told by its parts already, where there are any.
    const reasons = (diffReasons ?? []).filter(
        (reason) => !covered.some((path) => path === reason || path.startsWith(`${reason}.`) || path.startsWith(`${reason}[`)),
    );
    return [...new Set([...covered, ...reasons])];
}

function differences(before: unknown, after: unknown, path = ""): string[] {
    if (Object.is(before, after)) return [];
    const nested = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;
    if (!nested(before) || !nested(after)) return [path];
    return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((key) =>
        // What the engine keeps for itself is no property.
        key.startsWith("__") ? [] : differences(before[key], after[key], path === "" ? key : `${path}.${key}`),
    );
}
