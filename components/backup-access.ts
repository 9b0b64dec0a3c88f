import type * as pulumi from "@pulumi/pulumi";
import type { BackupDuty } from "../model/names.ts";
import { Component, document, type Options } from "./component.ts";
import { callerAccess, expirerAccess, verifierAccess, writerAccess } from "./documents/access.ts";
import { PodIdentity, type ClusterIdentity } from "./pod-identity.ts";

export interface BackupAccessArgs {
    /** Which duties this site's pods have: the caller's and the writer's in both, the verifier's and the expirer's in the standby. */
    duties: readonly BackupDuty[];
    /** Name of a duty's role. */
    role: (duty: BackupDuty) => string;
    namespace: string;
    cluster: ClusterIdentity;
    /** The site's own vault, which its writer puts into and its verifier reads. */
    vault: string;
    /** All vaults: a point expires in each. */
    vaults: readonly string[];
    coordinationBucket: string;
    stores: readonly string[];
    /** Key of the vault's bucket encryption, in this region. */
    bucketKeyArn: pulumi.Input<string>;
    /** Keys of the stores' envelopes, in this region. */
    envelopeKeyArns: pulumi.Input<string>[];
}

/** ServiceAccount of a duty's pods. */
export const backupServiceAccount = (duty: BackupDuty) => `backup-${duty}`;

/**
 * Hands that do not know each other: the caller asks the archive beside the server and has no way to a vault, the writer puts and cannot read back, the verifier reads and cannot put, the expirer tags and can do
 * neither. None can delete.
 *
 * Cost: none.
 */
export class BackupAccess extends Component {
    readonly nodes: Partial<Record<BackupDuty, PodIdentity>>;

    constructor(name: string, args: BackupAccessArgs, options: Options = {}) {
        super("BackupAccess", name, options);

        this.nodes = Object.fromEntries(args.duties.map((duty) => [duty, this.#identity(name, duty, args)]));
        this.registerOutputs({});
    }

    #identity(name: string, duty: BackupDuty, args: BackupAccessArgs) {
        const { role, namespace, cluster } = args;
        return new PodIdentity(
            `${name}-${duty}`,
            { role: role(duty), serviceAccount: backupServiceAccount(duty), namespace, cluster, policy: policies[duty](args) },
            { parent: this },
        );
    }
}

const policies: Readonly<Record<BackupDuty, (args: BackupAccessArgs) => pulumi.Output<string>>> = {
    caller: ({ coordinationBucket }) => document({ coordinationBucket }, callerAccess),
    writer: (args) => document(vaultAccess(args), writerAccess),
    verifier: (args) => document(vaultAccess(args), verifierAccess),
    expirer: ({ vaults, coordinationBucket, stores }) => document({ vaults, coordinationBucket, stores }, expirerAccess),
};

const vaultAccess = ({ vault, coordinationBucket, stores, bucketKeyArn, envelopeKeyArns }: BackupAccessArgs) => ({
    vault,
    coordinationBucket,
    stores,
    bucketKeyArn,
    envelopeKeyArns,
});
