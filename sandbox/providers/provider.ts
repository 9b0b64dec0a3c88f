import type { Difference } from "./differences.ts";
import type { Props } from "./values.ts";

/** What the engine asks about one resource. */
export interface Subject {
    urn: string;
    /** Pulumi's type token, like `aws:s3/bucket:Bucket`. */
    type: string;
    /** The resource's name in the program. */
    name: string;
    /** `customTimeouts` of the program in seconds; 0 means the default. */
    timeoutSeconds: number;
}

export interface Failing {
    /** Name of the property that is wrong; empty when it is the whole. */
    property: string;
    reason: string;
}

/** One type of resource: the half of the plugin protocol that depends on what is managed. */
export interface ResourceType {
    /** Outputs that the service gives: unknown in a preview, until the resource exists. */
    readonly outputs: readonly string[];
    /** Outputs that stay encrypted in the state. */
    readonly secrets?: readonly string[];
    /** Completes the inputs (names, defaults), and says what is wrong with them. Makes no call: a preview works without the service. */
    check(subject: Subject, olds: Props, news: Props, random: Uint8Array): { inputs: Props; failures: Failing[] };
    /** Whether a difference needs a new resource in place of the old one. */
    replaces(difference: Difference, olds: Props, news: Props): boolean;
    /** Whether the old one must be deleted first, since both cannot exist together. */
    deletesFirst(olds: Props, news: Props): boolean;
    /** Outputs that an update with these differences may change: unknown in its preview. */
    volatile?(differences: readonly Difference[]): readonly string[];
    /** The state that a preview shows, where it is more than the inputs and the unknown outputs. Without `olds` it is a creation. */
    foresee?(inputs: Props, olds: Props | undefined): Props;
    create(subject: Subject, inputs: Props): Promise<{ id: string; state: Props }>;
    /** Undefined when the resource is gone. Without inputs it is an import, or a look-up by id. */
    read(
        subject: Subject,
        id: string,
        inputs: Props | undefined,
        state: Props | undefined,
    ): Promise<{ id: string; inputs: Props; state: Props } | undefined>;
    update(subject: Subject, id: string, olds: Props, news: Props): Promise<Props>;
    delete(subject: Subject, id: string, state: Props): Promise<void>;
}

/** A provider: the types it knows, its functions and its configuration. */
export interface Provider {
    readonly name: string;
    /** Must be at least the SDK's version, else the engine warns. */
    readonly version: string;
    /** The configuration's property names; any other is refused. */
    readonly settings: readonly string[];
    /** Settings whose change needs every resource anew. */
    readonly decisive?: readonly string[];
    configure(settings: Props): void | Promise<void>;
    /** Undefined for a type that is not in the table; `reason` says why where there is more to say. */
    type(token: string): ResourceType | undefined;
    invoke?(token: string, args: Props): Promise<{ result: Props; secrets?: readonly string[] } | undefined>;
    /** Ends what is under way, since the engine was told to stop. */
    cancel?(): void;
    /** What a person does about an error of this provider. */
    nextStep(error: unknown): string;
}

/** The resource exists but did not become ready; the engine keeps it, and tries again with the next `up`. */
export class NotReady extends Error {
    override readonly name = "NotReady";
    readonly id: string;
    readonly state: Props;
    readonly inputs: Props;
    constructor(message: string, at: { id: string; state: Props; inputs: Props }, options?: ErrorOptions) {
        super(message, options);
        this.id = at.id;
        this.state = at.state;
        this.inputs = at.inputs;
    }
}
