import assert from "node:assert/strict";
import { Catalog } from "../../backup/catalog.ts";
import type { Manifest } from "../../model/manifest.ts";
import { at, derived, enterAccount } from "./support/account.ts";

describe("the catalog", () => {
    const store = "shop-mariadb";
    const catalog = new Catalog(at("standby"));
    let leave: () => void;
    before(async () => (leave = await enterAccount()));
    after(() => leave?.());

    async function enter(point: string, startedAt: string): Promise<void> {
        const hash = "0".repeat(64);
        const manifest: Manifest = {
            version: 1,
            store,
            engine: "mariadb",
            point,
            site: "primary",
            startedAt,
            finishedAt: startedAt,
            key: `${store}/${point}/data`,
            compression: "zstd",
            encryption: { scheme: "aws-encryption-sdk", keyAlias: derived.envelopeKeyAlias(store) },
            stored: { bytes: 1, sha256: hash },
            dump: { bytes: 1, sha256: hash },
            server: { version: "10.11" },
        };
        assert.ok(await catalog.enter({ manifest, verified: { at: startedAt, site: "standby", seconds: 1 }, copies: 2 }));
    }

    it("tells points of one second apart by their manifests, not by the random end of their names", async () => {
        await enter("20200101T000000Z-ffff", "2020-01-01T00:00:00.100Z");
        await enter("20200101T000000Z-0000", "2020-01-01T00:00:00.900Z");
        const newest = async (moment: string) => (await catalog.newest(store, new Date(moment)))?.manifest.point;
        assert.equal(await newest("2020-01-01T00:00:00.900Z"), "20200101T000000Z-0000");
        assert.equal(await newest("2020-01-01T00:00:00.500Z"), "20200101T000000Z-ffff");
        assert.equal(await newest("2020-01-01T00:00:00.050Z"), undefined);
        assert.equal(await newest("2020-01-01T00:00:05Z"), "20200101T000000Z-0000");
    });
});
