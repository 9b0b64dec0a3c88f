import assert from "node:assert/strict";
import fc from "fast-check";
import { arnLike, evaluateConditions, like, unknownKey, type Conditions } from "../../../sandbox/aws/conditions.ts";
import { evaluate, type PolicyDocument, type Principal, type Statement } from "../../../sandbox/aws/policies.ts";

const account = "123456789012";
const role: Principal = { arn: `arn:aws:iam::${account}:role/writer`, account, session: `arn:aws:sts::${account}:assumed-role/writer/pod` };
const context = (values: Record<string, readonly string[] | undefined>) => (key: string) =>
    Object.hasOwn(values, key) ? values[key] : unknownKey;
const policy = (...Statement: Statement[]): PolicyDocument => ({ Statement });
const allow = (Action: string, Resource: string, more: Partial<Statement> = {}): Statement => ({
    Effect: "Allow",
    Action,
    Resource,
    ...more,
});
const deny = (Action: string, Resource: string, more: Partial<Statement> = {}): Statement => ({
    Effect: "Deny",
    Action,
    Resource,
    ...more,
});
const request = (action: string, resource: string, values: Record<string, readonly string[] | undefined> = {}) => ({
    principal: role,
    action,
    resource,
    context: context(values),
});

describe("wildcards of policies", function () {
    this.timeout(20_000);
    it("match as the regular expression would that they stand for", () => {
        const text = fc.string({ unit: fc.constantFrom("a", "b", "/"), maxLength: 12 });
        const pattern = fc.string({ unit: fc.constantFrom("a", "b", "/", "*", "?"), maxLength: 8 });
        fc.assert(
            fc.property(pattern, text, (glob, value) => {
                const expression = new RegExp(`^${glob.replaceAll("*", "[^]*").replaceAll("?", "[^]")}$`);
                assert.equal(like(glob, value), expression.test(value));
            }),
            { numRuns: 500 },
        );
    });
    it("do not reach across the parts of an ARN", () => {
        assert.ok(arnLike("arn:aws:iam::*:role/backup-*", `arn:aws:iam::${account}:role/backup-writer`));
        assert.ok(!arnLike("arn:aws:iam::*:role/backup-*", `arn:aws:sts::${account}:role/backup-writer`));
        assert.ok(!arnLike("arn:*", `arn:aws:iam::${account}:role/x`));
    });
});

describe("conditions", () => {
    const outcome = (conditions: Conditions, values: Record<string, readonly string[] | undefined>) =>
        evaluateConditions(conditions, context(values));
    const matches = (conditions: Conditions, values: Record<string, readonly string[] | undefined>) => {
        const { matches, unknown } = outcome(conditions, values);
        assert.deepEqual(unknown, []);
        return matches;
    };
    it("need every operator and key, and any one of the values", () => {
        const conditions = { StringEquals: { a: ["1", "2"], b: "3" }, StringLike: { c: "x*" } };
        assert.ok(matches(conditions, { a: ["2"], b: ["3"], c: ["xyz"] }));
        assert.ok(!matches(conditions, { a: ["2"], b: ["4"], c: ["xyz"] }));
        assert.ok(!matches(conditions, { a: ["2"], b: ["3"], c: ["yx"] }));
    });
    it("treat a key that the request does not have as AWS does", () => {
        const absent = { k: undefined };
        assert.ok(!matches({ StringEquals: { k: "v" } }, absent));
        assert.ok(matches({ StringNotEquals: { k: "v" } }, absent));
        assert.ok(matches({ StringEqualsIfExists: { k: "v" } }, absent));
        assert.ok(!matches({ StringEqualsIfExists: { k: "v" } }, { k: ["w"] }));
        assert.ok(matches({ Null: { k: "true" } }, absent));
        assert.ok(!matches({ Null: { k: true } }, { k: ["v"] }));
        assert.ok(matches({ Null: { k: "false" } }, { k: ["v"] }));
        assert.ok(matches({ "ForAllValues:StringEquals": { k: "v" } }, absent));
        assert.ok(!matches({ "ForAnyValue:StringEquals": { k: "v" } }, absent));
    });
    it("hold sets of values to the quantifier", () => {
        assert.ok(matches({ "ForAnyValue:StringEquals": { k: ["a", "b"] } }, { k: ["b", "c"] }));
        assert.ok(!matches({ "ForAllValues:StringEquals": { k: ["a", "b"] } }, { k: ["b", "c"] }));
        assert.ok(!matches({ StringNotEquals: { k: ["a", "b"] } }, { k: ["b"] }));
    });
    it("compare numbers and truth as such", () => {
        assert.ok(matches({ NumericLessThan: { k: "1.2" } }, { k: ["1.10"] }));
        assert.ok(!matches({ NumericGreaterThanEquals: { k: "10" } }, { k: ["9"] }));
        assert.ok(matches({ Bool: { k: "false" } }, { k: ["False"] }));
    });
    it("name what they do not know", () => {
        assert.deepEqual(outcome({ DateLessThan: { k: "2030-01-01" } }, { k: ["x"] }).unknown, ["DateLessThan k"]);
        assert.deepEqual(outcome({ StringEquals: { other: "v" } }, {}).unknown, ["StringEquals other"]);
        assert.deepEqual(outcome({ StringEquals: { k: "${aws:username}" } }, { k: ["v"] }).unknown, ["StringEquals k"]);
    });
});

