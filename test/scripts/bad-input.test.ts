import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CopyObjectCommand, GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { CreateAliasCommand, CreateKeyCommand, KMSClient, ReplicateKeyCommand } from "@aws-sdk/client-kms";
import mysql from "mysql2/promise";
import { exitCodes, type ExitName } from "../../model/failure.ts";
import { coordination, names } from "../../model/names.ts";
import type { Manifest } from "../../model/manifest.ts";
import { kindOf } from "../../stores/registry.ts";
import { coordinationBucket } from "../../recovery/conditional-bucket.ts";
import { openJournal } from "../../recovery/journal/journal.ts";
import { copyCheckout } from "../../sandbox/checkout.ts";
import { estate } from "../../stacks/estate.ts";
import { from, opened } from "../recovery/doubles.ts";
import { lifeboat, repository, startCommand, type Ended } from "../support/cli.ts";
import { freePort } from "../support/free-port.ts";
import { startMoto, type Moto } from "../support/moto.ts";
import { startMariadb, type Server } from "../support/servers.ts";

const account = "123456789012";
const store = "orders-mysql";
const own = names(estate, account);
/** Of this machine's loopback, and nobody's. */
const podAddress = "127.0.0.7";
const [primary, standby] = [estate.sites.primary.region, estate.sites.standby.region];
const vault = own.vaultBucket("standby");

/** One thing that goes wrong, and what whoever sees it at 03:00 is told. */
interface Row {
    what: string;
    /** Makes it go wrong; what it gives back puts it right again. */
    arrange?: () => Promise<() => Promise<unknown>>;
    run: () => Promise<Ended>;
    exit: ExitName;
    message: RegExp;
    next: RegExp;
}

