import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { Failure } from "../../model/failure.ts";
import { fingerprintOf } from "./signature.ts";

/** Variable that holds the private key itself (PKCS #8, PEM), for CI: a secret there is a variable, not a file. */
export const keyVariable = "LIFEBOAT_EVIDENCE_KEY";

/** Where a person's own key lies: made on first use, and never leaves the machine by us. The public half is beside it, `.pub`. */
export const ownKeyPath = (): string =>
    join(process.env["XDG_STATE_HOME"] || join(homedir(), ".local", "state"), "lifeboat", "evidence.key");

/**
 * The key that signs evidence: the file that is given, else the variable, else the person's own, which is made when there is none.
 * @throws Failure("usage") for what is no Ed25519 private key, Failure("refused") for a file that others can read
 */
export function signingKey(file?: string): KeyObject {
    if (file !== undefined) return readKeyFile(file);
    const variable = process.env[keyVariable];
    if (variable !== undefined && variable !== "") return privateKey(variable, `the variable ${keyVariable}`);
    const own = ownKeyPath();
    if (!existsSync(own)) makeKey(own);
    return readKeyFile(own);
}

/** Fingerprints of the keys that count when nobody names one: the one that would sign here. None before the first signature. */
export function ownFingerprints(): string[] {
    return process.env[keyVariable] || existsSync(ownKeyPath()) ? [fingerprintOf(signingKey())] : [];
}

/**
 * Whom a reader trusts: a fingerprint as it is, or that of a key file (PEM, public or private half).
 * @throws Failure("usage") for anything else
 */
export function trustedFingerprint(named: string): string {
    if (/^sha256:[0-9a-f]{64}$/.test(named)) return named;
    try {
        return fingerprintOf(createPublicKey(readFileSync(named)));
    } catch (error) {
        throw new Failure(
            "usage",
            `"${named}" is neither a fingerprint nor a key file`,
            "write sha256: and 64 hex digits, or the path of a PEM file",
            { cause: error },
        );
    }
}

function readKeyFile(file: string): KeyObject {
    let text: string;
    try {
        if ((statSync(file).mode & 0o077) !== 0)
            throw new Failure(
                "refused",
                `the key ${file} can be read by others, so anybody could have signed with it`,
                `chmod 600 '${file}'`,
            );
        text = readFileSync(file, "utf8");
    } catch (error) {
        if (error instanceof Failure) throw error;
        throw new Failure("usage", `the key ${file} cannot be read`, "name a file that holds an Ed25519 private key", { cause: error });
    }
    return privateKey(text, file);
}

function privateKey(text: string, from: string): KeyObject {
    const next = "make one with: openssl genpkey -algorithm ed25519";
    let key: KeyObject;
    try {
        key = createPrivateKey(text);
    } catch (error) {
        throw new Failure("usage", `${from} holds no private key`, next, { cause: error });
    }
    if (key.asymmetricKeyType !== "ed25519")
        throw new Failure("usage", `${from} holds a key of ${key.asymmetricKeyType}, not of Ed25519`, next);
    return key;
}

/** Makes a key pair that is whole or not there, also when two processes are at it: the first one's stays. */
function makeKey(path: string): void {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const { privateKey, publicKey } = generateKeyPairSync("ed25519");
    const draft = `${path}.${process.pid}`;
    writeFileSync(draft, privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600, flag: "wx" });
    try {
        linkSync(draft, path);
        writeFileSync(`${path}.pub`, publicKey.export({ type: "spki", format: "pem" }));
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    } finally {
        rmSync(draft);
    }
}
