import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { startGate, type Gate } from "../../../recovery/databases/gate.ts";

describe("a gate", function () {
    this.timeout(30_000);
    let server: Server;
    let gate: Gate;
    let passing = true;
    let serve: (socket: Socket) => void;
    const sockets = new Set<Socket>();
    const portOf = (each: Server) => (each.address() as AddressInfo).port;

    beforeEach(async () => {
        passing = true;
        serve = (socket) => socket.pipe(socket);
        server = createServer({ allowHalfOpen: true }, (socket) => {
            sockets.add(socket.on("error", () => undefined));
            serve(socket);
        }).listen(0, "127.0.0.1");
        await once(server, "listening");
        gate = await startGate({ listen: { host: "127.0.0.1", port: 0 }, server: portOf(server), passes: () => passing });
    });
    afterEach(async () => {
        await gate.close();
        for (const socket of sockets) socket.destroy();
        sockets.clear();
        await new Promise((resolve) => server.close(resolve));
    });

    const client = async (port = gate.port): Promise<Socket> => {
        const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
        sockets.add(socket);
        await once(socket, "connect");
        return socket;
    };
    const said = async (socket: Socket): Promise<string> => String(((await once(socket, "data")) as [Buffer])[0]);
    /** What became of a connection: everything that came, and how it ended. */
    const fate = (socket: Socket): Promise<string> =>
        new Promise((resolve) => {
            let text = "";
            socket.on("data", (chunk: Buffer) => (text += chunk.toString()));
            socket.on("error", (error: NodeJS.ErrnoException) => resolve(`${text}${error.code}`));
            socket.on("end", () => resolve(`${text}end`));
        });

    it("passes what both sides say, from an address that is not the superuser's", async () => {
        let from: string | undefined;
        serve = (socket) => {
            from = socket.remoteAddress;
            socket.pipe(socket);
        };
        const socket = await client();
        socket.write("hello");
        assert.equal(await said(socket), "hello");
        assert.equal(from, "127.0.0.2");
        assert.equal(gate.sessions(), 1);
    });

    it("passes 64 MiB to a slow reader whole, without keeping it", async () => {
        const chunk = randomBytes(1 << 20);
        const hash = createHash("sha256");
        let written = 0;
        serve = (socket) => {
            const more = () => {
                while (written < 64) {
                    written++;
                    hash.update(chunk);
                    if (!socket.write(chunk)) return void socket.once("drain", more);
                }
                socket.end();
            };
            more();
        };
        const socket = await client();
        await sleep(300);
        assert.ok(written < 32, `${written} MiB were taken from the server while nobody read`);
        const received = createHash("sha256");
        for await (const part of socket) received.update(part as Buffer);
        assert.equal(received.digest("hex"), hash.digest("hex"));
    });

    it("passes on that one side has said all, and goes on hearing the other", async () => {
        serve = (socket) => {
            let heard = "";
            socket.on("data", (data: Buffer) => (heard += data.toString()));
            socket.on("end", () => socket.end(`you said ${heard}`));
        };
        const socket = await client();
        const answer = fate(socket);
        socket.end("all");
        assert.equal(await answer, "you said allend");
    });

    it("lets nobody in while it may not pass", async () => {
        let reached = false;
        serve = () => (reached = true);
        passing = false;
        const socket = connect({ port: gate.port, host: "127.0.0.1" });
        sockets.add(socket);
        assert.equal(await fate(socket), "ECONNRESET");
        assert.equal(reached, false);
    });

    it("lets no answer out from the instant at which it may not pass, and ends the session instead", async () => {
        const socket = await client();
        socket.write("before;");
        assert.equal(await said(socket), "before;");
        const ended = fate(socket);
        passing = false;
        socket.write("after");
        assert.equal(await ended, "ECONNRESET");
        assert.equal(gate.sessions(), 0);
    });

    it("drops those who say nothing, too", async () => {
        const idle = await client();
        idle.write("x");
        await said(idle);
        const ended = fate(idle);
        gate.drop();
        assert.equal(await ended, "ECONNRESET");
    });

    it("resets a client whose server does not answer, and serves the next one", async () => {
        const deaf = await startGate({ listen: { host: "127.0.0.1", port: 0 }, server: 1, passes: () => true });
        try {
            const socket = connect({ port: deaf.port, host: "127.0.0.1" });
            sockets.add(socket);
            assert.equal(await fate(socket), "ECONNRESET");
            assert.equal(deaf.sessions(), 0);
        } finally {
            await deaf.close();
        }
    });

    describe("that is stopped where it stands (SIGSTOP)", () => {
        /** What a client hears of an answer that the server gave while the gate stood still for 1.5 s. */
        async function afterPause(lease: number): Promise<string> {
            const child = spawn(
                process.execPath,
                [fileURLToPath(new URL("gate-process.ts", import.meta.url)), String(portOf(server)), String(lease)],
                {
                    stdio: ["ignore", "pipe", "inherit"],
                },
            );
            try {
                const [port] = (await once(child.stdout, "data")) as [Buffer];
                const socket = await client(Number(String(port)));
                socket.write("before;");
                assert.equal(await said(socket), "before;");
                child.kill("SIGSTOP");
                let served: Socket | undefined;
                for (const each of sockets) if (each.remoteAddress === "127.0.0.2") served = each;
                served!.write("committed");
                await sleep(1500);
                const heard = said(socket).catch((error: NodeJS.ErrnoException) => error.code);
                child.kill("SIGCONT");
                return String(await heard);
            } finally {
                child.kill("SIGKILL");
                await once(child, "exit");
            }
        }

        it("lets nothing out after the lease's end, though the answer had come before", async () => {
            assert.equal(await afterPause(1), "ECONNRESET");
        });

        it("goes on where it was while the lease still holds", async () => {
            assert.equal(await afterPause(60), "committed");
        });
    });
});