describe("bad input: one clear message, the next step, a documented exit code, and nothing half-changed", function () {
    this.timeout(120_000);
    const folder = mkdtempSync(join(tmpdir(), "lifeboat-bad-input-"));
    let moto: Moto;
    let server: Server;
    let database: mysql.Connection;
    let points: string[];
    let closed: number;
    let envelopeKey: string;
    let env: Record<string, string>;

    const client = <Client>(make: new (config: object) => Client, region: string): Client =>
        new make({
            region,
            endpoint: moto.url,
            forcePathStyle: true,
            credentials: { accessKeyId: "AKIAOPERATOR000000000", secretAccessKey: "any" },
        });
    const s3 = () => client(S3Client, standby);
    /** A database that is not there yet. */
    const url = () => `mariadb://root@127.0.0.1:${server.port}/recovered`;
    const run = (line: string[], more: Record<string, string> = {}) => lifeboat(line, { env: { ...env, ...more } });
    const inPrimary = { LIFEBOAT_SITE: "primary" };
    const dataOf = (point: string) => `${store}/${point}/data`;

    async function fetchBytes(key: string): Promise<Buffer> {
        const { Body } = await s3().send(new GetObjectCommand({ Bucket: vault, Key: key }));
        return Buffer.from(await Body!.transformToByteArray());
    }
    /** Puts other bytes in an object's place. */
    const instead = async (key: string, change: (bytes: Buffer) => Buffer | Promise<Buffer>) => {
        const before = await fetchBytes(key);
        const put = (Body: Buffer) => s3().send(new PutObjectCommand({ Bucket: vault, Key: key, Body }));
        await put(await change(before));
        return () => put(before);
    };

    /** Everything that a command could have half-changed: every object, every database and its rows. */
    async function everything(): Promise<unknown> {
        const buckets = [own.coordinationBucket, own.vaultBucket("primary"), vault].map(async (Bucket) => {
            const { Contents = [] } = await s3().send(new ListObjectsV2Command({ Bucket }));
            return Contents.map(({ Key, ETag }) => `${Bucket} ${Key} ${ETag}`);
        });
        const [databases] = await database.query("SHOW DATABASES");
        const [rows] = await database.query("SELECT * FROM orders.orders");
        return [await Promise.all(buckets), databases, rows];
    }

    before(async () => {
        [moto, server, closed] = await Promise.all([startMoto(), startMariadb({ database: "orders" }), freePort()]);
        database = await mysql.createConnection({ host: server.host, port: server.port, user: "root", password: server.rootPassword });
        await database.query("CREATE TABLE orders.orders (number int primary key)");
        await database.query("INSERT INTO orders.orders VALUES (1), (2)");
        mkdirSync(join(folder, "passwords"));
        writeFileSync(join(folder, "passwords/root"), server.rootPassword);
        writeFileSync(join(folder, "passwords/backup"), "of the archive");
        mkdirSync(join(folder, "wrong"));
        writeFileSync(join(folder, "wrong/root"), "not it");
        const cluster = { name: "standby", cluster: { server: `https://127.0.0.1:${closed}` } };
        const context = { name: "standby", context: { cluster: "standby", user: "nobody" } };
        writeFileSync(
            join(folder, "kubeconfig"),
            JSON.stringify({
                apiVersion: "v1",
                kind: "Config",
                clusters: [cluster],
                contexts: [context],
                users: [{ name: "nobody", user: {} }],
            }),
        );
        env = {
            ...moto.env,
            LIFEBOAT_ACCOUNT: account,
            LIFEBOAT_PASSWORDS: join(folder, "passwords"),
            KUBECONFIG: join(folder, "kubeconfig"),
        };
        const made = await startCommand(
            [
                process.execPath,
                "--input-type=module",
                "-e",
                `import { CreateBucketCommand, PutBucketVersioningCommand, S3Client } from "@aws-sdk/client-s3";
                for (const [region, Bucket] of ${JSON.stringify([
                    [standby, own.coordinationBucket],
                    [primary, own.vaultBucket("primary")],
                    [standby, vault],
                ])}) {
                    const s3 = new S3Client({ region, forcePathStyle: true });
                    await s3.send(new CreateBucketCommand({ Bucket, ...(region === "us-east-1" ? {} : { CreateBucketConfiguration: { LocationConstraint: region } }) }));
                    await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Enabled" } }));
                }`,
            ],
            { cwd: repository, env },
        ).ended;
        assert.equal(made.code, 0, made.stderr);
        const kms = client(KMSClient, standby);
        const { KeyMetadata } = await kms.send(new CreateKeyCommand({ MultiRegion: true }));
        envelopeKey = KeyMetadata!.KeyId!;
        await kms.send(new ReplicateKeyCommand({ KeyId: envelopeKey, ReplicaRegion: primary }));
        for (const region of [primary, standby])
            await client(KMSClient, region).send(
                new CreateAliasCommand({ AliasName: own.envelopeKeyAlias(store), TargetKeyId: envelopeKey }),
            );
        points = [await makePoint(), await makePoint()];
        await coordinationBucket(s3(), own.coordinationBucket).create(coordination.epoch, JSON.stringify(from));
    });
    after(async () => {
        await database?.end();
        await server?.stop();
        await moto?.stop();
        rmSync(folder, { recursive: true });
    });

    /** Takes a copy as the archive beside the server does: in a process of its own, which has the pod's environment. */
    const takePoint = () =>
        startCommand(
            [
                ...[process.execPath, join(import.meta.dirname, "take-point.ts"), store],
                ...[server.directory, server.socket, String(server.port), server.rootPassword],
            ],
            { env: { ...env, ...inPrimary } },
        ).ended;

    /** A recovery point of the real server, copied to the standby and verified there. */
    async function makePoint(): Promise<string> {
        const { code, stdout, stderr } = await takePoint();
        assert.equal(code, 0, stderr);
        const manifest = JSON.parse(stdout) as Manifest;
        for (const part of ["data", ...(manifest.contents ? ["contents"] : []), "manifest.json"]) {
            const Key = `${store}/${manifest.point}/${part}`;
            await s3().send(new CopyObjectCommand({ Bucket: vault, Key, CopySource: `${own.vaultBucket("primary")}/${Key}` }));
        }
        const verified = await run(["verify", store]);
        assert.equal(verified.code, 0, verified.stderr);
        return manifest.point;
    }

    /** A checkout of its own, whose stacks/estate.ts is another one; undefined: is not there. */
    const withEstate = (change: (text: string) => string | undefined) => async (): Promise<() => Promise<unknown>> => {
        const checkout = join(folder, "checkout");
        copyCheckout(repository, checkout);
        const file = join(checkout, "stacks/estate.ts");
        const text = change(readFileSync(file, "utf8"));
        if (text === undefined) rmSync(file);
        else writeFileSync(file, text);
        return () => Promise.resolve(rmSync(checkout, { recursive: true }));
    };
    const inCheckout = () => startCommand([process.execPath, join(folder, "checkout/scripts/main.ts"), "epoch"], { env }).ended;
    /** Runs a command where nothing can be written any more. */
    const onFullDisk = (line: string[]) =>
        startCommand(
            [
                ...["unshare", "--mount", "sh", "-c"],
                'mkdir -p "$1" && mount -t tmpfs -o size=64k lifeboat "$1" && head -c 64k /dev/zero >"$1/full" 2>/dev/null; shift; exec "$@"',
                ...["sh", join(folder, "full"), process.execPath, join(repository, "scripts/main.ts"), ...line],
            ],
            { env: { ...env, XDG_CACHE_HOME: join(folder, "full") } },
        ).ended;

    const rows: Row[] = [
        {
            what: "an estate that does not hold",
            arrange: withEstate((text) =>
                text.replace('decision: "5 min"', 'decision: "5 minutos"').replace('rto: "10 min"', 'rto: "soon"'),
            ),
            run: inCheckout,
            exit: "usage",
            message:
                /the estate has 2 faults:\n.*services\.orders\.objective\.rto: "soon" is not a quantity.*as in "15 min"\n.*decision: "5 minutos" is not/,
            next: /correct stacks\/estate\.ts/,
        },
        {
            what: "an estate that cannot be parsed",
            arrange: withEstate((text) => text.replace('domain: "orders.example",', "domain: (,")),
            run: inCheckout,
            exit: "usage",
            message: /^lifeboat: stacks\/estate\.ts:6:14: Expression expected$/m,
            next: /^ {2}next: correct stacks\/estate\.ts$/m,
        },
        {
            what: "an estate that uses what has to be compiled",
            arrange: withEstate((text) => `enum Site {\n    primary,\n}\n${text}`),
            run: inCheckout,
            exit: "usage",
            message: /^lifeboat: stacks\/estate\.ts:1: TypeScript enum is not supported in strip-only mode$/m,
            next: /correct stacks\/estate\.ts/,
        },
        {
            what: "an estate that is declared twice",
            arrange: withEstate((text) => `${text}export const estate = 2;\n`),
            run: inCheckout,
            exit: "usage",
            message: /^lifeboat: stacks\/estate\.ts:\d+:14: Identifier 'estate' has already been declared$/m,
            next: /correct stacks\/estate\.ts/,
        },
        {
            what: "an estate that is not there",
            arrange: withEstate(() => undefined),
            run: inCheckout,
            exit: "usage",
            message: /^lifeboat: stacks\/estate\.ts is not there$/m,
            next: /correct stacks\/estate\.ts/,
        },
        {
            what: "an estate that is not exported",
            arrange: withEstate((text) => text.replace("export const estate", "export const ours")),
            run: inCheckout,
            exit: "usage",
            message: /^lifeboat: stacks\/estate\.ts does not provide an export named 'estate'$/m,
            next: /correct stacks\/estate\.ts/,
        },
        {
            what: "an estate that names what nobody declared",
            arrange: withEstate((text) => text.replace('domain: "orders.example"', "domain: ours")),
            run: inCheckout,
            exit: "usage",
            message: /^lifeboat: stacks\/estate\.ts:6:13: ours is not defined$/m,
            next: /correct stacks\/estate\.ts/,
        },
        {
            what: "an estate that imports what is not there",
            arrange: withEstate((text) => `import "../ours/services.ts";\n${text}`),
            run: inCheckout,
            exit: "usage",
            message: /^lifeboat: stacks\/estate\.ts: Cannot find module '.*\/ours\/services\.ts'$/m,
            next: /correct stacks\/estate\.ts/,
        },
        {
            what: "a store that the estate does not have",
            run: () => run(["backup", "orders-mysqll"], inPrimary),
            exit: "usage",
            message: /orders-mysqll/,
            next: /orders-mysql/,
        },
        {
            what: "a region that does not answer",
            run: () => run(["epoch"], { AWS_ENDPOINT_URL: `http://127.0.0.1:${closed}` }),
            exit: "unavailable",
            message: /us-west-2|coordination/,
            next: /can be reached from here/,
        },
        {
            what: "a region that does not answer during bootstrap",
            run: () => run(["bootstrap"], { AWS_ENDPOINT_URL: `http://127.0.0.1:${closed}` }),
            exit: "unavailable",
            message: /us-west-2|us-east-2/,
            next: /can be reached from here/,
        },
        {
            what: "an archive that is not there",
            run: () => run(["backup", store, "--archive", `127.0.0.1:${closed}`], inPrimary),
            exit: "unavailable",
            message: /127\.0\.0\.1:\d+/,
            next: /./,
        },
        {
            what: "a database that refuses the password",
            run: () => run(["restore", store, "--to", url()], { LIFEBOAT_PASSWORDS: join(folder, "wrong") }),
            exit: "unavailable",
            message: /Access denied for user 'root'/,
            next: /./,
        },
        {
            what: "a key that is not the one it was encrypted with",
            arrange: async () => {
                // The message names the key that opens it: another one of ours, which does not.
                const { KeyMetadata } = await client(KMSClient, standby).send(new CreateKeyCommand({ MultiRegion: true }));
                const other = KeyMetadata!.KeyId!;
                return instead(dataOf(points[1]!), (bytes) => Buffer.from(bytes.toString("latin1").replace(envelopeKey, other), "latin1"));
            },
            run: () => run(["restore", store, "--to", url()]),
            exit: "no",
            message: /was not recovered; nothing was changed\n {2}because the envelope's key cannot be used/,
            next: /choose an earlier moment/,
        },
        {
            what: "an object that was cut short",
            arrange: () => instead(dataOf(points[1]!), (bytes) => bytes.subarray(0, bytes.length - 100)),
            run: () => run(["restore", store, "--to", url()]),
            exit: "no",
            message: /has \d+ bytes at .*; its manifest says \d+/,
            next: /choose an earlier point with --at/,
        },
        {
            what: "an object that was swapped for another one",
            arrange: () => instead(dataOf(points[1]!), () => fetchBytes(dataOf(points[0]!))),
            run: () => run(["restore", store, "--to", url()]),
            exit: "no",
            message: /was not recovered; nothing was changed|bytes at/,
            next: /choose an earlier point/,
        },
        {
            what: "a journal of another estate",
            arrange: async () => {
                const bucket = coordinationBucket(s3(), own.coordinationBucket);
                await openJournal(bucket, "20260101T000000Z-0000", { ...opened, estate: "somebody-elses" });
                return async () => {};
            },
            run: () => run(["activate", "--resume", "--yes", "--reason", "test"]),
            exit: "refused",
            message: /is of the estate somebody-elses, and this one is orders/,
            next: /run it in that estate's checkout/,
        },
        {
            what: "a clock that is an hour ahead",
            run: () =>
                run(["expire", store], {
                    ...inPrimary,
                    NODE_OPTIONS: `--import ${join(import.meta.dirname, "shifted-clock.ts")}`,
                    LIFEBOAT_TEST_AHEAD: "3600000",
                }),
            exit: "prerequisite",
            message: /this machine's clock is (1 h( \d+ s)?|59 min \d+ s) ahead of AWS's/,
            next: /set the clock/,
        },
        {
            what: "a port that somebody listens on",
            arrange: async () => {
                const other = createServer();
                await new Promise<void>((resolve, reject) =>
                    other.once("error", reject).listen(kindOf({ engine: "mariadb" }).server.port, podAddress, resolve),
                );
                return () => new Promise((resolve) => other.close(resolve));
            },
            run: () => run(["guard", store], { ...inPrimary, LIFEBOAT_POD_ADDRESS: podAddress }),
            exit: "prerequisite",
            message: /somebody listens on 127\.0\.0\.7:3306 already/,
            next: /ss -ltnp/,
        },
        {
            what: "a role that may not",
            arrange: async () => {
                const enforce = (calls: string) => fetch(`${moto.url}/moto-api/reset-auth`, { method: "POST", body: calls });
                await enforce("0");
                return () => enforce("1000000");
            },
            run: () => run(["epoch"]),
            exit: "prerequisite",
            message: /reading epoch\.json/,
            next: /log in|role/,
        },
        {
            what: "a disk that is full",
            run: () => onFullDisk(["setup"]),
            exit: "prerequisite",
            message: /cannot write to|no space left/i,
            next: /make room/,
        },
    ];

    for (const { what, arrange, run, exit, message, next } of rows)
        it(what, async () => {
            const mend = await arrange?.();
            try {
                const before = what === "a role that may not" ? undefined : await everything();
                const { code, stdout, stderr } = await run();
                const said = stdout + stderr;
                assert.equal(code, exitCodes[exit], said);
                assert.match(stderr, message);
                assert.match(stderr, /^ {2}next: .+$/m);
                assert.match(stderr.slice(stderr.indexOf("  next: ")), next);
                // One message: no stack trace, and said once.
                assert.doesNotMatch(said, /^\s+at .*:\d+:\d+\)?$/m);
                assert.equal([...stderr.matchAll(/^lifeboat: /gm)].length, 1, stderr);
                if (before !== undefined) assert.deepEqual(await everything(), before);
            } finally {
                await mend?.();
            }
        });
});
