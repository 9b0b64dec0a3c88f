import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createServer, connect, type AddressInfo, type Server, type Socket } from "node:net";
import { buffer } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { Failure } from "../../../model/failure.ts";
import type { Identity } from "../../../recovery/archive/channel.ts";
import { askForBackup, askForCopy, copyWhenItMay, type ArchiveAddress } from "../../../recovery/archive/client.ts";
import { serveArchive, type ArchiveTools } from "../../../recovery/archive/server.ts";
import { Turn } from "../../../recovery/archive/turn.ts";
import type { CopyFacts } from "../../../stores/physical.ts";
import { startProgram, type Program } from "../../../stores/program.ts";

const passwords: Readonly<Record<Identity, string>> = { backup: "b".repeat(32), replication: "r".repeat(32), root: "s".repeat(32) };
const facts: CopyFacts = { version: "10.11", position: "0-1-7", log: { file: "binlog.000002", offset: 344 } };
const unavailable = (message: RegExp) => (error: unknown) =>
    error instanceof Failure && error.exit === "unavailable" && message.test(error.message);

describe("An archive beside a server", function () {
    this.timeout(30_000);

    let open: { close(): Promise<void> }[] = [];
    let programs: Program[] = [];
    const notes: string[] = [];
    afterEach(async () => {
        await Promise.all(open.map((each) => each.close()));
        for (const program of programs) program.kill();
        [open, programs] = [[], []];
        notes.length = 0;
    });

    /** A copy that is a shell's output. */
    const copying =
        (script: string): ArchiveTools["copy"] =>
        (signal) => {
            const program = startProgram("sh", ["-c", script], { signal });
            program.stdin.end();
            programs.push(program);
            return Promise.resolve({ copy: { program, facts: () => Promise.resolve(facts) }, done: () => Promise.resolve() });
        };
    async function serve(tools: Partial<ArchiveTools> = {}): Promise<number> {
        const archive = await serveArchive({
            store: "orders",
            listen: { host: "127.0.0.1", port: 0 },
            password: (identity) => passwords[identity],
            backup: () => Promise.resolve({ seconds: 1 }),
            copy: copying("printf all"),
            turn: new Turn(),
            note: (line) => void notes.push(line),
            signal: new AbortController().signal,
            ...tools,
        });
        open.push(archive);
        return archive.port;
    }
    const as = (identity: Identity, port: number, password = passwords[identity]): ArchiveAddress => ({
        ...{ store: "orders", host: "127.0.0.1", port, identity, password },
    });
    const never = new AbortController().signal;
    const ignore = () => {};

    describe("asked for a copy", () => {
        it("sends every byte, and behind them what the copy shows", async () => {
            const port = await serve({ copy: copying("head -c 30000000 /dev/zero") });
            const copy = await askForCopy(as("replication", port), never);
            const hash = createHash("sha256");
            let bytes = 0;
            for await (const chunk of copy.stream) {
                hash.update(chunk as Buffer);
                bytes += (chunk as Buffer).length;
            }
            assert.equal(bytes, 30_000_000);
            assert.equal(hash.digest("hex"), createHash("sha256").update(Buffer.alloc(30_000_000)).digest("hex"));
            assert.deepEqual(await copy.facts(), facts);
        });
        it("never lets a stream end well whose program failed behind its last byte", async () => {
            const port = await serve({ copy: copying("printf all; echo 'page 7 is corrupt' >&2; exit 3") });
            const copy = await askForCopy(as("replication", port), never);
            await assert.rejects(buffer(copy.stream), /page 7 is corrupt/);
            await assert.rejects(copy.facts(), /page 7 is corrupt/);
        });
        it("never lets a stream end well that was cut off on its way, wherever", async () => {
            const port = await serve({ copy: copying("head -c 3000000 /dev/zero") });
            for (const bytes of [20_000, 500_000, 2_900_000, 3_000_900]) {
                const cut = await cutting(port, bytes);
                open.push(cut);
                await assert.rejects(
                    async () => {
                        const copy = await askForCopy(as("replication", cut.port), never);
                        const all = await buffer(copy.stream);
                        assert.fail(`${all.length} bytes were taken for all of them`);
                    },
                    unavailable(/broke off after|does not answer/),
                );
            }
        });
        it("tells a copy that could not begin as its own failure", async () => {
            const refusal = new Failure("refused", "the server keeps no log: ä", "switch it on");
            const port = await serve({ copy: () => Promise.reject(refusal) });
            await assert.rejects(askForCopy(as("replication", port), never), {
                exit: "refused",
                message: refusal.message,
                next: refusal.next,
            });
        });
        it("kills the copying program when whoever asked is gone, and is free again", async () => {
            const turn = new Turn();
            const port = await serve({ turn, copy: copying("yes") });
            const stop = new AbortController();
            const copy = await askForCopy(as("replication", port), stop.signal);
            copy.stream.once("data", () => stop.abort(new Error("enough")));
            await assert.rejects(buffer(copy.stream), /enough|abort/i);
            await assert.rejects(programs[0]!.ended);
            while (turn.current !== undefined) await sleep(10);
        });
        it("gives a peer up that takes no bytes, though its connection stands", async () => {
            const turn = new Turn();
            const port = await serve({ turn, copy: copying("yes"), silence: 600 });
            const copy = await askForCopy(as("replication", port), never);
            copy.stream.pause();
            await assert.rejects(programs[0]!.ended);
            while (turn.current !== undefined) await sleep(10);
            assert.match(notes.join("\n"), /took no byte for 0.6 s/);
            await assert.rejects(buffer(copy.stream));
        });
        it("gives an archive up that says nothing", async () => {
            const port = await serve({ copy: copying("sleep 30") });
            const copy = await askForCopy({ ...as("replication", port), silence: 500 }, never);
            await assert.rejects(buffer(copy.stream), unavailable(/broke off after 0 bytes/));
            await assert.rejects(programs[0]!.ended);
        });
        it("is asked again while another copy is under way", async () => {
            const turn = new Turn();
            const port = await serve({ turn });
            const held = turn.take("a backup for backup at 127.0.0.1");
            const told: string[] = [];
            const coming = copyWhenItMay(as("replication", port), (line) => void told.push(line), never);
            while (told.length === 0) await sleep(10);
            held[Symbol.dispose]();
            assert.equal((await buffer((await coming).stream)).toString(), "all");
            assert.match(told.join(), /under way is a backup for backup at 127.0.0.1 since 2/);
        });
    });

    describe("asked for a backup", () => {
        it("passes its notes on as they come, and then its report", async () => {
            const more = Promise.withResolvers<void>();
            const port = await serve({
                backup: async ({ note }) => {
                    note("copying");
                    await more.promise;
                    return { manifest: { point: "p" } };
                },
            });
            const told: string[] = [];
            const asked = askForBackup(as("backup", port), (line) => void told.push(line), never);
            while (told.length === 0) await sleep(10);
            assert.deepEqual(told, ["copying"]);
            more.resolve();
            assert.deepEqual(await asked, { manifest: { point: "p" } });
        });
        it("passes its failure on with exit and next step", async () => {
            const failed = new Failure("no", "the backup of orders failed", "correct the cause", { cause: new Error("disk full") });
            const port = await serve({ backup: () => Promise.reject(failed) });
            await assert.rejects(askForBackup(as("backup", port), ignore, never), {
                exit: "no",
                message: "the backup of orders failed (disk full)",
                next: "correct the cause",
            });
        });
        it("refuses a second one, and says who runs since when", async () => {
            const port = await serve({ backup: ({ signal }) => untilAborted(signal) });
            const stop = new AbortController();
            const first = assert.rejects(askForBackup(as("backup", port), ignore, stop.signal), /enough/);
            while (!notes.some((line) => line.includes("begins"))) await sleep(10);
            await assert.rejects(
                askForBackup(as("root", port), ignore, never),
                unavailable(/a backup for backup at 127.0.0.1 since 2\d{3}-/),
            );
            stop.abort(new Error("enough"));
            await first;
        });
        it("stops the backup when whoever asked is gone, and takes the next one", async () => {
            const aborted = Promise.withResolvers<void>();
            let runs = 0;
            const port = await serve({
                backup: async ({ signal }) => {
                    runs += 1;
                    if (runs > 1) return "second";
                    await untilAborted(signal).finally(() => aborted.resolve());
                    return "first";
                },
            });
            const stop = new AbortController();
            const first = assert.rejects(askForBackup(as("backup", port), ignore, stop.signal), /enough/);
            while (runs === 0) await sleep(10);
            stop.abort(new Error("enough"));
            await Promise.all([first, aborted.promise]);
            await sleep(50);
            assert.equal(await askForBackup(as("backup", port), ignore, never), "second");
        });
        it("lets nobody take a broken-off answer for a report", async () => {
            const controller = new AbortController();
            const port = await serve({ signal: controller.signal, backup: ({ signal }) => untilAborted(signal) });
            const cut = await cutting(port, 100_000);
            open.push(cut);
            const asked = askForBackup(as("backup", cut.port), ignore, never);
            while (!notes.some((line) => line.includes("begins"))) await sleep(10);
            cut.cut();
            await assert.rejects(asked, unavailable(/broke off in the middle of a backup/));
        });
        it("is waited for as long as it says that it lives, and no longer than it is silent", async () => {
            const slow = await serve({ heartbeat: 100, backup: () => sleep(1_500, "late") });
            assert.equal(await askForBackup({ ...as("backup", slow), silence: 600 }, ignore, never), "late");
            const mute = await serve({ heartbeat: 60_000, backup: () => sleep(3_000, "late") });
            await assert.rejects(
                askForBackup({ ...as("backup", mute), silence: 500 }, ignore, never),
                unavailable(/silent for 0.5 s|broke off/),
            );
        });
    });

    describe("asked by the wrong one", () => {
        it("does not let a wrong password in, nor a name that it does not know, and starts nothing", async () => {
            let started = 0;
            const port = await serve({ backup: () => Promise.resolve((started += 1)) });
            await assert.rejects(
                askForBackup(as("backup", port, "x".repeat(32)), ignore, never),
                unavailable(/does not take the password of backup/),
            );
            await assert.rejects(
                askForBackup({ ...as("backup", port), identity: "app" as Identity }, ignore, never),
                unavailable(/does not answer|does not take/),
            );
            assert.equal(started, 0);
            assert.match(notes.join("\n"), /did not get in/);
        });
        it("gives no backup to who may only replicate", async () => {
            const port = await serve();
            await assert.rejects(askForBackup(as("replication", port), ignore, never), {
                exit: "refused",
                message: /replication may not ask for POST \/backup/,
            });
        });
        it("says nothing to who speaks no TLS, or offers no password", async () => {
            const port = await serve();
            const socket = connect(port, "127.0.0.1");
            socket.write("GET /copy HTTP/1.1\r\nhost: a\r\n\r\n");
            assert.doesNotMatch((await buffer(socket).catch(() => Buffer.alloc(0))).toString(), /HTTP/);
        });
        it("is not let in by an empty password file at both ends", async () => {
            const port = await serve({ password: () => "" });
            await assert.rejects(askForCopy(as("replication", port, ""), never), unavailable(/./));
        });
    });

    it("is said not to answer where nobody listens", async () => {
        const port = await serve();
        await Promise.all(open.splice(0).map((each) => each.close()));
        await assert.rejects(
            askForCopy(as("replication", port), never),
            unavailable(/archive of orders at 127.0.0.1:\d+ does not answer: .*ECONNREFUSED/),
        );
    });
});

async function untilAborted(signal: AbortSignal): Promise<never> {
    await sleep(60_000, undefined, { signal }).catch(() => {});
    throw signal.reason;
}

/** A way to a port that ends when so many bytes have come back. */
async function cutting(to: number, bytes: number): Promise<{ port: number; cut(): void; close(): Promise<void> }> {
    const sockets = new Set<Socket>();
    const cut = () => sockets.forEach((socket) => socket.destroy());
    const server: Server = createServer((near) => {
        const far = connect(to, "127.0.0.1");
        for (const socket of [near, far]) {
            sockets.add(socket);
            socket.on("error", () => {});
        }
        near.pipe(far);
        let left = bytes;
        far.on("data", (chunk) => {
            if (chunk.length >= left) near.end(chunk.subarray(0, left), () => cut());
            else near.write(chunk);
            left -= chunk.length;
        });
        near.on("close", () => far.destroy());
        far.on("close", () => near.destroy());
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return {
        port: (server.address() as AddressInfo).port,
        cut,
        close: () => new Promise((resolve) => (cut(), server.close(() => resolve()))),
    };
}
