import type * as pulumi from "@pulumi/pulumi";
import { EncryptionKey } from "../components/encryption-key.ts";
import type { KeyUsers } from "../components/documents/key-policy.ts";
import { siteNames } from "../model/estate.ts";
import type { Site } from "./site.ts";

/** Keys of the standby that the primary's replicate, by what they are for. */
export interface KeyOrigins {
    bucket: pulumi.Input<string>;
    /** By store. */
    envelopes: Readonly<Record<string, pulumi.Input<string>>>;
}

/**
 * The vault's key, and one for each store's envelopes: apart, because a writer must be able to decrypt with the first and never with the second.
 * @param origins the standby's keys. @default none: the keys are born here
 */
export function standKeys(site: Site, origins?: KeyOrigins) {
    const { estate, names, account, providers } = site;
    const own = { providers: [providers.aws] };
    const writers = siteNames.flatMap((each) => [names.backupRole("writer", each), names.guardRole(each)]);
    const readers = [names.backupRole("verifier", "standby"), names.breakGlassRole];
    const replication = names.replicationRole("primary");
    const replicaOf = (origin: pulumi.Input<string> | undefined) => (origin === undefined ? {} : { replicaOf: origin });

    const bucketUsers: KeyUsers = { account, encrypt: [...writers, replication], decrypt: [...writers, ...readers, replication] };
    const bucket = new EncryptionKey(
        "vault-key",
        { alias: names.bucketKeyAlias, description: "Recovery points at rest", users: bucketUsers, ...replicaOf(origins?.bucket) },
        own,
    );
    const envelopes = Object.fromEntries(
        Object.keys(estate.stores).map((store) => [
            store,
            new EncryptionKey(
                `${store}-envelope-key`,
                {
                    alias: names.envelopeKeyAlias(store),
                    description: `Envelopes of store ${store}`,
                    users: { account, encrypt: writers, decrypt: readers },
                    ...replicaOf(origins?.envelopes[store]),
                },
                own,
            ).arn,
        ]),
    );
    return { bucketKeyArn: bucket.arn, envelopeKeyArns: envelopes };
}
