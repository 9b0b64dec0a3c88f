import { PolicyPack, type PolicyResource, type StackValidationPolicy } from "@pulumi/policy";
import type { Estate } from "../model/estate.ts";
import { rules } from "./rules.ts";
import { stackOf, unknown, type Plain, type Resource, type Rule, type Stack } from "./stack.ts";

/** Makes plain data of what the SDK hands out: it throws at a touch of anything unknown, which would end a whole rule. */
export function plain(value: unknown): Plain {
    if (Array.isArray(value))
        return Array.from({ length: value.length }, (_, index) => reach(value as unknown as Record<string, unknown>, String(index)));
    if (typeof value === "object" && value !== null)
        return Object.fromEntries(Object.keys(value).map((key) => [key, reach(value as Record<string, unknown>, key)]));
    return value as Plain;
}

function reach(object: Record<string, unknown>, key: string): Plain {
    let value: unknown;
    try {
        value = object[key];
    } catch (error) {
        // The class is not exported; its name is.
        if ((error as Error).constructor.name === "UnknownValueError") return unknown;
        throw error;
    }
    return plain(value);
}

const toResource = ({ urn, type, name, props, propertyDependencies }: PolicyResource): Resource => ({
    urn,
    type,
    name,
    props: plain(props) as Resource["props"],
    from: Object.fromEntries(
        Object.entries(propertyDependencies).map(([property, sources]) => [property, sources.map((source) => source.urn)]),
    ),
});

const toStack = (resources: readonly PolicyResource[]): Stack => ({
    name: stackOf(resources[0]?.urn ?? ""),
    resources: resources.map(toResource),
});

const toPolicy = (rule: Rule): StackValidationPolicy => ({
    name: rule.name,
    description: rule.description,
    enforcementLevel: "mandatory",
    validateStack({ resources }, report) {
        for (const { urn, answer, because } of rule.judge(toStack(resources)))
            if (answer === "broken") report(`${urn.split("::").at(-1)} ${because}`, urn);
    },
});

/** What the mandatory rules could not judge in a preview: counted and shown, one line a rule, never passed in silence. */
const cannotTellYet = (judges: readonly Rule[]): StackValidationPolicy => ({
    name: "cannot-tell-yet",
    description: "What depends on values that only the update makes is judged after it.",
    enforcementLevel: "advisory",
    validateStack({ resources }, report) {
        const stack = toStack(resources);
        for (const rule of judges) {
            const open = rule.judge(stack).filter(({ answer }) => answer === "cannot tell yet");
            if (open.length === 0) continue;
            const why = Map.groupBy(open, ({ because }) => because);
            const named = [...why].map(([because, all]) => `${because}: ${all.map(({ urn }) => urn.split("::").at(-1)).join(", ")}`);
            report(`${rule.name} cannot tell yet of ${open.length}. ${named.join("; ")}`);
        }
    },
});

/** The policy pack of an estate. Making it starts it: the SDK serves it to the engine that runs this program. */
export function servePolicies(estate: Estate): PolicyPack {
    const judges = rules(estate);
    return new PolicyPack("lifeboat", { enforcementLevel: "mandatory", policies: [...judges.map(toPolicy), cannotTellYet(judges)] });
}
