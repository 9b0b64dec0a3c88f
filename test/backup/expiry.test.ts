import assert from "node:assert/strict";
import { GetObjectTaggingCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import fc from "fast-check";
import { Catalog } from "../../backup/catalog.ts";
import { expire, planExpiry, previewExpiry } from "../../backup/expiry.ts";
import { newPoint, timeOf } from "../../backup/point.ts";
import { contentsKey, dataKey, manifestKey } from "../../backup/vault.ts";
import { expiredTag } from "../../model/manifest.ts";
import { minutes, parseDuration } from "../../model/units.ts";
import { manifestOf, recoveryPointOf } from "../support/points.ts";
import { at, clientsOf, derived, enterAccount } from "./support/account.ts";

type State = "verified" | "unverified" | "bad";
const now = new Date("2026-06-30T12:00:00Z");
const day = 86_400_000;
const ago = (ms: number) => newPoint(new Date(now.getTime() - ms));
const retention = { all: parseDuration("2 d"), daily: parseDuration("30 d") };

const states = fc.constantFrom<State>("verified", "unverified", "bad");
const estates = fc
    .array(fc.tuple(fc.integer({ min: 0, max: 60 * day }), states), { maxLength: 60 })
    .map((list) => new Map(list.map(([age, state]) => [ago(age), state] as const)));

describe("what retention gives up", () => {
    it("decides on every point, once", () => {
        fc.assert(
            fc.property(estates, (points) => {
                const plan = planExpiry(points, retention, now);
                assert.deepEqual([...plan.keep.map(({ point }) => point), ...plan.expire].sort(), [...points.keys()].sort());
            }),
        );
    });

    it("never gives up the newest verified point, however old", () => {
        fc.assert(
            fc.property(estates, (points) => {
                const newest = [...points]
                    .filter(([, state]) => state === "verified")
                    .map(([point]) => point)
                    .sort()
                    .at(-1);
                assert.ok(newest === undefined || !planExpiry(points, retention, now).expire.includes(newest));
            }),
        );
    });

    it("never gives up what is young, nor what nobody has verified yet", () => {
        fc.assert(
            fc.property(estates, (points) => {
                for (const point of planExpiry(points, retention, now).expire) {
                    assert.ok(now.getTime() - timeOf(point).getTime() > retention.all * 1000);
                    assert.notEqual(points.get(point), "unverified");
                }
            }),
        );
    });

    it("leaves a verified point of every day that had one, for as long as days are kept", () => {
        fc.assert(
            fc.property(estates, (points) => {
                const kept = new Set(planExpiry(points, retention, now).keep.map(({ point }) => point.slice(0, 8)));
                for (const [point, state] of points)
                    if (state === "verified" && now.getTime() - timeOf(point).getTime() <= retention.daily * 1000 - day)
                        assert.ok(kept.has(point.slice(0, 8)));
            }),
        );
    });

    it("gives nothing more up when it is asked again about what it kept", () => {
        fc.assert(
            fc.property(estates, (points) => {
                const kept = new Map(planExpiry(points, retention, now).keep.map(({ point }) => [point, points.get(point)!]));
                assert.deepEqual(planExpiry(kept, retention, now).expire, []);
            }),
        );
    });

    it("gives nothing up while nothing is verified", () => {
        const points = new Map<string, State>([
            [ago(50 * day), "bad"],
            [ago(40 * day), "unverified"],
        ]);
        assert.deepEqual(planExpiry(points, retention, now).expire, []);
    });
});

describe("the expirer", function () {
    this.timeout(60_000);
    const store = "shop-postgres";
    let leave: () => void;
    before(async () => {
        leave = await enterAccount();
    });
    after(() => leave?.());

    /** A point that is in both vaults, and verified. */
    async function makePoint(age: number): Promise<string> {
        const point = newPoint(new Date(Date.now() - age));
        for (const site of ["primary", "standby"] as const)
            for (const Key of [dataKey(store, point), contentsKey(store, point), manifestKey(store, point)])
                await clientsOf(site).s3.send(new PutObjectCommand({ Bucket: derived.vaultBucket(site), Key, Body: "x" }));
        await new Catalog(at("standby")).enter(recoveryPointOf(manifestOf(point, { store })));
        return point;
    }
    const tagsOf = async (site: "primary" | "standby", Key: string) =>
        (await clientsOf(site).s3.send(new GetObjectTaggingCommand({ Bucket: derived.vaultBucket(site), Key }))).TagSet;

    it("tags what it gives up in both sites, and takes it out of the catalog; a second run finds nothing to do", async () => {
        const old = await makePoint(100 * day);
        const young = await makePoint(minutes(5) * 1000);
        assert.deepEqual((await previewExpiry(at("standby"), store, new Date())).expire, [old]);
        const report = await expire(at("standby"), store, new Date(), () => {});
        assert.deepEqual(report.expire, [old]);
        assert.deepEqual(report.tagged, { primary: 3, standby: 3 });
        for (const site of ["primary", "standby"] as const) {
            for (const key of [dataKey(store, old), contentsKey(store, old), manifestKey(store, old)])
                assert.deepEqual(await tagsOf(site, key), [expiredTag]);
            assert.deepEqual(await tagsOf(site, dataKey(store, young)), []);
        }
        const catalog = new Catalog(at("standby"));
        assert.deepEqual(
            (await catalog.recoveryPoints(store)).map(({ manifest }) => manifest.point),
            [young],
        );
        assert.equal((await catalog.states(store)).find(({ point }) => point === old)?.state, "expired");
        const again = await expire(at("standby"), store, new Date(), () => {});
        assert.deepEqual([again.expire, again.tagged], [[], { primary: 0, standby: 0 }]);
    });
});
