import assert from "node:assert/strict";
import { siteNames } from "../../model/estate.ts";
import { defineEstate } from "../../stores/estate.ts";
import { backupDuties, coordination, names, witnessRegion } from "../../model/names.ts";
import { declaration } from "./declaration.ts";

const estate = defineEstate(declaration());
const name = names(estate, "123456789012");

describe("derived names", () => {
    it("are the same wherever they are asked for", () => {
        assert.equal(name.stateBucket, "shop-lifeboat-state-123456789012");
        assert.equal(name.vaultBucket("standby"), "shop-lifeboat-vault-123456789012-eu-central-1");
        assert.equal(name.siteServiceHost("till", "standby"), "till.eu-central-1.shop.example");
        assert.equal(name.siteStoreHost("ledger", "primary"), "ledger.eu-west-1.shop.example");
        assert.equal(name.serviceHost("till"), "till.shop.example");
    });

    it("of the witness are in its own region, or in the standby's where there is none", () => {
        assert.equal(witnessRegion(estate), "eu-central-1");
        const third = defineEstate(declaration(({ sites }) => (sites.witness = { region: "eu-west-3" })));
        assert.equal(witnessRegion(third), "eu-west-3");
        assert.equal(names(third, "123456789012").witnessBucket, "shop-lifeboat-witness-123456789012-eu-west-3");
    });

    it("fit what AWS allows, for every estate name that is let through", () => {
        for (let length = 2; length <= 31; length++) {
            const longer = declaration((each) => (each.name = "a".repeat(length)));
            if (length > 63 - "-lifeboat-vault-logs-000000000000-eu-central-1".length) {
                assert.throws(() => defineEstate(longer), /name: is too long for a bucket in eu-central-1; use at most 17 letters/);
                continue;
            }
            const derived = names(defineEstate(longer), "123456789012");
            const buckets = [
                derived.stateBucket,
                derived.coordinationBucket,
                derived.witnessBucket,
                ...siteNames.flatMap((site) => [derived.vaultBucket(site), derived.vaultLogBucket(site)]),
            ];
            for (const bucket of buckets) assert.ok(bucket.length <= 63, bucket);
            const roles = siteNames.flatMap((site) => [
                ...backupDuties.map((duty) => derived.backupRole(duty, site)),
                derived.guardRole(site),
                derived.replicationRole(site),
            ]);
            for (const role of [...roles, derived.latchRole, derived.breakGlassRole]) assert.ok(role.length <= 64, role);
        }
    });

    it("of roles differ by site and by duty: IAM is one for all regions", () => {
        const roles = siteNames.flatMap((site) => [
            ...backupDuties.map((duty) => name.backupRole(duty, site)),
            name.guardRole(site),
            name.replicationRole(site),
        ]);
        assert.equal(new Set(roles).size, roles.length);
    });

    it("of journal entries sort by their number", () => {
        const keys = [0, 9, 10, 99, 100, 123_456].map((number) => coordination.journal("20261121T154010Z-9f3c", number));
        assert.deepEqual([...keys].sort(), keys);
    });
});
