import assert from "node:assert/strict";
import fc from "fast-check";
import { randomIdType } from "../../../sandbox/providers/random/id.ts";
import { makePassword, randomPasswordType } from "../../../sandbox/providers/random/password.ts";
import type { Props } from "../../../sandbox/providers/values.ts";

const subject = { urn: "urn:pulumi:s::p::t::n", type: "t", name: "n", timeoutSeconds: 0 };
const nothing = new Uint8Array(8);

describe("a random password", function () {
    this.timeout(60_000);

    const options = fc
        .record({
            upper: fc.boolean(),
            lower: fc.boolean(),
            numeric: fc.boolean(),
            special: fc.boolean(),
            minUpper: fc.nat(3),
            minLower: fc.nat(3),
            minNumeric: fc.nat(3),
            minSpecial: fc.nat(3),
        })
        .filter(({ upper, lower, numeric, special }) => upper || lower || numeric || special)
        .map((one) => ({
            ...one,
            minUpper: one.upper ? one.minUpper : 0,
            minLower: one.lower ? one.minLower : 0,
            minNumeric: one.numeric ? one.minNumeric : 0,
            minSpecial: one.special ? one.minSpecial : 0,
        }));

    it("has its length, its minima, and nothing that is switched off", () => {
        fc.assert(
            fc.property(options, fc.integer({ min: 12, max: 40 }), (chosen, length) => {
                const password = makePassword({ ...chosen, length });
                const count = (of: RegExp) => password.match(of)?.length ?? 0;
                assert.equal(password.length, length);
                for (const [on, minimum, found] of [
                    [chosen.upper, chosen.minUpper, count(/[A-Z]/g)],
                    [chosen.lower, chosen.minLower, count(/[a-z]/g)],
                    [chosen.numeric, chosen.minNumeric, count(/[0-9]/g)],
                    [chosen.special, chosen.minSpecial, count(/[^A-Za-z0-9]/g)],
                ] as const)
                    assert.ok(on ? found >= minimum : found === 0);
            }),
        );
        assert.match(makePassword({ length: 30, upper: false, lower: false, numeric: false, overrideSpecial: "-_" }), /^[-_]{30}$/);
    });

    it("is another each time, and a secret", async () => {
        const made = await Promise.all(Array.from({ length: 50 }, () => randomPasswordType.create(subject, { length: 16 })));
        assert.equal(new Set(made.map(({ state }) => state["result"])).size, 50);
        assert.ok(randomPasswordType.secrets!.includes("result"));
    });

    it("refuses inputs that cannot be met or are not known", () => {
        const wrong = (inputs: Props) => randomPasswordType.check(subject, {}, inputs, nothing).failures.map(({ property }) => property);
        assert.deepEqual(wrong({ length: 12 }), []);
        assert.deepEqual(wrong({}), ["length"]);
        assert.deepEqual(wrong({ length: 3, minUpper: 4 }), ["length"]);
        assert.deepEqual(wrong({ length: 9, upper: false, minUpper: 1 }), ["minUpper"]);
        assert.deepEqual(wrong({ length: 9, upper: false, lower: false, numeric: false, special: false }), ["numeric"]);
        assert.deepEqual(wrong({ length: 9, size: 1 }), ["size"]);
    });
});

describe("a random id", () => {
    it("spells the same bytes four times, and comes back from its id", async () => {
        const { id, state } = await randomIdType.create(subject, { byteLength: 6, prefix: "a-" });
        const bytes = Buffer.from(id, "base64url");
        assert.equal(bytes.length, 6);
        assert.equal(state["hex"], `a-${bytes.toString("hex")}`);
        assert.equal(state["dec"], `a-${BigInt(`0x${bytes.toString("hex")}`)}`);
        const imported = await randomIdType.read(subject, `a-,${id}`, undefined, undefined);
        assert.deepEqual(imported!.inputs, { byteLength: 6, prefix: "a-" });
        assert.equal(imported!.state["b64Url"], state["b64Url"]);
    });
});
