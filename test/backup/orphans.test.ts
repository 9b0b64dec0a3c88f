import assert from "node:assert/strict";
import { CreateMultipartUploadCommand, ListMultipartUploadsCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { findOrphans } from "../../backup/orphans.ts";
import { newPoint } from "../../backup/point.ts";
import { dataKey } from "../../backup/vault.ts";
import { minutes } from "../../model/units.ts";
import { clientsOf, derived, enterAccount } from "./support/account.ts";

describe("what killed backups leave behind", function () {
    this.timeout(60_000);
    let leave: () => void;
    before(async () => {
        leave = await enterAccount();
    });
    after(() => leave?.());

    it("is found by the next run once nobody can be at it any more, and its uploads are aborted", async () => {
        const { s3 } = clientsOf("primary");
        const Bucket = derived.vaultBucket("primary");
        const [unfinished, foreign] = [dataKey("shop-orphan", newPoint(new Date())), dataKey("shop-orphan-other", newPoint(new Date()))];
        for (const Key of [unfinished, foreign]) await s3.send(new CreateMultipartUploadCommand({ Bucket, Key }));
        const left = newPoint(new Date());
        await s3.send(new PutObjectCommand({ Bucket, Key: dataKey("shop-orphan", left), Body: "x" }));

        const early = await findOrphans(s3, Bucket, "shop-orphan", minutes(10), new Date());
        assert.deepEqual(early, { aborted: [], withoutManifest: [] }, "it may be somebody's who is still at it");

        const later = await findOrphans(s3, Bucket, "shop-orphan", minutes(10), new Date(Date.now() + 11 * 60_000));
        assert.deepEqual(later, { aborted: [unfinished], withoutManifest: [left] });
        const { Uploads } = await s3.send(new ListMultipartUploadsCommand({ Bucket }));
        assert.deepEqual(
            (Uploads ?? []).map(({ Key }) => Key),
            [foreign],
            "another store's upload is not touched",
        );
        // Left for nobody.
        await findOrphans(s3, Bucket, "shop-orphan-other", minutes(10), new Date(Date.now() + 11 * 60_000));
    });
});
