import assert from "node:assert/strict";
import { judgePromotion, promotionTargets, typeOf, type PreviewStep } from "../../model/promotion.ts";

const urn = (type: string, name = "it") => `urn:pulumi:dr::lifeboat::lifeboat:components:Workload$${type}::${name}`;
const deployment = "kubernetes:apps/v1:Deployment";
const update = (type: string, before: object, after: object, more: Partial<PreviewStep> = {}): PreviewStep => ({
    op: "update",
    urn: urn(type),
    oldState: { inputs: before as Record<string, unknown> },
    newState: { inputs: after as Record<string, unknown> },
    ...more,
});
const forbidden = (...steps: PreviewStep[]) => judgePromotion({ steps }).forbidden.map(({ because }) => because);

describe("the promotion diff", () => {
    it("allows pods, schedules and node capacity to change in place", () => {
        const steps = [
            update(deployment, { spec: { replicas: 0 } }, { spec: { replicas: 2 } }),
            update("kubernetes:batch/v1:CronJob", { spec: { suspend: true } }, { spec: { suspend: false } }),
            update(
                "aws:autoscaling/group:Group",
                { minSize: 0 },
                { minSize: 2 },
                { detailedDiff: { minSize: {} }, diffReasons: ["minSize"] },
            ),
        ];
        assert.deepEqual(judgePromotion({ steps }).forbidden, []);
        assert.deepEqual(
            promotionTargets({ steps }),
            steps.map((step) => step.urn),
        );
    });
    it("passes over what stays as it is", () =>
        assert.deepEqual(judgePromotion({ steps: [{ op: "same", urn: urn("aws:iam/role:Role") }] }), { allowed: [], forbidden: [] }));
    it("refuses everything that is made, replaced or deleted, whatever it is", () => {
        for (const op of ["create", "delete", "replace", "create-replacement", "delete-replaced", "import", "something-new"])
            assert.equal(forbidden({ op, urn: urn(deployment) }).length, 1, op);
    });
    it("refuses another property of a type on the list, however it comes to light", () => {
        assert.match(
            forbidden(update(deployment, { spec: { replicas: 0, a: 1 } }, { spec: { replicas: 2, a: 2 } }))[0]!,
            /spec\.a would change/,
        );
        const same = { spec: { replicas: 0 } };
        assert.match(forbidden(update(deployment, same, same, { detailedDiff: { "metadata.labels.x": {} } }))[0]!, /metadata\.labels\.x/);
        assert.match(forbidden(update(deployment, same, same, { diffReasons: ["metadata"] }))[0]!, /metadata/);
        assert.match(forbidden(update(deployment, { spec: { a: [1, 2] } }, { spec: { a: [1, 3] } }))[0]!, /spec\.a\.1/);
    });
    it("refuses types that are not on the list: a database, a record, a role", () => {
        for (const type of ["kubernetes:apps/v1:StatefulSet", "aws:route53/record:Record", "aws:iam/role:Role"])
            assert.match(
                forbidden(update(type, { spec: { replicas: 0 } }, { spec: { replicas: 1 } }))[0]!,
                /may not change in a promotion/,
            );
    });
    it("reads a type off the end of its URN", () => {
        assert.equal(typeOf(urn(deployment)), deployment);
        assert.equal(typeOf("urn:pulumi:dr::lifeboat::aws:route53/zone:Zone::zone"), "aws:route53/zone:Zone");
    });
});
