import type { types } from "@pulumi/kubernetes";

/** The users of a store's server; each password is a file of that name. */
export const storeUsers = ["root", "app", "backup", "replication"] as const;
export type StoreUser = (typeof storeUsers)[number];

/** The Kubernetes Secret with a store's passwords. */
export const passwordSecret = (store: string) => `${store}-passwords`;

/** Folder in which `lifeboat` and the services look for a store's password files. */
export const passwordFolder = (store: string) => `/etc/lifeboat/stores/${store}`;

/** Volume with the password files of some users only: a pod gets no others. */
export const passwordVolume = (store: string, users: readonly StoreUser[], name = "passwords"): types.input.core.v1.Volume => ({
    name,
    secret: {
        secretName: passwordSecret(store),
        defaultMode: 0o440,
        items: users.map((user) => ({ key: user, path: user })),
    },
});

export const passwordMount = (store: string, name = "passwords"): types.input.core.v1.VolumeMount => ({
    name,
    mountPath: passwordFolder(store),
    readOnly: true,
});
