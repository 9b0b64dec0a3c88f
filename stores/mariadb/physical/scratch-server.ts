import { spawn, type ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type mysql from "mysql2/promise";
import type { ServerAddress } from "../../adapter.ts";
import { connectMariadb, largestPacket } from "../client.ts";
import { initial } from "./superuser.ts";

const startMs = 120_000;

/** What mariadb-backup writes of the server's own settings, because the files need them: backup-my.cnf. */
function formatOf(directory: string): string[] {
    const text = readFileSync(join(directory, "backup-my.cnf"), "utf8");
    const needed = ["innodb_page_size", "innodb_data_file_path", "innodb_undo_tablespaces", "innodb_checksum_algorithm"];
    return needed.flatMap((name) => {
        const [, value] = new RegExp(`^${name}=(.*)$`, "m").exec(text) ?? [];
        return value === undefined ? [] : [`--${name.replaceAll("_", "-")}=${value}`];
    });
}

export interface Running {
    readonly child: ChildProcess;
    readonly exited: Promise<void>;
    said(): string;
}

/**
 * No event runs, and nobody but the owner of the socket's directory reaches it. It keeps no log: what is replayed is in one already, and `CREATE TABLE … SELECT` would come out of a client as two
 * transactions, of which the second takes the next one's number.
 * @param home a directory of its own, with the statements that it starts with
 */
export function launch(directory: string, home: string, memory: number): Running {
    const settings = [
        ...[
            `--datadir=${directory}`,
            `--socket=${join(home, "mysqld.sock")}`,
            `--pid-file=${join(home, "pid")}`,
            `--tmpdir=${home}`,
            `--init-file=${join(home, initial)}`,
        ],
        ...["--skip-networking", "--skip-slave-start", "--skip-name-resolve", "--event-scheduler=OFF"],
        ...["--server-id=1", "--skip-log-bin"],
        ...["--character-set-server=utf8mb4", `--max-allowed-packet=${largestPacket}`, `--innodb-buffer-pool-size=${memory}`],
        // Nothing of it outlives this process but by an orderly end.
        ...["--innodb-flush-log-at-trx-commit=0", "--sync-binlog=0", ...formatOf(directory)],
    ];
    // The server refuses to be root unless it is told so.
    const owner = process.getuid?.() === 0 ? ["--user=root"] : [];
    const child = spawn("mariadbd", ["--no-defaults", ...owner, ...settings], { stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr])
        stream.on("data", (text: Buffer) => (output = (output + text.toString()).slice(-8000)));
    const exited = new Promise<void>((resolve) =>
        child.on("error", (error) => ((output += error.message), resolve())).on("close", () => resolve()),
    );
    return { child, exited, said: () => output };
}

export async function untilItAnswers(address: ServerAddress, running: Running, signal: AbortSignal): Promise<mysql.Connection> {
    let over = false;
    void running.exited.then(() => (over = true));
    for (const deadline = performance.now() + startMs; ; await sleep(50, undefined, { signal })) {
        if (over) throw new Error(`the server does not start from the copy: ${errorsIn(running.said())}`);
        try {
            return await connectMariadb(address, null);
        } catch (error) {
            if (performance.now() > deadline) throw new Error(`the server did not answer within ${startMs / 1000} s`, { cause: error });
        }
    }
}
export const errorsIn = (said: string) =>
    said
        .split("\n")
        .filter((line) => /\[ERROR\]/.test(line))
        .slice(-3)
        .join("; ") || said.slice(-500);
