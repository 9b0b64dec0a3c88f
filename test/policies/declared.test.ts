import assert from "node:assert/strict";
import { resolve } from "node:path";
import { startMoto, type Moto } from "../support/moto.ts";
import { cleanUp, Workspace } from "../sandbox/providers/workspace.ts";

const pack = resolve(import.meta.dirname, "../../policies");

/**
 * A bucket as the official provider tells of one: the deprecated inline settings are computed there, so they come back whether or not anybody declared them, unknown in the preview that makes the bucket.
 * The stand-in of this repository refuses those settings, so a component of the same type takes its place: the engine shows the pack its inputs and its outputs in the same two calls.
 */
const program = (declared: string, told: string, more = "") => `
    import * as aws from "@pulumi/aws";
    import * as pulumi from "@pulumi/pulumi";
    const made = new aws.route53.Zone("made", { name: "example.test" });
    class Bucket extends pulumi.ComponentResource {
        constructor(type, name, args) {
            super(type, name, args);
            this.registerOutputs({ bucket: "b-vault", ...args, ...${told} });
        }
    }
    const vault = new Bucket("aws:s3/bucket:Bucket", "vault", { bucket: "b-vault", ...${declared} });
    ${more}`;

const companion = (status: string) => `new Bucket("aws:s3/bucketVersioning:BucketVersioning", "versioning", {
    bucket: "b-vault", versioningConfiguration: { status: ${JSON.stringify(status)} } });`;

const computed = "{ versioning: made.zoneId.apply(() => ({ enabled: false })) }";

describe("what a bucket declares, and what its provider tells of it, under the real engine", function () {
    this.timeout(120_000);
    let moto: Moto;
    let workspace: Workspace;

    before(async () => {
        moto = await startMoto();
        workspace = await Workspace.make(moto.env);
    });
    after(async () => {
        await cleanUp();
        await moto?.stop();
    });

    const previewed = async (text: string): Promise<string> => {
        await workspace.program(text);
        return (await workspace.pulumi("preview", "--policy-pack", pack, "--color", "never")).text;
    };

    it("refuses a bucket that declares nothing in the preview, though the provider will have something to tell", async () => {
        const text = await previewed(program("{}", computed));
        assert.match(text, /mandatory.*bucket-versioning/);
        assert.match(text, /keeps no versions \(no BucketVersioning\)/);
    });

    it("takes a bucket's own resource for what counts, not what the provider found before it was made", async () => {
        const text = await previewed(program("{}", "{ versioning: { enabled: false } }", companion("Enabled")));
        assert.doesNotMatch(text, /mandatory.*bucket-versioning/);
        assert.doesNotMatch(text, /keeps no versions/);
    });

    it("refuses what is declared on the bucket in contradiction to its own resource", async () => {
        const text = await previewed(program("{ versioning: { enabled: false } }", "{}", companion("Enabled")));
        assert.match(text, /mandatory.*bucket-versioning/);
        assert.match(text, /says 2 things of BucketVersioning \(versioning, the bucket itself\)/);
    });
});
