import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import mysql from "mysql2/promise";
import { passwords, type Pod } from "./pod.ts";

/** Over TCP, through the gate; or as the superuser through the pod's socket. */
export async function connect(pod: Pod, user: string, password: string, database: string | undefined = "shop"): Promise<mysql.Connection> {
    const where = user === "root" ? { socketPath: `${pod.place.socketDirectory}/mysqld.sock` } : { host: "127.0.0.1", port: pod.port };
    const connection = await mysql.createConnection({
        ...where,
        user,
        password,
        ...(database === undefined ? {} : { database }),
        connectTimeout: 3000,
        supportBigNumbers: true,
        bigNumberStrings: true,
    });
    connection.on("error", () => {});
    return connection;
}

/** @returns the rows of the last statement */
export async function run(pod: Pod, user: string, password: string, ...statements: string[]): Promise<Record<string, unknown>[]> {
    const connection = await connect(pod, user, password);
    try {
        let rows: unknown = [];
        for (const statement of statements) [rows] = await connection.query(statement);
        return rows as Record<string, unknown>[];
    } finally {
        connection.destroy();
    }
}
export const admin = (pod: Pod, ...statements: string[]) => run(pod, "root", passwords.root, ...statements);
export const app = (pod: Pod, ...statements: string[]) => run(pod, "app", passwords.app, ...statements);

export async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
    for (const deadline = Date.now() + 30_000; Date.now() < deadline; await sleep(50)) if (await holds()) return;
    assert.fail(`${what}: not within 30 s`);
}
export const replica = async (pod: Pod) => (await admin(pod, "SHOW SLAVE STATUS"))[0] as Record<string, string>;
export const positionOf = async (pod: Pod) => String((await admin(pod, "SELECT @@gtid_current_pos AS p"))[0]?.["p"]);
/** Whether it has received all that the other wrote. */
export const received = (from: Pod, to: Pod) =>
    until("it receives", async () => (await replica(to))["Gtid_IO_Pos"] === (await positionOf(from)));
export const numbersIn = async (pod: Pod) => (await admin(pod, "SELECT number FROM orders ORDER BY 1")).map(({ number }) => Number(number));
