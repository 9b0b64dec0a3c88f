import { createPublicKey, verify } from "node:crypto";
import { readFileSync } from "node:fs";

export interface Claims {
    readonly iss: string;
    readonly sub: string;
    readonly aud: readonly string[];
    /** Seconds since 1970. */
    readonly exp: number;
}

export type TokenFault = { readonly code: "InvalidIdentityToken" | "ExpiredTokenException"; readonly why: string };

/** Reads a token's claims without believing them. @returns undefined when it is no JWT with the claims that STS needs */
export function readClaims(token: string): Claims | undefined {
    try {
        const claims = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()) as Record<string, unknown>;
        const { iss, sub, aud, exp } = claims;
        if (typeof iss !== "string" || typeof sub !== "string" || typeof exp !== "number") return undefined;
        return { iss, sub, aud: Array.isArray(aud) ? aud.map(String) : [String(aud)], exp };
    } catch {
        return undefined;
    }
}

/**
 * Verifies a service-account token as STS does: signed by its issuer, not expired. In life STS fetches the issuer's key set; here it is the file that the cluster signs for.
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html (RS256 and ES256 families only)
 * @param keyFile PEM of the issuer's public key; undefined: the issuer is not a cluster of the sandbox
 * @param now seconds since 1970
 */
export function checkToken(token: string, keyFile: string | undefined, now: number): Claims | TokenFault {
    const claims = readClaims(token);
    if (!claims) return { code: "InvalidIdentityToken", why: "The ID Token provided is not a valid JWT." };
    if (keyFile === undefined) return { code: "InvalidIdentityToken", why: `No OpenIDConnect provider's key is known for ${claims.iss}` };
    const [header = "", payload = "", signature = ""] = token.split(".");
    const key = createPublicKey(readFileSync(keyFile));
    const { alg } = JSON.parse(Buffer.from(header, "base64url").toString()) as { alg?: string };
    const fits = (alg === "RS256" && key.asymmetricKeyType === "rsa") || (alg === "ES256" && key.asymmetricKeyType === "ec");
    const signed =
        fits &&
        verify("sha256", Buffer.from(`${header}.${payload}`), { key, dsaEncoding: "ieee-p1363" }, Buffer.from(signature, "base64url"));
    if (!signed)
        return {
            code: "InvalidIdentityToken",
            why: "Couldn't retrieve verification key from your identity provider: the signature does not verify",
        };
    if (claims.exp <= now) return { code: "ExpiredTokenException", why: "Token expired" };
    return claims;
}
