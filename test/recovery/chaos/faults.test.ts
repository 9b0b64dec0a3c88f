import { mariadb } from "../../../stores/mariadb/kind.ts";
import { postgres } from "../../../stores/postgres/kind.ts";
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { V1Pod } from "@kubernetes/client-node";
import mysql from "mysql2/promise";
import pg from "pg";
import { seconds } from "../../../model/units.ts";
import { holdConnections } from "../../../recovery/chaos/connections.ts";
import { delayAnswers } from "../../../recovery/chaos/latency.ts";
import { chaosLabel, jobDocument } from "../../../recovery/chaos/site.ts";
import { refusals } from "../../../sandbox/node/refusals.ts";
import { freePort } from "../../support/free-port.ts";
import { startMariadb, startPostgres } from "../../support/servers.ts";

const never = new AbortController().signal;

describe("the fault latency", function () {
    this.timeout(20_000);
    /** A server that answers each piece with itself, in capitals. */
    const echo = async () => {
        const server = createServer((socket) =>
            socket.on("data", (data: Buffer) => socket.write(data.toString().toUpperCase())).on("error", () => {}),
        );
        server.listen(0, "127.0.0.1");
        await once(server, "listening");
        return { server, address: `127.0.0.1:${(server.address() as AddressInfo).port}` };
    };
    const open = async (port: number) => {
        for (;;) {
            const socket = connect({ host: "127.0.0.1", port });
            try {
                await once(socket, "connect");
                return socket;
            } catch {
                await sleep(20);
            }
        }
    };

    it("hands every answer on late, whole and in order, ends by itself, and counts", async () => {
        const { server, address } = await echo();
        const listen = await freePort();
        let draws = 0;
        const started = performance.now();
        const running = delayAnswers(
            { to: [address], listen, delay: { ms: 200, jitterMs: 50 }, span: seconds(2), draw: () => (draws++ % 2 === 0 ? 1 : 0) },
            never,
        );
        const socket = await open(listen);
        let heard = "";
        const asked = performance.now();
        socket.on("data", (data: Buffer) => (heard += data));
        const first = once(socket, "data");
        socket.write("one ");
        await first;
        const late = performance.now() - asked;
        assert.ok(late >= 249 && late < 600, `${late} ms`);
        for (const word of ["two ", "three ", "four "]) {
            socket.write(word);
            await sleep(30);
        }
        await sleep(500);
        assert.equal(heard, "ONE TWO THREE FOUR ");
        await once(socket, "close");
        assert.deepEqual(await running, { connections: 1, bytes: 19 });
        const took = performance.now() - started;
        assert.ok(took >= 1990 && took < 4000, `${took} ms`);
        server.close();
        await assert.rejects(once(connect({ host: "127.0.0.1", port: listen }), "connect"));
    });

    it("keeps the order of pieces that come due at once, whatever the timers' rounding", async () => {
        const { server, address } = await echo();
        const listen = await freePort();
        const stop = new AbortController();
        const delay = { ms: 40, jitterMs: 40 };
        const running = delayAnswers({ to: [address], listen, delay, span: seconds(10), draw: Math.random }, stop.signal).catch(
            () => undefined,
        );
        const socket = await open(listen);
        let heard = "";
        socket.on("data", (data: Buffer) => (heard += data));
        const said = Array.from({ length: 300 }, (_, number) => `${number} `);
        for (const word of said) {
            socket.write(word);
            await sleep(1);
        }
        for (const end = performance.now() + 5_000; heard.length < said.join("").length && performance.now() < end;) await sleep(20);
        assert.equal(heard, said.join(""));
        stop.abort();
        await running;
        server.close();
    });

    it("hands on the last words of a server that closes after them", async () => {
        const server = createServer((socket) => socket.end("good bye"));
        server.listen(0, "127.0.0.1");
        await once(server, "listening");
        const listen = await freePort();
        const stop = new AbortController();
        const to = [`127.0.0.1:${(server.address() as AddressInfo).port}`];
        const running = delayAnswers({ to, listen, delay: { ms: 100, jitterMs: 0 }, span: seconds(10), draw: () => 0 }, stop.signal);
        const socket = await open(listen);
        let heard = "";
        for await (const data of socket) heard += data;
        assert.equal(heard, "good bye");
        stop.abort();
        assert.equal((await running).connections, 1);
        server.close();
    });
});

