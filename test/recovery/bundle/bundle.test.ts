import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { existsSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bundlesKept, releaseKeys } from "../../../model/bundle.ts";
import { Failure } from "../../../model/failure.ts";
import { getScript } from "../../../recovery/bundle/get-script.ts";
import { readReleases } from "../../../recovery/bundle/publish.ts";
import { verifyBundle } from "../../../recovery/bundle/verify.ts";
import { fingerprintOf } from "../../../recovery/evidence/signature.ts";
import { startAccount, type Account } from "../account.ts";
import { account, key, makeShelf, scratchDirectory, textLayer, type Shelf } from "./shelf.ts";

const program = (text: string) => ({
    name: "program",
    entries: [
        { path: "lifeboat", content: { text: `#!/bin/sh\necho ${text}\n` }, executable: true },
        { path: "link", content: { link: "lifeboat" } },
        { path: `deep/${"long/".repeat(40)}file`, content: { text } },
    ],
});
const verify = (shelf: Shelf, trusted = [fingerprintOf(key)]) =>
    verifyBundle({ estate: shelf.estate, account, trusted, signal: new AbortController().signal, note: () => {} });
const hours = (count: number) => new Date(Date.now() + count * 3_600_000);

describe("a bundle in the standby's release bucket", function () {
    this.timeout(120_000);
    let moto: Account;
    const scratch = scratchDirectory();
    const outside = { ...process.env };
    before(async () => {
        moto = await startAccount();
        Object.assign(process.env, moto.env);
    });
    after(async () => {
        process.env = outside;
        await moto.stop();
        rmSync(scratch, { recursive: true });
    });

    it("comes out of `get.sh` as it was put, with modes and links, checked, and says what to type next", async () => {
        const shelf = await makeShelf("whole", scratch);
        const { bundle } = await shelf.publish([program("hello"), textLayer("node", "n")]);
        const { code, stderr, cwd } = await shelf.get();
        assert.equal(code, 0, stderr);
        const root = join(cwd, `lifeboat-${bundle.slice(0, 12)}`);
        assert.deepEqual(readdirSync(cwd), [`lifeboat-${bundle.slice(0, 12)}`]);
        assert.deepEqual(readdirSync(root).sort(), ["bundle.json", "bundle.json.sig", "deep", "lifeboat", "link", "node"]);
        assert.equal(statSync(join(root, "lifeboat")).mode & 0o777, 0o755);
        assert.equal(readFileSync(join(root, "link"), "utf8"), "#!/bin/sh\necho hello\n");
        assert.equal(readFileSync(join(root, "deep", "long/".repeat(40), "file"), "utf8"), "hello");
        assert.match(stderr, /release 0\.1\.0 abc is in .*\n {2}next: cd lifeboat-\w+ && .*lifeboat status/);
        const again = await shelf.get({ cwd });
        assert.match(again.stderr, /is here already/);
        assert.equal(again.code, 0);
    });

    it("is the same one when nothing has changed, and puts only the layer that did", async () => {
        const shelf = await makeShelf("again", scratch);
        const layers = [program("one"), textLayer("node", "n")];
        const first = await shelf.publish(layers);
        const second = await shelf.publish(layers.toReversed().toReversed());
        assert.equal(second.bundle, first.bundle);
        assert.equal(second.uploaded, 0);
        const third = await shelf.publish([program("two"), textLayer("node", "n")]);
        assert.equal(third.uploaded, third.manifest.layers[0]?.bytes);
        assert.deepEqual(
            (await shelf.record()).bundles.map(({ bundle }) => bundle),
            [third.bundle, first.bundle],
        );
    });

    it("keeps the newest, and deletes what none of them needs once it is a day old", async () => {
        const shelf = await makeShelf("old", scratch);
        const put = [];
        for (let number = 0; number <= bundlesKept; number += 1)
            put.push(await shelf.publish([program(`release ${number}`), textLayer("node", "n")]));
        const [first, second] = put;
        assert.deepEqual(
            put.map(({ deleted }) => deleted),
            put.map(() => 0),
        );
        const last = await shelf.publish([program("release last"), textLayer("node", "n")], hours(25));
        assert.equal(last.deleted, 6, "manifest, signature and program of the first two, and not the layer that all share");
        for (const gone of [first, second]) await assert.rejects(shelf.read(releaseKeys.manifest(gone!.bundle)), { name: "NoSuchKey" });
        assert.equal((await shelf.get()).code, 0);
        assert.equal((await shelf.record()).bundles.length, bundlesKept);
    });

    it("is there with the other one when two are put at once", async () => {
        const shelf = await makeShelf("race", scratch);
        const both = await Promise.all(["one", "two"].map((text) => shelf.publish([program(text)])));
        assert.deepEqual((await shelf.record()).bundles.map(({ bundle }) => bundle).sort(), both.map(({ bundle }) => bundle).sort());
        assert.equal((await shelf.get()).code, 0);
    });

    describe("that is not right", () => {
        let shelf: Shelf;
        let older: string;
        let bundle: string;
        let layers: { sha256: string }[];
        let made = 0;
        beforeEach(async () => {
            shelf = await makeShelf(`bad-${(made += 1)}`, scratch);
            older = (await shelf.publish([program("older")])).bundle;
            const published = await shelf.publish([program("newer"), textLayer("node", "n")]);
            ({ bundle } = published);
            layers = published.manifest.layers;
        });
        const layerKey = (index: number) => releaseKeys.layer(layers[index]!.sha256);
        const cases: [string, RegExp, () => Promise<void>][] = [
            [
                "cut off",
                /layer \w{64} of bundle \w{64} is damaged, cut off or swapped: 40 bytes/,
                async () => shelf.put(layerKey(0), (await shelf.read(layerKey(0))).subarray(0, 40)),
            ],
            ["swapped", /is damaged, cut off or swapped/, async () => shelf.put(layerKey(0), await shelf.read(layerKey(1)))],
            ["lacking a layer", /layer \w{64} of bundle \w{64} is missing/, () => shelf.delete(layerKey(1))],
            [
                "changed in its manifest",
                /the manifest of bundle \w{64} is damaged or swapped/,
                () => shelf.put(releaseKeys.manifest(bundle), "{}"),
            ],
            [
                "with the manifest of another one",
                /the manifest of bundle \w{64} is damaged or swapped/,
                async () => shelf.put(releaseKeys.manifest(bundle), await shelf.read(releaseKeys.manifest(older))),
            ],
            ["lacking its manifest", /bundle \w{64} has no manifest/, () => shelf.delete(releaseKeys.manifest(bundle))],
        ];
        for (const [what, message, harm] of cases)
            it(`${what}: ends with 1, unpacks nothing, and names the one before it, which comes out`, async () => {
                await harm();
                const { code, stderr, cwd } = await shelf.get();
                assert.equal(code, 1, stderr);
                assert.match(stderr, message);
                assert.match(stderr, new RegExp(`\n  next: take the one before it: .*sh -s -- ${older}`));
                assert.deepEqual(readdirSync(cwd), []);
                assert.equal((await shelf.get({ args: [older], cwd })).code, 0);
                assert.ok(existsSync(join(cwd, `lifeboat-${older.slice(0, 12)}`, "lifeboat")));
                await assert.rejects(
                    verify(shelf),
                    (error: unknown) => error instanceof Failure && error.exit === "no" && message.test(error.message),
                );
            });

        it("is mended by putting it again, though the damaged layer is as long as it was", async () => {
            const layer = await shelf.read(layerKey(0));
            layer[layer.length >> 1]! ^= 1;
            await shelf.put(layerKey(0), layer);
            assert.equal((await shelf.get()).code, 1);
            const again = await shelf.publish([program("newer"), textLayer("node", "n")]);
            assert.deepEqual([again.bundle, again.uploaded], [bundle, again.manifest.layers[0]?.bytes]);
            assert.equal((await shelf.get()).code, 0);
        });

        it("because its record is none: both ways to it end with 1", async () => {
            await shelf.put(releaseKeys.current, "nonsense");
            const { code, stderr } = await shelf.get();
            assert.deepEqual([code, /current\.json in \S+ names no bundle/.test(stderr)], [1, true], stderr);
            await assert.rejects(readReleases(shelf.estate, account), (error: unknown) => error instanceof Failure && error.exit === "no");
        });

        it("because another estate's lies in its place", async () => {
            const other = await makeShelf(`${shelf.estate.name}-other`, scratch);
            const theirs = await other.publish([program("theirs")]);
            await shelf.put(releaseKeys.manifest(theirs.bundle), await other.read(releaseKeys.manifest(theirs.bundle)));
            await shelf.put(releaseKeys.current, JSON.stringify({ ...(await other.record()) }, undefined, 2));
            const { code, stderr } = await shelf.get();
            assert.deepEqual([code, /is of the estate \S+-other, not of/.test(stderr)], [1, true], stderr);
        });

        it("because somebody changed get.sh: --verify compares it first and runs nothing of it", async () => {
            const witness = join(scratch, `${shelf.estate.name}-ran`);
            await shelf.put(releaseKeys.get, `#!/bin/sh\ntouch ${witness}\n`);
            await assert.rejects(
                verify(shelf),
                (error: unknown) => error instanceof Failure && /get\.sh in \S+ is not that of this release/.test(error.message),
            );
            assert.ok(!existsSync(witness));
        });

        const launcher = (script: string) => ({
            name: "program",
            entries: [{ path: "lifeboat", content: { text: `#!/bin/sh\n${script}\n` }, executable: true }],
        });
        const started = () => join(scratch, `${shelf.estate.name}-started`);
        const unvouched: [string, RegExp, RegExp, () => Promise<unknown>][] = [
            ["nobody signed it", /not signed/, /put a new one/, () => shelf.delete(releaseKeys.signature(bundle))],
            [
                "its signature is of another bundle",
                /damaged: it is not what sha256:\w{64} signed/,
                /put a new one/,
                async () => shelf.put(releaseKeys.signature(bundle), await shelf.read(releaseKeys.signature(older))),
            ],
            [
                "somebody else released it, who may write the bucket",
                /signed by another key, sha256:\w{64}/,
                /--trusted FINGERPRINT/,
                () => shelf.publish([launcher(`touch ${started()}`)], new Date(), generateKeyPairSync("ed25519").privateKey),
            ],
        ];
        for (const [what, message, next, harm] of unvouched)
            it(`though whole, because ${what}: --verify starts nothing of it`, async () => {
                await harm();
                await assert.rejects(
                    verify(shelf),
                    (error: unknown) =>
                        error instanceof Failure && error.exit === "no" && message.test(error.message) && next.test(error.next),
                );
                assert.ok(!existsSync(started()));
            });

        const starts: [string, string, RegExp][] = [
            [
                "does not start",
                "echo 'lifeboat: no.' >&2; exit 3",
                /^the bundle is whole, and lifeboat --version in it ends with 3: lifeboat: no\.$/,
            ],
            ["says what it should not", "echo nonsense", /^the bundle is whole, and lifeboat activate --plan --json in it says: nonsense$/],
        ];
        for (const [what, script, message] of starts)
            it(`though whole, because it ${what}: --verify says so, and names the one before it`, async () => {
                await shelf.publish([launcher(script)]);
                const before = new RegExp(`take the one before it: end the runbook's command with \`\\| sh -s -- ${bundle}\`; and mend`);
                await assert.rejects(
                    verify(shelf),
                    (error: unknown) =>
                        error instanceof Failure && error.exit === "no" && message.test(error.message) && before.test(error.next),
                );
            });
    });

    describe("on a machine that cannot have it", () => {
        let shelf: Shelf;
        before(async () => {
            shelf = await makeShelf("lacking", scratch);
            await shelf.publish([program("hello")]);
        });

        it("without credentials ends with 3", async () => {
            const { code, stderr } = await shelf.get({ env: { AWS_ACCESS_KEY_ID: "" } });
            // Where there is an AWS CLI it is asked, and has none either.
            const told =
                /no AWS credentials[^]*next: export AWS_ACCESS_KEY_ID|the AWS CLI has no credentials here\n {2}next: take the break-glass role/;
            assert.deepEqual([code, told.test(stderr)], [3, true], stderr);
        });
        it("of another kind ends with 3 and names where to go", async () => {
            const bin = scratchDirectory();
            writeFileSync(join(bin, "uname"), "#!/bin/sh\necho Darwin arm64\n", { mode: 0o755 });
            const { code, stderr } = await shelf.get({ env: { PATH: `${bin}:/usr/bin:/bin` } });
            rmSync(bin, { recursive: true });
            assert.deepEqual(
                [code, /this machine is Darwin arm64, and the bundle runs on Linux [^]*CloudShell/.test(stderr)],
                [3, true],
                stderr,
            );
        });
        it("without a network ends with 5", async () => {
            const { code, stderr } = await shelf.get({ env: { AWS_ENDPOINT_URL: "http://127.0.0.1:1" } });
            assert.deepEqual([code, /does not answer: .*Failed to connect[^]*next:/.test(stderr)], [5, true], stderr);
        });
        it("does nothing at all with a script that was cut off on its way", async () => {
            const script = getScript(shelf.estate, account);
            for (const part of [0.3, 0.6, 0.95]) {
                const { cwd } = await shelf.get({ script: script.slice(0, script.length * part) });
                assert.deepEqual(readdirSync(cwd), []);
            }
        });
        it("says that there is none where none was put", async () => {
            const empty = await makeShelf("none", scratch);
            const { code, stderr } = await empty.get();
            assert.deepEqual([code, /holds no released bundle/.test(stderr)], [3, true], stderr);
            await assert.rejects(verify(empty), (error: unknown) => error instanceof Failure && error.exit === "prerequisite");
        });
    });
});
