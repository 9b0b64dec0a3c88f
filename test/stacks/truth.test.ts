import assert from "node:assert/strict";
import { Failure, type ExitName } from "../../model/failure.ts";
import { readInputs, type Configuration } from "../../stacks/inputs.ts";
import { hasJoined, readStandbyIds } from "../../stacks/published.ts";
import { isActive } from "../../stacks/truth.ts";
import { standbyIds } from "./stand.ts";

const records = (objects: Record<string, unknown>) => (key: string) =>
    Promise.resolve(
        objects[key] === undefined ? undefined : typeof objects[key] === "string" ? objects[key] : JSON.stringify(objects[key]),
    );
const epoch = (active: string, number = 1) => ({ epoch: number, active, at: "2026-01-01T00:00:00Z", by: "me", reason: "r" });
const failure = (exit: ExitName, message: RegExp) => (error: unknown) =>
    error instanceof Failure && error.exit === exit && message.test(`${error.message} ${error.next}`);

describe("who is active", () => {
    const asked = { site: "standby" as const, dryRun: false };

    it("is what the epoch record says", async () => {
        assert.equal(await isActive({ ...asked, read: records({ "epoch.json": epoch("primary") }) }), false);
        assert.equal(await isActive({ ...asked, read: records({ "epoch.json": epoch("standby", 2) }) }), true);
    });
    it("is nobody's guess: no record, or a damaged one, stops the program", async () => {
        await assert.rejects(isActive({ ...asked, read: records({}) }), failure("prerequisite", /lifeboat bootstrap/));
        await assert.rejects(isActive({ ...asked, read: records({ "epoch.json": "{" }) }), failure("refused", /not an epoch record/));
        await assert.rejects(
            isActive({ ...asked, read: records({ "epoch.json": { ...epoch("primary"), active: "both" } }) }),
            failure("refused", /not an epoch record/),
        );
    });
    it("may be supposed in a preview, and never in an update", async () => {
        const assumed = { epoch: 2, active: "standby" as const };
        const read = records({ "epoch.json": epoch("primary") });
        assert.equal(await isActive({ ...asked, read, assumed, dryRun: true }), true);
        await assert.rejects(isActive({ ...asked, read, assumed }), failure("refused", /config rm lifeboat:assumeEpoch/));
    });
});

describe("a stack's configuration", () => {
    const good: Record<string, unknown> = {
        site: "standby",
        kubeContext: "standby",
        subnetIds: ["subnet-1"],
        securityGroupIds: ["sg-1"],
        certificateArn: "arn:cert",
        oidcProviderArn: "arn:oidc",
        oidcIssuer: "issuer/1",
        nodeImageId: "ami-1",
        nodeInstanceProfile: "p",
    };
    const configuration = (values: Record<string, unknown>): Configuration => ({
        get: (key) => values[key] as string | undefined,
        getObject: <T>(key: string) => values[key] as T | undefined,
    });

    it("is read whole", () =>
        assert.deepEqual(readInputs(configuration(good), "dr"), { ...good, nodeUserData: undefined, assumeEpoch: undefined }));
    it("names every key that is missing or wrong at once, and the command that sets it", () => {
        const { nodeImageId: _, ...rest } = good;
        assert.throws(
            () => readInputs(configuration({ ...rest, oidcIssuer: "https://issuer", subnetIds: [] }), "dr"),
            (error: unknown) =>
                failure("usage", /nodeImageId/)(error) &&
                failure("usage", /oidcIssuer: is written without https/)(error) &&
                failure("usage", /subnetIds/)(error) &&
                failure("usage", /pulumi config set -s dr/)(error),
        );
    });
    it("cannot make a site another one", () => {
        assert.throws(() => readInputs(configuration({ ...good, site: "primary" }), "dr"), failure("refused", /stands up the standby/));
        assert.throws(() => readInputs(configuration(good), "prod"), failure("refused", /stands up the primary/));
        assert.throws(() => readInputs(configuration(good), "staging"), failure("refused", /no stack of this estate/));
    });
});

describe("what the stacks tell each other", () => {
    it("is read from the coordination bucket", async () =>
        assert.deepEqual(await readStandbyIds(records({ "published/standby.json": standbyIds })), standbyIds));
    it("stops prod before dr was brought up", async () => {
        await assert.rejects(readStandbyIds(records({})), failure("prerequisite", /pulumi up -s dr/));
        await assert.rejects(
            readStandbyIds(records({ "published/standby.json": { zoneId: 1 } })),
            failure("refused", /not what stack dr publishes/),
        );
    });
    it("says whether the primary has joined", async () => {
        assert.equal(await hasJoined(records({})), false);
        assert.equal(await hasJoined(records({ "published/primary.json": { joined: true } })), true);
    });
});
