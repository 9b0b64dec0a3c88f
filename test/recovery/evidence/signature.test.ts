import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import fc from "fast-check";
import { checkSignature, fingerprintOf, signBytes } from "../../../recovery/evidence/signature.ts";

const key = generateKeyPairSync("ed25519").privateKey;
const other = generateKeyPairSync("ed25519").privateKey;
const trusted = [fingerprintOf(key)];
const bytes = Buffer.from('{"verdict": "FAIL"}\n');
const signature = JSON.stringify(signBytes(bytes, key));

describe("a signature of evidence", () => {
    it("holds for the very bytes, by a key that is trusted", () => {
        assert.deepEqual(checkSignature(bytes, signature, trusted), { state: "holds", fingerprint: trusted[0] });
    });
    it("does not hold when any one bit of the file is another", () => {
        fc.assert(
            fc.property(fc.nat(bytes.length - 1), fc.nat(7), (at, bit) => {
                const changed = Buffer.from(bytes);
                changed[at]! ^= 1 << bit;
                assert.equal(checkSignature(changed, signature, trusted).state, "damaged");
            }),
        );
    });
    it("of another key is whole, and counts for nothing until that key is named", () => {
        const forged = JSON.stringify(signBytes(bytes, other));
        assert.deepEqual(checkSignature(bytes, forged, trusted), { state: "another key", fingerprint: fingerprintOf(other) });
        assert.deepEqual(checkSignature(bytes, forged, []).state, "another key");
        assert.equal(checkSignature(bytes, forged, [...trusted, fingerprintOf(other)]).state, "holds");
    });
    it("is judged by its key, not by the fingerprint that it claims", () => {
        const forged = JSON.stringify({ ...signBytes(bytes, other), fingerprint: trusted[0] });
        assert.equal(checkSignature(bytes, forged, trusted).state, "another key");
    });
    it("cannot be lent the key of somebody who is trusted", () => {
        const { publicKey } = signBytes(bytes, key);
        assert.equal(checkSignature(bytes, JSON.stringify({ ...signBytes(bytes, other), publicKey }), trusted).state, "damaged");
    });
    it("that is missing, cut off or of another kind is none", () => {
        assert.equal(checkSignature(bytes, undefined, trusted).state, "unsigned");
        const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey.export({ type: "spki", format: "pem" });
        for (const text of ["", signature.slice(0, -9), JSON.stringify({ ...signBytes(bytes, key), publicKey: rsa })])
            assert.equal(checkSignature(bytes, text, trusted).state, "no signature");
    });
});
