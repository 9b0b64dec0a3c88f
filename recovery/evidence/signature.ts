import { createHash, createPublicKey, sign, verify, type KeyObject } from "node:crypto";
import { z } from "zod";

/**
 * A detached signature, beside the file that it is of (`FILE.sig`): Ed25519 (RFC 8032) over the file's exact bytes, base64. It brings the public key along, so
 * that damage can be told from another signer; whom to trust is for the reader to say, by the key's fingerprint.
 */
export const signatureDocument = z.strictObject({
    version: z.literal(1),
    algorithm: z.literal("Ed25519"),
    /** SPKI, PEM. */
    publicKey: z.string(),
    fingerprint: z.string().regex(/^sha256:[0-9a-f]{64}$/),
    signature: z.base64(),
});
export type SignatureDocument = z.output<typeof signatureDocument>;

/** `sha256:` and the SHA-256 of the public key (SPKI, DER) in hex. Of a private key: that of its public half. */
export function fingerprintOf(key: KeyObject): string {
    const half = key.type === "private" ? createPublicKey(key) : key;
    return `sha256:${createHash("sha256")
        .update(half.export({ type: "spki", format: "der" }))
        .digest("hex")}`;
}

/** @param key an Ed25519 private key */
export function signBytes(bytes: Buffer, key: KeyObject): SignatureDocument {
    return {
        version: 1,
        algorithm: "Ed25519",
        publicKey: createPublicKey(key).export({ type: "spki", format: "pem" }).toString(),
        fingerprint: fingerprintOf(key),
        signature: sign(null, bytes, key).toString("base64"),
    };
}

/** A signature as it lies in its file. */
export const signatureText = (document: SignatureDocument): string => `${JSON.stringify(document, undefined, 2)}\n`;

/** What a signature says of a file. Only `holds` is good. */
export type Finding =
    | { state: "holds"; fingerprint: string }
    | { state: "unsigned" }
    | { state: "no signature"; reason: string }
    /** The bytes are not those that were signed, or the signature is not this key's. */
    | { state: "damaged"; fingerprint: string }
    /** Whole, and signed by somebody whom the reader did not name. */
    | { state: "another key"; fingerprint: string };

/**
 * @param signature text of the `.sig` file, undefined when there is none
 * @param trusted fingerprints of the keys whose signature counts
 */
export function checkSignature(bytes: Buffer, signature: string | undefined, trusted: readonly string[]): Finding {
    if (signature === undefined) return { state: "unsigned" };
    let document: SignatureDocument;
    let key: KeyObject;
    try {
        document = signatureDocument.parse(JSON.parse(signature));
        key = createPublicKey(document.publicKey);
        if (key.asymmetricKeyType !== "ed25519") throw new Error(`its key is ${key.asymmetricKeyType}, not Ed25519`);
    } catch (error) {
        return { state: "no signature", reason: error instanceof z.ZodError ? z.prettifyError(error) : (error as Error).message };
    }
    // The key's own fingerprint: what the document claims to be is nobody's word.
    const fingerprint = fingerprintOf(key);
    if (!verify(null, bytes, key, Buffer.from(document.signature, "base64"))) return { state: "damaged", fingerprint };
    return { state: trusted.includes(fingerprint) ? "holds" : "another key", fingerprint };
}

/** A finding in words. */
export function tellFinding(finding: Finding): string {
    switch (finding.state) {
        case "holds":
            return `signed by ${finding.fingerprint}`;
        case "unsigned":
            return "not signed: there is no .sig file beside it";
        case "no signature":
            return `its .sig file is no signature: ${finding.reason}`;
        case "damaged":
            return `damaged: it is not what ${finding.fingerprint} signed`;
        case "another key":
            return `signed by another key, ${finding.fingerprint}: whole, and nobody whom you trust vouches for it`;
    }
}
