import assert from "node:assert/strict";
import {
    CreateBucketCommand,
    S3Client,
    GetBucketLifecycleConfigurationCommand,
    GetBucketLocationCommand,
    GetBucketReplicationCommand,
    GetBucketVersioningCommand,
} from "@aws-sdk/client-s3";
import { awsClients } from "../../backup/clients.ts";
import type { Estate } from "../../model/estate.ts";
import { defineEstate } from "../../stores/estate.ts";
import { Failure } from "../../model/failure.ts";
import { coordination, names, witness, witnessRegion } from "../../model/names.ts";
import { bootstrapAccount } from "../../recovery/bootstrap.ts";
import { breakGlassPolicy } from "../../recovery/bootstrap/role.ts";
import { coordinationOf, witnessOf } from "../../recovery/coordination.ts";
import { claimEpoch, parseEpoch } from "../../recovery/epoch.ts";
import { declaration } from "../model/declaration.ts";
import { startAccount, type Account } from "./account.ts";

const number = "123456789012";
/** Regions of its own: clients are kept by region, and those of other tests lead to other accounts. Each test has an estate of its own. */
const estateWith = (name: string, witnessIn?: string): Estate =>
    defineEstate(
        declaration((estate) => {
            estate.name = name;
            estate.sites = { primary: { region: "sa-east-1" }, standby: { region: "ca-central-1" } };
            if (witnessIn !== undefined) estate.sites.witness = { region: witnessIn };
        }),
    );

describe("bootstrap", function () {
    this.timeout(60_000);
    let account: Account;
    const outside = { ...process.env };

    before(async () => {
        account = await startAccount();
        Object.assign(process.env, account.env);
    });
    after(async () => {
        process.env = outside;
        await account.stop();
    });

    const made = (estate: Estate) =>
        bootstrapAccount({ estate, account: number }).then((all) => all.filter((each) => each.made).map(({ name }) => name));

    it("makes what the stacks stand on once, the witness's bucket in its own region, and nothing the second time", async () => {
        const estate = estateWith("once", "ap-south-1");
        const name = names(estate, number);
        assert.deepEqual(await made(estate), [
            name.stateKeyAlias,
            name.stateBucket,
            `${name.stateKeyAlias} (replica)`,
            name.stateCopyBucket,
            name.stateCopyRole,
            name.coordinationBucket,
            name.releaseBucket,
            name.witnessBucket,
            name.breakGlassRole,
            "epoch",
            "fence",
            "latch",
        ]);
        assert.deepEqual(await made(estate), []);

        const { s3 } = awsClients("ap-south-1");
        const Bucket = name.witnessBucket;
        assert.equal((await s3.send(new GetBucketLocationCommand({ Bucket }))).LocationConstraint, "ap-south-1");
        assert.equal((await s3.send(new GetBucketVersioningCommand({ Bucket }))).Status, "Enabled");
        const { Rules } = await s3.send(new GetBucketLifecycleConfigurationCommand({ Bucket }));
        assert.deepEqual(
            Rules?.map(({ Filter, NoncurrentVersionExpiration, Expiration }) => [Filter, NoncurrentVersionExpiration, Expiration]),
            [[{ Prefix: "lease/" }, { NoncurrentDays: 1 }, undefined]],
        );
    });

    it("has S3 copy the state to the primary's region, under that region's key", async () => {
        const estate = estateWith("copied");
        await made(estate);
        const { stateBucket, stateCopyBucket, stateCopyRole } = names(estate, number);
        const { ReplicationConfiguration } = await awsClients("ca-central-1").s3.send(
            new GetBucketReplicationCommand({ Bucket: stateBucket }),
        );
        assert.equal(ReplicationConfiguration?.Role, `arn:aws:iam::${number}:role/${stateCopyRole}`);
        const { Destination, Status } = ReplicationConfiguration.Rules![0]!;
        assert.deepEqual([Status, Destination?.Bucket], ["Enabled", `arn:aws:s3:::${stateCopyBucket}`]);
        assert.match(Destination?.EncryptionConfiguration?.ReplicaKmsKeyID ?? "", /^arn:aws:kms:sa-east-1:/);
        const { s3 } = awsClients("sa-east-1");
        assert.equal((await s3.send(new GetBucketLocationCommand({ Bucket: stateCopyBucket }))).LocationConstraint, "sa-east-1");
        assert.equal((await s3.send(new GetBucketVersioningCommand({ Bucket: stateCopyBucket }))).Status, "Enabled");
    });

    it("gives the witness the epoch record as it stands, and never lowers it", async () => {
        const estate = estateWith("kept", "ap-south-1");
        await made(estate);
        const copy = async () => parseEpoch((await witnessOf(estate, number).get(witness.fence))?.text ?? "");
        assert.deepEqual(await copy(), parseEpoch((await coordinationOf(estate, number).get(coordination.epoch))?.text ?? ""));
        await claimEpoch(coordinationOf(estate, number), 1, {
            active: "standby",
            at: new Date().toISOString(),
            by: "test",
            reason: "test",
        });
        assert.deepEqual(await made(estate), []);
        assert.equal((await copy()).epoch, 1);
    });

    it("keeps the witness in the standby's region where no third one is declared", async () => {
        const estate = estateWith("pair");
        assert.equal(witnessRegion(estate), "ca-central-1");
        assert.ok((await made(estate)).includes(names(estate, number).witnessBucket));
        assert.ok(await witnessOf(estate, number).get(witness.fence));
    });

    it("refuses a witness's bucket that lies in another region", async () => {
        const estate = estateWith("moved", "ap-south-1");
        const Bucket = names(estate, number).witnessBucket;
        const elsewhere = new S3Client({ region: "us-east-1" });
        await elsewhere.send(new CreateBucketCommand({ Bucket }));
        await assert.rejects(bootstrapAccount({ estate, account: number }), (error: unknown) => {
            assert.ok(error instanceof Failure, String(error));
            assert.equal(error.exit, "refused");
            assert.match(error.message, /is in us-east-1/);
            return true;
        });
    });
});

describe("the break-glass role", () => {
    it("may use the witness's bucket, in the witness's region, and everything else in the standby's alone", () => {
        const policy = breakGlassPolicy(estateWith("glass", "ap-south-1"), number, "key");
        const regions = Object.groupBy(policy.Statement, ({ Condition }) => Condition.StringEquals["aws:RequestedRegion"]);
        assert.deepEqual(Object.keys(regions).sort(), ["ap-south-1", "ca-central-1"]);
        assert.deepEqual(
            regions["ap-south-1"]?.map(({ Sid }) => Sid),
            ["ListWitness", "Witness"],
        );
    });
});
