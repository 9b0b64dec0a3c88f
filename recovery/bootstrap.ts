import { awsClients } from "../backup/clients.ts";
import { siteNames, type Estate } from "../model/estate.ts";
import { names, stackOf, witness, witnessRegion } from "../model/names.ts";
import { awsFailure } from "./answers.ts";
import { ensureBucket } from "./bootstrap/buckets.ts";
import { ensureKey } from "./bootstrap/key.ts";
import { ensureEpoch, ensureFence, ensureLatch } from "./bootstrap/records.ts";
import { ensureBreakGlassRole } from "./bootstrap/role.ts";
import { ensureCopyRole, ensureReplicaKey, replicateState } from "./bootstrap/state-copy.ts";
import { hasDataKey, mendStackFile } from "./bootstrap/stack-file.ts";
import { coordinationOf, witnessOf } from "./coordination.ts";
import { readEpoch } from "./epoch.ts";
import { publishLatch, readLatch } from "./latch.ts";
import { backendUrl, pulumiIn, secretsProvider } from "./pulumi.ts";
import { operator } from "./runner.ts";

/** One thing that the stacks stand on. */
export interface Foundation {
    kind: "bucket" | "key" | "role" | "record" | "stack";
    name: string;
    /** True where this run made it, false where it was there. */
    made: boolean;
}

export interface Bootstrapped {
    account: string;
    /** The standby's region, where all of it lies but the witness's bucket. */
    region: string;
    /** PULUMI_BACKEND_URL of both stacks. */
    backend: string;
    secretsProvider: string;
    foundations: Foundation[];
}

export interface BootstrapOptions {
    estate: Estate;
    account: string;
    /** The folder of Pulumi.yaml, whose stacks are made. */
    directory: string;
    /** Told of each thing as it stands. */
    note?: (foundation: Foundation) => void;
}

/**
 * Makes in the standby region what both stacks stand on, and the witness's bucket in its own; what is there already is kept, and its settings are put right. Safe to repeat, also
 * by two people at once. It needs IAM (the break-glass role), so it is for calm days.
 * @throws Failure where AWS refuses or does not answer, or a name belongs to somebody else.
 */
export async function bootstrap({ estate, account, directory, note }: BootstrapOptions): Promise<Bootstrapped> {
    const foundations = await bootstrapAccount({ estate, account, ...(note === undefined ? {} : { note }) });
    foundations.push(...(await bootstrapStacks({ estate, account, directory, ...(note === undefined ? {} : { note }) })));
    return {
        account,
        region: estate.sites.standby.region,
        backend: backendUrl(estate, account),
        secretsProvider: secretsProvider(estate, account),
        foundations,
    };
}

/** Makes one foundation, and tells of it. */
type Stands = (kind: Foundation["kind"], what: string, make: () => Promise<boolean>, where?: string) => Promise<void>;

/** The part that AWS alone sees: key, buckets, role, first records, first metric. */
export async function bootstrapAccount({ estate, account, note }: Omit<BootstrapOptions, "directory">): Promise<Foundation[]> {
    const name = names(estate, account);
    const region = estate.sites.standby.region;
    const clients = awsClients(region);
    const bucket = coordinationOf(estate, account);
    const foundations: Foundation[] = [];
    const stands: Stands = async (kind, what, make, where = region) => {
        try {
            const foundation = { kind, name: what, made: await make() };
            foundations.push(foundation);
            note?.(foundation);
        } catch (error) {
            throw awsFailure(error, `making the ${kind} ${what} in ${where}`);
        }
    };
    const now = () => new Date().toISOString();

    let stateKey = "";
    await stands("key", name.stateKeyAlias, async () => {
        const key = await ensureKey(clients.kms, name.stateKeyAlias, `Secrets in the Pulumi state of ${estate.name}`);
        stateKey = key.arn;
        return key.made;
    });
    await stands("bucket", name.stateBucket, () => ensureBucket(clients.s3, { name: name.stateBucket, region, key: stateKey }));
    await bootstrapStateCopy({ estate, account }, stateKey, stands);
    await stands("bucket", name.coordinationBucket, () => ensureBucket(clients.s3, { name: name.coordinationBucket, region }));
    const outdated = { prefix: "", afterDays: 30 };
    await stands("bucket", name.releaseBucket, () => ensureBucket(clients.s3, { name: name.releaseBucket, region, forgets: outdated }));
    const third = witnessRegion(estate);
    const forgets = { prefix: witness.leases, afterDays: 1 };
    await stands(
        "bucket",
        name.witnessBucket,
        () => ensureBucket(awsClients(third).s3, { name: name.witnessBucket, region: third, forgets }),
        third,
    );
    await stands("role", name.breakGlassRole, () => ensureBreakGlassRole(clients.iam, estate, account, stateKey));
    await stands("record", "epoch", () => ensureEpoch(bucket, operator(), now()));
    await stands("record", "fence", async () => ensureFence(witnessOf(estate, account), (await readEpoch(bucket)).record), third);
    await stands("record", "latch", async () => {
        const made = await ensureLatch(bucket, now());
        // CloudWatch is to know the metric before any health check exists that reads it.
        await publishLatch(estate, (await readLatch(bucket)).record);
        return made;
    });
    return foundations;
}

/** The state's copy in the primary's region, with the key and the role that it needs. */
async function bootstrapStateCopy({ estate, account }: Omit<BootstrapOptions, "directory">, key: string, stands: Stands): Promise<void> {
    const name = names(estate, account);
    const [home, there] = [awsClients(estate.sites.standby.region), awsClients(estate.sites.primary.region)];
    let replicaKey = "";
    const where = there.region;
    await stands(
        "key",
        `${name.stateKeyAlias} (replica)`,
        async () => {
            const replica = await ensureReplicaKey(home.kms, there.kms, key, where);
            replicaKey = replica.arn;
            return replica.made;
        },
        where,
    );
    await stands(
        "bucket",
        name.stateCopyBucket,
        () => ensureBucket(there.s3, { name: name.stateCopyBucket, region: where, key: replicaKey }),
        where,
    );
    await stands("role", name.stateCopyRole, async () => {
        const made = await ensureCopyRole(home.iam, estate, account, { key, replicaKey });
        await replicateState(home.s3, estate, account, { key, replicaKey });
        return made;
    });
}

/** Both stacks, on the standby's state and key, and the primary's selected: what a person's plain `pulumi preview` means. */
async function bootstrapStacks({ estate, account, directory, note }: BootstrapOptions): Promise<Foundation[]> {
    const pulumi = pulumiIn(directory, estate, account);
    const there = await pulumi.stacks();
    const foundations: Foundation[] = [];
    for (const site of siteNames) {
        const stack = stackOf[site];
        const made = !there.includes(stack);
        if (made) await pulumi.run(["stack", "init", stack, "--no-select", `--secrets-provider=${secretsProvider(estate, account)}`]);
        else if (!hasDataKey(directory, stack)) mendStackFile(directory, stack, await pulumi.export(stack));
        const foundation: Foundation = { kind: "stack", name: stack, made };
        foundations.push(foundation);
        note?.(foundation);
    }
    await pulumi.run(["stack", "select", stackOf.primary]);
    return foundations;
}
