import { constants } from "node:crypto";
import type { SecureContextOptions, TLSSocket, TlsOptions } from "node:tls";
import type { PasswordName } from "../../model/servers.ts";

/** Who asks: a user of the store, by the password that both ends have mounted. */
export type Identity = Extract<PasswordName, "backup" | "replication" | "root">;
export const identities: readonly Identity[] = ["backup", "replication", "root"];

/**
 * TLS with a key that both ends know (RFC 4279, RFC 5489) and keys of its own for each session: no certificate that could run out, and nobody without the password learns or says a byte.
 * OpenSSL offers the pre-shared keys of passwords in TLS 1.2.
 */
const suite: SecureContextOptions = {
    ciphers: "ECDHE-PSK-CHACHA20-POLY1305",
    minVersion: "TLSv1.2",
    maxVersion: "TLSv1.2",
};

const key = (password: string): Buffer => Buffer.from(password, "utf8");

/** A connection's setup, in milliseconds. */
export const connectLimit = 10_000;
/** A peer is probed after so many milliseconds of silence; one that is gone is found within some 10 s more. */
export const probeAfter = 10_000;

export interface ServerSide {
    readonly options: TlsOptions;
    /** Whose password opened this connection. */
    identityOf(socket: TLSSocket): Identity | undefined;
}

/** @param password of an identity, read at each connection: one that was changed is changed here */
export function serverSide(password: (identity: Identity) => string, note: (line: string) => void): ServerSide {
    const known = new WeakMap<TLSSocket, Identity>();
    return {
        identityOf: (socket) => known.get(socket),
        options: {
            ...suite,
            handshakeTimeout: connectLimit,
            // A resumed session would not ask for the password again.
            secureOptions: constants.SSL_OP_NO_TICKET,
            pskCallback(socket, name) {
                const identity = identities.find((each) => each === name);
                if (identity === undefined) return null;
                try {
                    const psk = key(password(identity));
                    if (psk.length === 0) return null;
                    known.set(socket, identity);
                    return psk;
                } catch (error) {
                    note(`nobody can ask as ${identity}: ${(error as Error).message}`);
                    return null;
                }
            },
        },
    };
}

export const clientSide = (identity: Identity, password: string) => ({
    ...suite,
    pskCallback: () => ({ identity, psk: key(password) }),
    // There is no certificate whose name could be compared: the key is the proof.
    checkServerIdentity: () => undefined,
});
