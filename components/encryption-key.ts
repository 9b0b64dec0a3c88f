import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import { Component, type Options, type Transform } from "./component.ts";
import { keyPolicy, type KeyUsers } from "./documents/key-policy.ts";

export interface EncryptionKeyArgs {
    /** Alias, the same in both regions, with its `alias/`. */
    alias: string;
    /** What the key protects, for whoever finds it. */
    description: string;
    /** Who may use it, by role name; the roles need not exist yet. */
    users: KeyUsers;
    /**
     * ARN of the multi-region key that this one replicates.
     * @default none: the key is born here, as all shared keys are in the standby
     */
    replicaOf?: pulumi.Input<string>;
    /** Changes the resources underneath. */
    transform?: {
        key?: Transform<aws.kms.KeyArgs>;
        replica?: Transform<aws.kms.ReplicaKeyArgs>;
        alias?: Transform<aws.kms.AliasArgs>;
    };
}

/**
 * A multi-region key: what is encrypted in one region is decrypted in the other by its own copy, with no call to where it came from. Rotated
 * once a year; 30 days to think again after a deletion.
 *
 * Cost: 1 USD a month for each region, 3 USD per million requests beyond the first 20,000 (us-east-1, 2025).
 */
export class EncryptionKey extends Component {
    /** ARN in this region. */
    readonly arn: pulumi.Output<string>;
    readonly nodes: { key: aws.kms.Key | aws.kms.ReplicaKey; alias: aws.kms.Alias };

    constructor(name: string, args: EncryptionKeyArgs, options: Options = {}) {
        super("EncryptionKey", name, options);
        const policy = JSON.stringify(keyPolicy(args.users));
        const key = args.replicaOf === undefined ? this.#born(args, policy) : this.#replicated(args, policy, args.replicaOf);
        const alias = this.#alias(args, key);

        this.arn = key.arn;
        this.nodes = { key, alias };
        this.registerOutputs({ arn: this.arn });
    }

    #born({ description, transform }: EncryptionKeyArgs, policy: string) {
        const args: aws.kms.KeyArgs = { description, multiRegion: true, enableKeyRotation: true, deletionWindowInDays: 30, policy };
        return new aws.kms.Key(...this.child("", args, { protect: true }, transform?.key));
    }

    #replicated({ description, transform }: EncryptionKeyArgs, policy: string, primaryKeyArn: pulumi.Input<string>) {
        const args: aws.kms.ReplicaKeyArgs = { description, primaryKeyArn, deletionWindowInDays: 30, policy };
        return new aws.kms.ReplicaKey(...this.child("", args, { protect: true }, transform?.replica));
    }

    #alias({ alias, transform }: EncryptionKeyArgs, key: aws.kms.Key | aws.kms.ReplicaKey) {
        return new aws.kms.Alias(...this.child("alias", { name: alias, targetKeyId: key.keyId }, {}, transform?.alias));
    }
}
