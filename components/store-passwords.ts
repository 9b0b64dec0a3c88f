import * as aws from "@pulumi/aws";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { Component, type Options, type Transform } from "./component.ts";
import { passwordNames, type PasswordName } from "../model/servers.ts";
import { passwordSecret } from "./documents/passwords.ts";

export interface StorePasswordsArgs {
    /** Name of the store in the estate. */
    store: string;
    /** Name of the secret in Secrets Manager, the same in both regions. */
    secret: string;
    namespace: string;
    /**
     * Region that the secret is replicated to: the passwords are born here.
     * @default none: this site reads its own replica of what was born in the other
     */
    bornHereAndReplicatedTo?: string;
    transform?: { secret?: Transform<aws.secretsmanager.SecretArgs> };
}

/**
 * The passwords of a store's users: generated once, in the standby, replicated to the primary, and given to each cluster as a Secret. In a stack's
 * state they are encrypted by the secrets provider.
 *
 * Cost: 0.40 USD a month for each region's secret (us-east-1, 2025).
 */
export class StorePasswords extends Component {
    readonly nodes: { secret?: aws.secretsmanager.Secret; mounted: k8s.core.v1.Secret };

    constructor(name: string, args: StorePasswordsArgs, options: Options = {}) {
        super("StorePasswords", name, options);
        const born = args.bornHereAndReplicatedTo === undefined ? undefined : this.#born(args, args.bornHereAndReplicatedTo);
        const passwords = born?.passwords ?? this.#read(args);
        const mounted = this.#mounted(args, passwords);

        this.nodes = { ...(born && { secret: born.secret }), mounted };
        this.registerOutputs({});
    }

    #born({ secret: name, store, transform }: StorePasswordsArgs, region: string) {
        const passwords = pulumi.all(
            Object.fromEntries(
                passwordNames.map((user) => {
                    // Letters and digits only: they stand in SQL, URLs and files alike. 40 of them are 238 bits.
                    const args: random.RandomPasswordArgs = { length: 40, special: false };
                    return [user, new random.RandomPassword(...this.child(user, args, { protect: true })).result];
                }),
            ) as Record<PasswordName, pulumi.Output<string>>,
        ) as pulumi.Output<Record<PasswordName, string>>;
        const args: aws.secretsmanager.SecretArgs = {
            name,
            description: `Passwords of store ${store}`,
            replicas: [{ region }],
            recoveryWindowInDays: 30,
        };
        const secret = new aws.secretsmanager.Secret(
            ...this.child("secret", args, { protect: true, retainOnDelete: true }, transform?.secret),
        );
        const secretString = pulumi.secret(passwords.apply((known) => JSON.stringify(known)));
        const version = new aws.secretsmanager.SecretVersion(
            ...this.child("version", { secretId: secret.id, secretString }, { retainOnDelete: true }),
        );
        return { secret, version, passwords };
    }

    #read({ secret: secretId }: StorePasswordsArgs): pulumi.Output<Record<PasswordName, string>> {
        const version = aws.secretsmanager.getSecretVersionOutput({ secretId }, { parent: this });
        return pulumi.secret(version.secretString.apply((text) => JSON.parse(text) as Record<PasswordName, string>));
    }

    #mounted({ store, namespace }: StorePasswordsArgs, passwords: pulumi.Output<Record<PasswordName, string>>) {
        const stringData = pulumi.secret(passwords.apply((known) => Object.fromEntries(passwordNames.map((user) => [user, known[user]]))));
        return new k8s.core.v1.Secret(...this.child("mounted", { metadata: { name: passwordSecret(store), namespace }, stringData }));
    }
}
