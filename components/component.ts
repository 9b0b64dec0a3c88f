import * as pulumi from "@pulumi/pulumi";

/**
 * Changes what a component is about to make: either arguments that replace its own, or a function that is given arguments and options to change.
 * @example { bucket: { forceDestroy: true } }
 * @example { bucket: (args, options) => { options.protect = false; } }
 */
export type Transform<Args extends object> = Partial<Args> | ((args: Args, options: pulumi.CustomResourceOptions, name: string) => void);

/** What is left to the caller to say of a component's place in the stack: parent, providers, dependencies. */
export type Options = pulumi.ComponentResourceOptions;

/** A component of ours. Its children are named after it, so that a URN says whose resource it is. */
export abstract class Component extends pulumi.ComponentResource {
    readonly #name: string;

    /** @param kind the component's class name. @param name logical name; the children's names start with it. */
    constructor(kind: string, name: string, options: Options) {
        super(`lifeboat:components:${kind}`, name, {}, options);
        this.#name = name;
    }

    /** Name, arguments and options of a child, in the order that every resource class takes them: `new aws.kms.Key(...this.child("key", {…}))`. */
    protected child<Args extends object>(
        suffix: string,
        args: Args,
        options: pulumi.CustomResourceOptions = {},
        transform?: Transform<Args>,
    ): [name: string, args: Args, options: pulumi.CustomResourceOptions] {
        const name = suffix === "" ? this.#name : `${this.#name}-${suffix}`;
        const own: pulumi.CustomResourceOptions = { ...options, parent: this };
        if (typeof transform !== "function") return [name, { ...args, ...transform }, own];
        const changed = { ...args };
        transform(changed, own, name);
        return [name, changed, own];
    }
}

/** The same arguments, of which some are only known later. */
export type Later<Args> = {
    readonly [Key in keyof Args]: Args[Key] extends readonly (infer Item)[] ? readonly pulumi.Input<Item>[] : pulumi.Input<Args[Key]>;
};

/** A document (policy, rule) as JSON, built once all that it needs is known. */
export const document = <Args extends object>(args: Later<Args>, build: (args: Args) => unknown): pulumi.Output<string> =>
    pulumi.output(args).apply((known) => JSON.stringify(build(known as Args)));
