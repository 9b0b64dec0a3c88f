import { spawn } from "node:child_process";
import { pipeline } from "node:stream/promises";
import type { Engine } from "../../engines.ts";
import { readSql, type Dump } from "./dump.ts";

/** A database, and the application's user in it. */
export interface Place {
    host: string;
    port: number;
    database: string;
    password: string;
}

/** What the client is called with; it stops at the first error. Passwords go through the environment. */
const clients: Readonly<Record<Engine, (place: Place) => { command: string[]; env: Record<string, string> }>> = {
    mariadb: ({ host, port, database, password }) => ({
        command: [
            ...["mariadb", "--no-defaults", `--host=${host}`, `--port=${port}`, "--protocol=tcp", "--user=app"],
            ...["--batch", "--binary-mode", "--default-character-set=utf8mb4", "--max-allowed-packet=1073741824", `--database=${database}`],
        ],
        env: { MYSQL_PWD: password },
    }),
    postgres: ({ host, port, database, password }) => ({
        command: ["psql", "--no-psqlrc", "--no-password", "--quiet", "--set=ON_ERROR_STOP=1", "--output=/dev/null", "--file=-"],
        env: { PGHOST: host, PGPORT: String(port), PGUSER: "app", PGPASSWORD: password, PGDATABASE: database, PGCONNECT_TIMEOUT: "10" },
    }),
};

/** Streams a dump into a database as its application's user, over the wire. @returns what the client said when the server refused it */
export async function streamDump(
    dump: Pick<Dump, "file" | "compression" | "kind">,
    place: Place,
): Promise<{ seconds: number; refused?: string }> {
    const started = performance.now();
    const { command, env } = clients[dump.kind](place);
    const child = spawn(command[0]!, command.slice(1), {
        env: { ...process.env, LC_ALL: "C.UTF-8", ...env },
        stdio: ["pipe", "ignore", "pipe"],
    });
    let said = "";
    child.stderr.on("data", (text: Buffer) => (said = (said + text.toString()).slice(-2000)));
    const ended = new Promise<number | null>((resolve, reject) => child.on("error", reject).on("close", resolve));
    const [code, written] = await Promise.all([
        ended,
        pipeline(readSql(dump.file, dump.compression), child.stdin).then(
            () => undefined,
            (error: NodeJS.ErrnoException) => error,
        ),
    ]);
    const seconds = (performance.now() - started) / 1000;
    // MariaDB's client repeats the statement first, however long it is.
    const words = /^ERROR \d+ .*/ms.exec(said)?.[0] ?? said;
    if (code !== 0) return { seconds, refused: words.trim() || `${command[0]} ended with ${code}` };
    // A client that stops breaks the pipe, and says why itself; anything else is the file's fault.
    if (written) throw written;
    return { seconds };
}
