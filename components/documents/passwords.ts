import type { types } from "@pulumi/kubernetes";
import { passwordDirectory, type PasswordName } from "../../model/servers.ts";

/** The Kubernetes Secret with a store's passwords. */
export const passwordSecret = (store: string) => `${store}-passwords`;

/** Volume with the password files of some users only: a pod gets no others. */
export const passwordVolume = (store: string, users: readonly PasswordName[], name = "passwords"): types.input.core.v1.Volume => ({
    name,
    secret: {
        secretName: passwordSecret(store),
        defaultMode: 0o440,
        items: users.map((user) => ({ key: user, path: user })),
    },
});

export const passwordMount = (store: string, name = "passwords"): types.input.core.v1.VolumeMount => ({
    name,
    mountPath: passwordDirectory(store),
    readOnly: true,
});
