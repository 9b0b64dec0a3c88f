import "reflect-metadata";
import { webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";

/** A certificate for one name that signs itself, for a test's own server. PEM. */
export async function selfSigned(name: string): Promise<{ key: string; certificate: string }> {
    const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
    const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
    const certificate = await x509.X509CertificateGenerator.createSelfSigned(
        {
            name: `CN=${name}`,
            keys,
            signingAlgorithm: algorithm,
            notBefore: new Date(Date.now() - 60_000),
            notAfter: new Date(Date.now() + 3_600_000),
            extensions: [
                new x509.SubjectAlternativeNameExtension([{ type: "dns", value: name }]),
                new x509.BasicConstraintsExtension(true),
            ],
        },
        webcrypto,
    );
    const exported = await webcrypto.subtle.exportKey("pkcs8", keys.privateKey);
    return { key: x509.PemConverter.encode(exported, "PRIVATE KEY"), certificate: certificate.toString("pem") };
}