describe("decisions", () => {
    const put = request("s3:PutObject", "arn:aws:s3:::vault/orders/1");
    const decide = (identity: PolicyDocument[], resource?: PolicyDocument, resourceMustAllow = false, asked = put) =>
        evaluate(asked, { identity, resource, resourceMustAllow });

    it("deny by default", () => {
        assert.deepEqual(decide([]), { allowed: false, reason: "no identity-based policy allows the action", unknown: [] });
        assert.equal(decide([policy(allow("s3:GetObject", "*"))]).allowed, false);
        assert.equal(decide([policy(allow("s3:PutObject", "arn:aws:s3:::vault"))]).allowed, false);
    });
    it("allow what a statement covers, actions whatever their case", () => {
        assert.ok(decide([policy(allow("S3:put*", "arn:aws:s3:::vault/*"))]).allowed);
        assert.ok(decide([policy({ Effect: "Allow", NotAction: "iam:*", Resource: ["arn:aws:s3:::vault/orders/?"] })]).allowed);
        assert.ok(!decide([policy({ Effect: "Allow", NotAction: "s3:Put*", Resource: "*" })]).allowed);
    });
    it("let an explicit deny win, wherever it stands", () => {
        assert.match(decide([policy(allow("*", "*")), policy(deny("s3:*", "*"))]).reason, /explicit deny in an identity/);
        const bucket = policy(deny("s3:PutObject", "*", { Principal: "*" }));
        assert.match(decide([policy(allow("*", "*"))], bucket).reason, /explicit deny in a resource/);
    });
    it("never allow more when a deny is added", () => {
        const statement = fc.record({
            Effect: fc.constantFrom("Allow" as const, "Deny" as const),
            Action: fc.constantFrom("*", "s3:*", "s3:PutObject", "s3:GetObject"),
            Resource: fc.constantFrom("*", "arn:aws:s3:::vault/*", "arn:aws:s3:::other/*"),
        });
        fc.assert(
            fc.property(fc.array(statement, { maxLength: 6 }), statement, (statements, extra) => {
                const without = decide([policy(...statements)]).allowed;
                const withDeny = decide([policy(...statements, { ...extra, Effect: "Deny" })]).allowed;
                assert.ok(without || !withDeny);
            }),
        );
    });
    it("take what they do not know for the worst", () => {
        const unknown = { Condition: { IpAddress: { "aws:SourceIp": "10.0.0.0/8" } } };
        const cannotTell = decide([policy(allow("*", "*", unknown))]);
        assert.deepEqual([cannotTell.allowed, cannotTell.unknown.length], [false, 1]);
        assert.equal(decide([policy(allow("*", "*"), deny("s3:*", "*", unknown))]).allowed, false);
        assert.ok(decide([policy(allow("*", "*"), deny("kms:*", "*", unknown))]).allowed);
    });
    it("need a key's own policy to let the account or the caller in", () => {
        const decrypt = request("kms:Decrypt", "arn:aws:kms:us-west-2:123456789012:key/k");
        const own = [policy(allow("kms:Decrypt", "*"))];
        const root = policy(allow("kms:*", "*", { Principal: { AWS: `arn:aws:iam::${account}:root` } }));
        const direct = policy(allow("kms:Decrypt", "*", { Principal: { AWS: [role.arn] } }));
        assert.equal(decide(own, undefined, true, decrypt).allowed, false);
        assert.ok(decide(own, root, true, decrypt).allowed);
        assert.equal(decide([], root, true, decrypt).allowed, false);
        assert.ok(decide([], direct, true, decrypt).allowed);
        assert.equal(
            decide([], policy(allow("kms:Decrypt", "*", { Principal: { AWS: `arn:aws:iam::${account}:role/other` } })), true, decrypt)
                .allowed,
            false,
        );
    });
    it("let a bucket's policy allow a caller that it names, but not all of its own account", () => {
        assert.ok(decide([], policy(allow("s3:*", "*", { Principal: { AWS: role.session! } }))).allowed);
        assert.equal(decide([], policy(allow("s3:*", "*", { Principal: { AWS: account } }))).allowed, false);
        assert.equal(decide([], policy(allow("s3:*", "*", { Principal: { Service: "logging.s3.amazonaws.com" } }))).allowed, false);
    });
});
