import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { backup, type BackupOptions } from "../../../backup/backup.ts";
import { verify, type Finding, type VerifyOptions } from "../../../backup/verification.ts";
import type { Manifest } from "../../../model/manifest.ts";
import type { Engine } from "../../../sandbox/engines.ts";
import type { ServerAddress } from "../../../stores/adapter.ts";
import { at, enterAccount, replicate } from "./account.ts";

/** What the suites need to know of a kind of store: a running server, and its dialect. */
export interface Harness {
    kind: Engine;
    /** Program that copies: the one that a test kills. */
    copier: string;
    start(): Promise<{ server: ServerAddress; data: string; stop(): Promise<void> }>;
    /** Runs statements in a database of a server. */
    run(server: ServerAddress, statements: readonly string[]): Promise<void>;
    /** Rows of a query, as text. */
    rows(server: ServerAddress, sql: string): Promise<string[][]>;
    /** Database to make others from. */
    maintenance: string;
    /** Lists the names of all databases. */
    databases: string;
    /** Whether its dumps as text round single floats. */
    rounds: boolean;
    /** A table `mixed` with a number, a text, bytes, a decimal, a moment and a single float. */
    createMixed: string;
    /** Literal of bytes. */
    bytes(value: Buffer): string;
    /** Fills a table `many (n int primary key, s …)` with so many rows, by itself. */
    fillMany(rows: number): readonly string[];
    /** A table, a view on it, a trigger that doubles what is inserted, a function, and a child table with a foreign key. */
    objects: readonly string[];
    /** Shows that all of `objects` work in a database: one row, these values. */
    useObjects: { run: readonly string[]; rows: string; expect: string[][] };
}

export type Verified = Extract<Finding, { outcome: "verified" }>;
/** A running server of a declared store, with a vault on either side. */
export type Store = Awaited<ReturnType<typeof enterStore>>;

/** @param work a directory of the caller's, in which scratch directories are made */
export async function enterStore(harness: Harness, work: string) {
    const store = `shop-${harness.kind}`;
    const leaveAccount = await enterAccount();
    const running = await harness.start();
    const scratch = join(work, "scratch");
    await mkdir(scratch);
    // A server that root starts is somebody else.
    for (const path of [work, scratch]) await chmod(path, 0o711);
    const quiet = { signal: new AbortController().signal, note: () => {}, scratch };
    const runOn = (server: ServerAddress, database: string, statements: readonly string[]) =>
        harness.run({ ...server, database }, statements);
    const rowsOn = (server: ServerAddress, database: string, sql: string) => harness.rows({ ...server, database }, sql);
    const makeDatabase = (name: string) => runOn(running.server, harness.maintenance, [`CREATE DATABASE ${name}`]);
    await makeDatabase("shop");

    /** @param socketDirectory of another server than the running one */
    async function take(socketDirectory = running.server.socketDirectory!, options: Partial<BackupOptions> = {}): Promise<Manifest> {
        const source = {
            server: { ...running.server, socketDirectory },
            data: running.data,
            scratch: await mkdtemp(join(work, "copy-")),
        };
        return (await backup(at("primary"), store, source, { ...quiet, ...options })).manifest;
    }
    async function check(point: string, options: Partial<VerifyOptions> = {}): Promise<Finding> {
        const findings = await verify(at("standby"), store, { ...quiet, ...options });
        const found = findings.find((finding) => finding.point === point);
        assert.ok(found, `${point} was not looked at`);
        return found;
    }
    const copyOver = ({ point, contents }: Manifest) =>
        replicate(store, point, contents ? ["data", "contents", "manifest.json"] : ["data", "manifest.json"]);
    return {
        ...{ store, quiet, scratch, take, check, runOn, rowsOn, makeDatabase, server: running.server, replicate: copyOver },
        run: (database: string, statements: readonly string[]) => runOn(running.server, database, statements),
        rows: (database: string, sql: string) => rowsOn(running.server, database, sql),
        /** A backup, its replication and its verification. */
        async arrive(options: Partial<BackupOptions> = {}): Promise<Verified> {
            const manifest = await take(undefined, options);
            await copyOver(manifest);
            const finding = await check(manifest.point);
            assert.equal(finding.outcome, "verified", JSON.stringify(finding));
            return finding as Verified;
        },
        async leave() {
            await running.stop();
            leaveAccount();
        },
    };
}
