import assert from "node:assert/strict";
import { DeleteObjectCommand } from "@aws-sdk/client-s3";
import { Catalog } from "../../backup/catalog.ts";
import { createRecord, parseManifest } from "../../backup/vault.ts";
import type { Failure } from "../../model/failure.ts";
import { coordination } from "../../model/names.ts";
import { manifestOf, recoveryPointOf } from "../support/points.ts";
import { at, clientsOf, derived, enterAccount } from "./support/account.ts";

describe("the catalog", function () {
    this.timeout(60_000);
    const store = "shop-mariadb";
    const catalog = new Catalog(at("standby"));
    let leave: () => void;
    before(async () => (leave = await enterAccount()));
    after(() => leave?.());

    async function enter(point: string, startedAt: string): Promise<void> {
        assert.ok(await catalog.enter(recoveryPointOf(manifestOf(point, { store, engine: "mariadb", startedAt }))));
    }

    it("tells points of one second apart by their manifests, not by the random end of their names", async () => {
        await enter("20200101T000000Z-ffff", "2020-01-01T00:00:00.100Z");
        await enter("20200101T000000Z-0000", "2020-01-01T00:00:00.900Z");
        const names = (await catalog.recoveryPoints(store)).map(({ manifest }) => manifest.point);
        assert.deepEqual(names, ["20200101T000000Z-0000", "20200101T000000Z-ffff"]);
        assert.equal((await catalog.newest(store))?.manifest.point, "20200101T000000Z-0000");
        assert.equal(await catalog.newest("another-store"), undefined);
    });

    it("refuses a point that an older release made as text, with what to do", async () => {
        const [point, old] = ["20190101T000000Z-0000", "shop-postgres"];
        const { manifest, ...rest } = recoveryPointOf(manifestOf(point, { store: old }));
        const record = { ...rest, manifest: { ...manifest, version: 1 } };
        const { s3 } = clientsOf("standby");
        await createRecord(s3, derived.coordinationBucket, coordination.catalog(old, point), record);
        await assert.rejects(
            catalog.recoveryPoints(old),
            (error: Failure) => error.exit === "refused" && /older release/.test(error.message),
        );
        assert.throws(() => parseManifest(JSON.stringify(record.manifest), old, point), /a dump as text/);
        await s3.send(new DeleteObjectCommand({ Bucket: derived.coordinationBucket, Key: coordination.catalog(old, point) }));
    });
});
