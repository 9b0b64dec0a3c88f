import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { Component, type Options } from "./component.ts";

export interface PublishedArgs {
    /** The coordination bucket, in the standby region. */
    bucket: string;
    key: string;
    /** What the other stack needs to know and cannot derive. Never a secret. */
    ids: pulumi.Input<Record<string, unknown>>;
}

/**
 * What a stack tells the other one, left where both can read it while the other's region is gone. It stays when the stack goes: an estate whose
 * dead primary is being cleared away has still been joined.
 *
 * Cost: none worth counting.
 */
export class Published extends Component {
    readonly nodes: { object: aws.s3.BucketObjectv2 };

    constructor(name: string, args: PublishedArgs, options: Options = {}) {
        super("Published", name, options);
        const object = this.#object(args);

        this.nodes = { object };
        this.registerOutputs({});
    }

    #object({ bucket, key, ids }: PublishedArgs) {
        const content = pulumi.output(ids).apply((known) => `${JSON.stringify(known, undefined, 2)}\n`);
        return new aws.s3.BucketObjectv2(
            ...this.child("object", { bucket, key, content, contentType: "application/json" }, { retainOnDelete: true }),
        );
    }
}
