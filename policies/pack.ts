import { PolicyPack, type PolicyResource, type ResourceValidationPolicy, type StackValidationPolicy } from "@pulumi/policy";
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

type Declared = ReadonlyMap<string, Resource["props"]>;

const toResource = (declared: Declared, { urn, type, name, props, propertyDependencies }: PolicyResource): Resource => ({
    urn,
    type,
    name,
    props: plain(props) as Resource["props"],
    declared: declared.get(urn),
    from: Object.fromEntries(
        Object.entries(propertyDependencies).map(([property, sources]) => [property, sources.map((source) => source.urn)]),
    ),
});

const toStack = (declared: Declared, resources: readonly PolicyResource[]): Stack => ({
    name: stackOf(resources[0]?.urn ?? ""),
    resources: resources.map((resource) => toResource(declared, resource)),
});

/**
 * Notes what each resource declares. The engine shows a whole stack by its outputs only, and among those of a bucket the official provider gives every deprecated inline setting a value of its own, declared
 * or not; the inputs it shows one resource at a time, before that.
 */
const noteDeclared = (declared: Map<string, Resource["props"]>): ResourceValidationPolicy => ({
    name: "note-declared",
    description: "Notes what each resource declares, for the other rules; finds no fault.",
    enforcementLevel: "advisory",
    validateResource({ urn, props }) {
        declared.set(urn, plain(props) as Resource["props"]);
    },
});

const toPolicy = (declared: Declared, rule: Rule): StackValidationPolicy => ({
    name: rule.name,
    description: rule.description,
    enforcementLevel: "mandatory",
    validateStack({ resources }, report) {
        for (const { urn, answer, because } of rule.judge(toStack(declared, resources)))
            if (answer === "broken") report(`${urn.split("::").at(-1)} ${because}`, urn);
    },
});

/** What the mandatory rules could not judge in a preview: counted and shown, one line a rule, never passed in silence. */
const cannotTellYet = (declared: Declared, judges: readonly Rule[]): StackValidationPolicy => ({
    name: "cannot-tell-yet",
    description: "What depends on values that only the update makes is judged after it.",
    enforcementLevel: "advisory",
    validateStack({ resources }, report) {
        const stack = toStack(declared, resources);
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
    const declared = new Map<string, Resource["props"]>();
    const policies = [noteDeclared(declared), ...judges.map((rule) => toPolicy(declared, rule)), cannotTellYet(declared, judges)];
    return new PolicyPack("lifeboat", { enforcementLevel: "mandatory", policies });
}
