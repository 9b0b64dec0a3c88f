import type { Difference } from "../differences.ts";
import type { Props } from "../values.ts";
import type { Services } from "./services.ts";
import type { Fields } from "./shape.ts";

/** One resource, as an entry of the table sees it. */
export interface Call {
    aws: Services;
    /** The resource's own region, else the provider's. */
    region: string;
    /** Name in the program. */
    name: string;
    /** Empty until it is created. */
    id: string;
    /** What the program gives; at an import, empty. */
    inputs: Props;
    /** What the state has. */
    state: Props;
    /** The program's tags over the provider's default tags. */
    tags: Record<string, string>;
    /** Whether an update changes this property. */
    changed(...names: string[]): boolean;
    /** Tells the id as soon as something exists, so that a failure after it is not forgotten. */
    made(id: string): void;
}

/** One type of the official provider. */
export interface Entry {
    /** Inputs that it takes, `region` and `tags` apart. A property that is not here is refused. */
    fields: Fields;
    required?: readonly string[];
    /** What the service computes, apart from `fields`, `region` and `tagsAll`. */
    outputs?: readonly string[];
    /** Inputs whose change needs a new resource. */
    replace?: readonly string[];
    /** IAM and Route 53 have no region. */
    global?: boolean;
    tagged?: boolean;
    /** The input that is named by the program's name when absent; `<property>Prefix` is honoured. */
    named?: { property: string; limit: number; prefixed?: boolean; form?(name: string): string };
    /** Inputs that only steer the provider, or that the service never tells. */
    untold?: readonly string[];
    /** Outputs that stay encrypted in the state. */
    secrets?: readonly string[];
    /** Outputs that an update with these differences changes. */
    volatile?(differences: readonly Difference[]): readonly string[];
    /** More that is wrong with the inputs, before any call. */
    check?(inputs: Props): { property: string; reason: string }[];
    /** Makes it and answers its id. */
    create(call: Call): Promise<string>;
    /** All that the service says, in the official names (`tags`: all of them); undefined when it is gone. Works from the id alone. */
    read(call: Call): Promise<Props | undefined>;
    /** Absent where every change needs a new one. */
    update?(call: Call): Promise<void>;
    delete(call: Call): Promise<void>;
}
