import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { keyVariable, ownFingerprints, ownKeyPath, signingKey, trustedFingerprint } from "../../../recovery/evidence/key.ts";
import { fingerprintOf } from "../../../recovery/evidence/signature.ts";

describe("the key that signs evidence", () => {
    let directory: string;
    const kept = { state: process.env["XDG_STATE_HOME"], variable: process.env[keyVariable] };
    const put = (name: string, value: string | undefined) => {
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
    };
    beforeEach(() => {
        directory = mkdtempSync(join(tmpdir(), "lifeboat-key-"));
        put("XDG_STATE_HOME", directory);
        put(keyVariable, undefined);
    });
    afterEach(() => {
        put("XDG_STATE_HOME", kept.state);
        put(keyVariable, kept.variable);
        rmSync(directory, { recursive: true, force: true });
    });
    const pem = () => generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }).toString();

    it("is made on first use, for its owner's eyes only, and stays", () => {
        assert.deepEqual(ownFingerprints(), []);
        const first = fingerprintOf(signingKey());
        assert.equal(statSync(ownKeyPath()).mode & 0o777, 0o600);
        assert.equal(fingerprintOf(signingKey()), first);
        assert.deepEqual(ownFingerprints(), [first]);
        assert.equal(trustedFingerprint(`${ownKeyPath()}.pub`), first);
        assert.doesNotMatch(readFileSync(`${ownKeyPath()}.pub`, "utf8"), /PRIVATE/);
    });
    it("is the given file before the variable, and the variable before the machine's own", () => {
        const file = join(directory, "ci.pem");
        writeFileSync(file, pem(), { mode: 0o600 });
        const own = fingerprintOf(signingKey());
        put(keyVariable, pem());
        const variable = fingerprintOf(signingKey());
        assert.notEqual(variable, own);
        assert.deepEqual(ownFingerprints(), [variable]);
        assert.equal(fingerprintOf(signingKey(file)), trustedFingerprint(file));
        assert.notEqual(fingerprintOf(signingKey(file)), variable);
    });
    it("is refused when others can read it", () => {
        signingKey();
        chmodSync(ownKeyPath(), 0o640);
        assert.throws(() => signingKey(), /can be read by others/);
    });
    it("is refused when it is none, or of another kind", () => {
        const file = join(directory, "key.pem");
        const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ type: "pkcs8", format: "pem" });
        writeFileSync(file, rsa, { mode: 0o600 });
        assert.throws(() => signingKey(file), /key of rsa, not of Ed25519/);
        writeFileSync(file, "nonsense");
        assert.throws(() => signingKey(file), /holds no private key/);
        assert.throws(() => signingKey(join(directory, "absent")), /cannot be read/);
        put(keyVariable, "nonsense");
        assert.throws(() => signingKey(), /LIFEBOAT_EVIDENCE_KEY holds no private key/);
    });
    it("is trusted by fingerprint or file, and by nothing else", () => {
        const fingerprint = `sha256:${"ab".repeat(32)}`;
        assert.equal(trustedFingerprint(fingerprint), fingerprint);
        assert.throws(() => trustedFingerprint("ab".repeat(32)), /neither a fingerprint nor a key file/);
    });
});
