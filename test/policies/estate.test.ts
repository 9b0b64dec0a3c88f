import assert from "node:assert/strict";
import { rules } from "../../policies/rules.ts";
import type { Resource } from "../../policies/stack.ts";
import { estate, stand } from "../stacks/stand.ts";
import type { Registered } from "../support/program.ts";
import { stack, urn } from "./cases.ts";

/** What the official provider has to tell of a bucket right after it was made, before its settings are: nothing of it was declared. */
const computed: Resource["props"] = {
    versioning: { enabled: false, mfaDelete: false },
    serverSideEncryptionConfiguration: { rule: { applyServerSideEncryptionByDefault: { sseAlgorithm: "AES256" } } },
    objectLockConfiguration: { objectLockEnabled: "Enabled" },
    policy: "",
    requestPayer: "BucketOwner",
};

/** A resource as the pack would be shown it after an update. Mocks know no sources of values, so ids tie resources together. */
function shown({ type, name, inputs }: Registered, of: string): Resource {
    const declared = inputs as Resource["props"];
    const id = String(declared["bucket"] ?? declared["name"] ?? name);
    const props = { ...(type === "aws:s3/bucket:Bucket" && computed), ...declared, id };
    return { urn: urn(type, name, of), type, name, props, declared, from: {} };
}

describe("the stacks of an estate, under the rules", () => {
    // A rule that has nothing to say of a stack would be blind to all of it: prod has no failover record, and may ask its own region.
    const silent = { prod: ["failover-record", "no-primary-lookup"], dr: [] };
    for (const which of ["prod", "dr"] as const)
        it(`break none in ${which}, whatever the provider computes besides`, async () => {
            const { resources } = await stand(which, { active: which === "prod", joined: true });
            const all = stack(...resources.filter(({ custom }) => custom).map((resource) => shown(resource, which)));
            const judged = rules(estate).map(({ name, judge }) => ({ name, verdicts: judge(all) }));
            const wrong = judged.flatMap(({ verdicts }) =>
                verdicts.filter(({ answer }) => answer === "broken" || answer === "cannot tell yet"),
            );
            assert.deepEqual(wrong, []);
            assert.deepEqual(
                judged.filter(({ verdicts }) => verdicts.length === 0).map(({ name }) => name),
                silent[which],
            );
        });
});
