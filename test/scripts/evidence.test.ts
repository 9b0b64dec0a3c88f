import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { ownKeyPath, signingKey } from "../../recovery/evidence/key.ts";
import { fingerprintOf } from "../../recovery/evidence/signature.ts";
import { countable, fileEvidence, readArchive } from "../../scripts/evidence/archive.ts";
import { tellTrend, trendOf } from "../../sandbox/rehearsal/trend.ts";
import { lifeboat } from "../support/cli.ts";
import { found } from "../sandbox/rehearsal/found.ts";

describe("filed evidence", function () {
    this.timeout(30_000);
    let directory: string;
    const state = process.env["XDG_STATE_HOME"];
    const evidenceAt = (day: number, over: object = {}) => {
        const path = join(directory, `2026-01-0${day}-region-loss-${day}.json`);
        writeFileSync(path, JSON.stringify({ ...found, seed: day, startedAt: `2026-01-0${day}T00:00:00.000Z`, ...over }));
        return path;
    };
    beforeEach(() => {
        directory = mkdtempSync(join(tmpdir(), "lifeboat-evidence-"));
        process.env["XDG_STATE_HOME"] = join(directory, "state");
    });
    afterEach(() => {
        if (state === undefined) delete process.env["XDG_STATE_HOME"];
        else process.env["XDG_STATE_HOME"] = state;
        rmSync(directory, { recursive: true, force: true });
    });
    const verify = (...argv: string[]) =>
        lifeboat(["evidence", "--verify", ...argv], { env: { XDG_STATE_HOME: join(directory, "state") } });

    it("is signed, has its page beside it, and verifies", async () => {
        const path = evidenceAt(1);
        const page = fileEvidence(path, signingKey());
        assert.match(readFileSync(page, "utf8"), new RegExp(fingerprintOf(signingKey())));
        const { code, stdout } = await verify(path);
        assert.equal(code, 0);
        assert.match(stdout, /FAIL region-loss of orders, seed 1: signed by sha256:/);
    });
    it("does not verify when it was changed, is not signed, or is not there: exit code 1, and which", async () => {
        const [changed, unsigned] = [evidenceAt(1), evidenceAt(2)];
        fileEvidence(changed, signingKey());
        writeFileSync(changed, readFileSync(changed, "utf8").replace('"FAIL"', '"PASS"'));
        const { code, stdout } = await verify(changed, unsigned, join(directory, "absent.json"));
        assert.equal(code, 1);
        assert.match(stdout, /01-region-loss-1\.json: PASS .*damaged: it is not what sha256:/);
        assert.match(stdout, /02-region-loss-2\.json: .*not signed/);
        assert.match(stdout, /absent\.json: cannot be read/);
    });
    it("of another machine verifies only when its key is named", async () => {
        const path = evidenceAt(1);
        fileEvidence(path, signingKey());
        const fingerprint = fingerprintOf(signingKey());
        const pub = join(directory, "theirs.pub");
        writeFileSync(pub, readFileSync(`${ownKeyPath()}.pub`));
        rmSync(join(directory, "state"), { recursive: true });
        const stranger = await verify(path);
        assert.equal(stranger.code, 1);
        assert.match(stranger.stdout, /signed by another key, sha256:/);
        assert.match(stranger.stderr, /--trusted FINGERPRINT/);
        assert.equal((await verify(path, "--trusted", fingerprint)).code, 0);
        // A file may stand behind the option, and more than one key may count.
        assert.equal((await verify("--trusted", fingerprint, path)).code, 0);
        const another = `sha256:${"0".repeat(64)}`;
        assert.equal((await verify("--trusted", fingerprint, "--trusted", another, path)).code, 0);
        assert.equal((await verify("--trusted", another, path)).code, 1);
        const json = await verify(path, "--trusted", pub, "--json");
        assert.equal(json.code, 0);
        const shape = z.object({ evidence: z.array(z.object({ counts: z.boolean(), signature: z.object({ state: z.string() }) })) });
        const printed = shape.parse(JSON.parse(json.stdout));
        assert.deepEqual(printed.evidence, [{ counts: true, signature: { state: "holds" } }]);
    });
    it("may be of a drill in production: any file is signed and verified as it is", async () => {
        const env = { XDG_STATE_HOME: join(directory, "state") };
        const drill = join(directory, "drill.json");
        writeFileSync(drill, '{"store": "orders-mysql"}');
        assert.equal((await lifeboat(["evidence", "--sign", drill], { env })).code, 0);
        assert.equal((await verify(drill)).code, 0);
        writeFileSync(drill, '{"store": "orders-mysql" }');
        assert.equal((await verify(drill)).code, 1);
        assert.equal((await lifeboat(["evidence", "--sign", join(directory, "absent")], { env })).code, 2);
    });
    it("asks for files, and for nothing half", async () => {
        assert.equal((await lifeboat(["evidence", "--verify"])).code, 2);
        assert.equal((await lifeboat(["evidence", "some.json"])).code, 2);
    });

    it("is drawn as a trend; what does not count is told with the reason, in the page too", () => {
        const key = signingKey();
        fileEvidence(evidenceAt(1), key);
        fileEvidence(evidenceAt(2, { scenario: "other" }), key);
        evidenceAt(3);
        writeFileSync(join(directory, "2026-01-04.json"), "not JSON");
        const page = fileEvidence(evidenceAt(5, { rto: { ...found.rto, totalSeconds: null, verdict: "FAIL" } }), key);
        const { past, leftOut } = countable(readArchive(directory, [fingerprintOf(key)]));
        const lines = tellTrend(trendOf(past, "region-loss"));
        assert.equal(lines.length, 3);
        assert.match(lines[1]!, /2026-01-01 00:00 +seed 1 --fast 10 +FAIL +9 min 40 s +█{22,24}.*│/);
        assert.match(lines[2]!, /2026-01-05 00:00 +seed 5 --fast 10 +FAIL +never +·+│/);
        assert.equal(leftOut.length, 2);
        assert.match(leftOut[0]!, /region-loss-3\.json: not signed/);
        const drawn = readFileSync(page, "utf8");
        for (const line of ["region-loss-3.json: not signed", "2026-01-04.json: not signed"]) assert.ok(drawn.includes(line), line);
        assert.match(drawn, /2 rehearsals since 2026-01-01/);
    });
    it("that holds and cannot be read by this version is told as that", () => {
        const key = signingKey();
        const path = evidenceAt(1);
        fileEvidence(path, key);
        const foreign = join(directory, "foreign.json");
        writeFileSync(foreign, '{"version": 9}');
        assert.throws(() => fileEvidence(foreign, key));
        assert.match(
            countable(readArchive(directory, [fingerprintOf(key)])).leftOut[0]!,
            /foreign\.json: signed by sha256:.*; it is not evidence of a rehearsal that this version can read/,
        );
    });
});
