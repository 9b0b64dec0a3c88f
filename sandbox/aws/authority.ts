import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import { webcrypto } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const systemBundle = "/etc/ssl/certs/ca-certificates.crt";
const day = 24 * 3600 * 1000;

export interface AuthorityOptions {
    /** Regions whose endpoints the gate stands for, as in "us-west-2". */
    readonly regions: readonly string[];
    /** The hosted zone's name: load balancers answer HTTPS for it. */
    readonly domain: string;
    /** What clients trusted before. @default the system's bundle */
    readonly trusted?: string;
}

/** Names of AWS endpoints. A wildcard stands for one label, so bucket hosts need names of their own (bucket names with dots have none, as in life). */
export const endpointNames = (regions: readonly string[]): string[] => [
    "*.amazonaws.com",
    "*.s3.amazonaws.com",
    ...regions.flatMap((region) => [`*.${region}.amazonaws.com`, `*.s3.${region}.amazonaws.com`, `*.s3.dualstack.${region}.amazonaws.com`]),
];

/** Names that load balancers answer for: services by the zone's name, and by site below their region's. */
export const serviceNames = (regions: readonly string[], domain: string): string[] => [
    `*.${domain}`,
    ...regions.map((region) => `*.${region}.${domain}`),
];

/**
 * Makes the sandbox's certificate authority and the two certificates that it stands behind:
 * `ca/ca.pem`, `ca/bundle.pem` (what was trusted before, and ca.pem), `ca/gate.{pem,key}` (AWS endpoints), `ca/service.{pem,key}` (the zone).
 * The authority's own key is thrown away, so nothing else can ever be signed with it. Valid for 30 days.
 */
export async function makeAuthority(directory: string, options: AuthorityOptions): Promise<void> {
    const target = join(directory, "ca");
    await mkdir(target, { recursive: true });
    const keys = await generateKeys();
    const authority = await x509.X509CertificateGenerator.createSelfSigned({
        name: "CN=Lifeboat sandbox",
        keys,
        signingAlgorithm: algorithm,
        ...validity(),
        extensions: [
            new x509.BasicConstraintsExtension(true, 0, true),
            new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
            await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
        ],
    });
    const pem = `${authority.toString("pem")}\n`;
    await writeFile(join(target, "ca.pem"), pem);
    await writeFile(join(target, "bundle.pem"), `${await readFile(options.trusted ?? systemBundle, "utf8")}\n${pem}`);
    const issue = async (name: string, dns: string[]) => {
        const own = await generateKeys();
        const certificate = await x509.X509CertificateGenerator.create({
            subject: `CN=${dns[0]!.replace("*", "wildcard")}`,
            issuer: authority.subject,
            signingKey: keys.privateKey,
            publicKey: own.publicKey,
            signingAlgorithm: algorithm,
            ...validity(),
            extensions: [
                new x509.BasicConstraintsExtension(false, undefined, true),
                new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
                new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
                new x509.SubjectAlternativeNameExtension(dns.map((value) => ({ type: "dns", value }))),
                await x509.AuthorityKeyIdentifierExtension.create(authority.publicKey),
            ],
        });
        const secret = await webcrypto.subtle.exportKey("pkcs8", own.privateKey);
        await writeFile(join(target, `${name}.key`), `${x509.PemConverter.encode(secret, "PRIVATE KEY")}\n`, { mode: 0o600 });
        await writeFile(join(target, `${name}.pem`), `${certificate.toString("pem")}\n${pem}`);
    };
    await issue("gate", endpointNames(options.regions));
    await issue("service", serviceNames(options.regions, options.domain));
}

const generateKeys = () => webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);

/** From a day ago, for clients whose clocks are behind. */
function validity() {
    const now = Date.now();
    return { notBefore: new Date(now - day), notAfter: new Date(now + 30 * day) };
}
