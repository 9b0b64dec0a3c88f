import type pg from "pg";
import { Failure } from "../../../model/failure.ts";
import type { Copy, CopyFacts, CopySource } from "../../physical.ts";
import { connectPostgres, libpq } from "../client.ts";
import { lsnOf } from "../position.ts";
import { startTool } from "./programs.ts";
import { placeAt, segmentSize } from "./segment.ts";

interface Readiness {
    readonly version: string;
    readonly level: string;
    readonly segment: string;
    readonly allowed: boolean;
    readonly tablespaces: string | null;
}

/** @throws Failure("refused") for a server whose copy would not be the whole of it */
function judge({ level, segment, allowed, tablespaces }: Readiness): void {
    const refuse = (message: string, next: string) => new Failure("refused", message, next);
    if (!allowed) throw refuse("the user of the copy is no superuser", "copy as the server's superuser, over its socket");
    if (level === "minimal")
        throw refuse(
            "the server writes too little into its log to be copied (wal_level is minimal)",
            "set wal_level to replica, and restart it",
        );
    if (Number(segment) !== segmentSize)
        throw refuse(
            `files of the server's log have ${segment} bytes, and only 16 MiB are understood`,
            "make the server with initdb's default",
        );
    if (tablespaces !== null)
        throw refuse(
            `the server keeps data outside its data directory, which a copy in one stream leaves out: tablespace ${tablespaces}`,
            "move what is in it with ALTER TABLE … SET TABLESPACE pg_default, and drop it",
        );
}

async function readiness(client: pg.Client): Promise<Readiness> {
    const { rows } = await client.query<Readiness>(
        `SELECT current_setting('server_version') AS version, current_setting('wal_level') AS level,
                (SELECT setting FROM pg_settings WHERE name = 'wal_segment_size') AS segment,
                (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS allowed,
                (SELECT string_agg(spcname, ', ' ORDER BY spcname) FROM pg_tablespace WHERE spcname NOT IN ('pg_default', 'pg_global')) AS tablespaces`,
    );
    return rows[0]!;
}

/** As pg_basebackup --verbose tells it. */
const beginning = /write-ahead log start point: (\S+) on timeline (\d+)/;
const ending = /write-ahead log end point: (\S+)/;

/**
 * A copy as one tar, with the log that makes it consistent and with a manifest of its files' checksums (pg_basebackup puts it into the tar where that goes to stdout). Where the server has
 * checksums on its pages, each page's is checked on the way. https://www.postgresql.org/docs/15/app-pgbasebackup.html
 */
export async function copyPostgres({ server }: CopySource, signal: AbortSignal): Promise<Copy> {
    const holder = await connectPostgres(server, "postgres");
    let ready: Readiness;
    try {
        ready = await readiness(holder);
        judge(ready);
        // The log from here on stays until this session ends: a checkpoint during the copy would otherwise remove what the copy still has to take.
        await holder.query("SELECT pg_create_physical_replication_slot('lifeboat_copy_' || pg_backend_pid(), true, true)");
    } catch (error) {
        await holder.end();
        throw error;
    }
    let said = "";
    const program = startTool(
        "pg_basebackup",
        [
            ...["--pgdata=-", "--format=tar", "--wal-method=fetch", "--checkpoint=fast", "--label=lifeboat"],
            ...["--manifest-checksums=CRC32C", "--no-estimate-size", "--verbose", "--no-password"],
        ],
        { env: libpq(server, "postgres"), signal, onSaid: (text) => (said = (said + text).slice(-65_536)) },
    );
    program.stdin.end();
    void program.ended.catch(() => {}).then(() => holder.end().catch(() => {}));
    return { program, facts: () => program.ended.then(() => factsOf(said, ready.version)) };
}

function factsOf(said: string, version: string): CopyFacts {
    const timeline = beginning.exec(said)?.[2];
    const position = ending.exec(said)?.[1];
    if (timeline === undefined || position === undefined)
        throw new Error(`pg_basebackup did not say where its copy begins and ends: ${said.trim().slice(-1_000)}`);
    const { file } = placeAt(Number(timeline), lsnOf(position));
    return { version, position, log: { file, offset: 0 } };
}
