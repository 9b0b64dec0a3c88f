import assert from "node:assert/strict";
import { EncryptionKey } from "../../components/encryption-key.ts";
import { account, record } from "../support/program.ts";

const users = { account, encrypt: ["writer"], decrypt: ["reader"] };

describe("EncryptionKey", () => {
    it("is born multi-region, rotated, protected, under its alias", async () => {
        const { one, result } = await record({}, () => new EncryptionKey("k", { alias: "alias/k", description: "d", users }));
        const key = one("aws:kms/key:Key", "k");
        assert.equal(key.inputs["multiRegion"], true);
        assert.equal(key.inputs["enableKeyRotation"], true);
        assert.equal(key.options.protect, true);
        assert.equal(one("aws:kms/alias:Alias").inputs["targetKeyId"], "mrk-k");
        assert.ok(result.nodes.key);
    });
});