describe("the fault connections", function () {
    this.timeout(60_000);

    it("takes all that MariaDB gives, keeps an ordinary client out while it lasts, and gives all back", async () => {
        const server = await startMariadb({ arguments: ["--max-connections=15"] });
        const open = (user: string, password: string) => mysql.createConnection({ host: server.host, port: server.port, user, password });
        try {
            const root = await open("root", server.rootPassword);
            await root.query("create user 'app'@'%' identified by 'secret'");
            await root.query("create database shop");
            await root.query("grant all on shop.* to 'app'@'%'");
            const held = async () => {
                const [rows] = await root.query("select count(*) as n from information_schema.processlist where user = 'app'");
                return Number((rows as { n: number }[])[0]?.n);
            };
            const until = async (wanted: number) => {
                for (const end = Date.now() + 5000; (await held()) !== wanted && Date.now() < end;) await sleep(50);
                return held();
            };
            const address = { host: server.host, port: server.port, user: "app", password: "secret", database: "shop" };
            const running = holdConnections(mariadb, address, seconds(4), never);
            assert.equal(await until(14), 14, "15 less ours");
            await assert.rejects(open("app", "secret"), { code: "ER_CON_COUNT_ERROR" });
            const { held: most, refused } = await running;
            assert.equal(most, 14);
            assert.ok(refused > 1);
            assert.equal(await until(0), 0);
            await root.end();
        } finally {
            await server.stop();
        }
    });

    it("takes all that PostgreSQL gives to a client without privilege, and takes again what was taken from it", async () => {
        const server = await startPostgres({ arguments: ["-c", "max_connections=12"] });
        try {
            const superuser = new pg.Client({
                host: server.host,
                port: server.port,
                user: "postgres",
                password: server.rootPassword,
                database: "postgres",
            });
            await superuser.connect();
            await superuser.query("create role app login password 'secret'");
            const address = { host: server.host, port: server.port, user: "app", password: "secret", database: "postgres" };
            const running = holdConnections(postgres, address, seconds(4), never);
            const count = async () =>
                Number((await superuser.query("select count(*) as n from pg_stat_activity where usename = 'app'")).rows[0].n);
            const until = async (wanted: number) => {
                for (const end = Date.now() + 3000; (await count()) !== wanted && Date.now() < end;) await sleep(50);
                return count();
            };
            // 12 less ours and the three that are reserved for superusers.
            assert.equal(await until(8), 8);
            await superuser.query("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'app'");
            assert.equal(await until(8), 8);
            const { held, refused } = await running;
            assert.equal(held, 8);
            assert.ok(refused > 0);
            assert.equal(await until(0), 0);
            await superuser.end();
        } finally {
            await server.stop();
        }
    });

    it("fails where it never got one", async () => {
        const address = { host: "127.0.0.1", port: await freePort(), user: "app", password: "x", database: "x" };
        await assert.rejects(holdConnections(mariadb, address, seconds(5), never), /does not let app in/);
    });
});

describe("the Job of a fault", () => {
    const place = { image: "lifeboat/lifeboat:0.1.0", site: "primary", account: "123456789012", namespace: "orders" } as const;
    const jobs = [
        jobDocument({ id: "a", args: ["chaos"], span: seconds(60), passwordsOf: "orders-mysql" }, place),
        jobDocument({ id: "b", args: ["chaos"], span: seconds(60), joins: { labels: { app: "orders" }, port: 8080 } }, place),
    ];

    it("ends by the cluster's clock too, is never repeated, and takes itself away", () => {
        for (const { spec } of jobs)
            assert.deepEqual(
                [spec.activeDeadlineSeconds, spec.backoffLimit, spec.ttlSecondsAfterFinished, spec.template.spec.restartPolicy],
                [90, 0, 300, "Never"],
            );
    });
    it("asks for no privilege and no token, and the node takes it as it is", () => {
        for (const { spec } of jobs) {
            const pod = spec.template.spec;
            assert.deepEqual(refusals({ spec: pod } as unknown as V1Pod), []);
            assert.equal(pod.automountServiceAccountToken, false);
            assert.deepEqual(pod.containers[0]?.securityContext, {
                allowPrivilegeEscalation: false,
                capabilities: { drop: ["ALL"] },
                readOnlyRootFilesystem: true,
            });
        }
    });
    it("has the one password that it needs, and stands behind the Service that it slows", () => {
        assert.deepEqual(
            jobs.map(({ spec }) => spec.template.spec.volumes.length),
            [2, 1],
        );
        assert.deepEqual(
            jobs.map(({ spec }) => spec.template.metadata.labels),
            [{ [chaosLabel]: "a" }, { app: "orders", [chaosLabel]: "b" }],
        );
    });
});
