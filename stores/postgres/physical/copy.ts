import { Failure } from "../../../model/failure.ts";
import type { Copy, CopySource } from "../../physical.ts";
import { startProgram } from "../../program.ts";
import { connectPostgres, hostOf } from "../client.ts";
import { postgresProgram } from "./programs.ts";
import { formatLsn, parseLsn, segmentOf } from "./wal.ts";

/** The environment that libpq's programs read; passwords stay off the command line. */
export const libpq = (server: CopySource["server"], name: string): Record<string, string> => ({
    PGHOST: hostOf(server),
    PGPORT: String(server.port),
    PGUSER: server.user,
    PGPASSWORD: server.password,
    PGCONNECT_TIMEOUT: "5",
    PGAPPNAME: name,
});

/**
 * Copies a whole server while it is written: pg_basebackup's tar stream, with the log that makes it consistent in it and its manifest.
 * @throws Failure("refused") for a server with tablespaces: a stream has room for the main one alone
 */
export async function copyPostgres({ server }: CopySource, signal: AbortSignal): Promise<Copy> {
    const client = await connectPostgres(server, "postgres");
    try {
        const { rows } = await client.query<{ version: string; spaces: string | null; segment: string; replica: boolean }>(
            `SELECT current_setting('server_version') AS version, current_setting('wal_segment_size') AS segment, pg_is_in_recovery() AS replica,
                    (SELECT string_agg(spcname, ', ') FROM pg_tablespace WHERE spcname NOT IN ('pg_default', 'pg_global')) AS spaces`,
        );
        const { version, spaces, segment } = rows[0]!;
        if (spaces !== null)
            throw new Failure(
                "refused",
                `the server has the tablespaces ${spaces}: a copy of it is not made yet`,
                "move their tables to pg_default: ALTER TABLE … SET TABLESPACE pg_default",
            );
        if (segment !== "16MB")
            throw new Failure(
                "refused",
                `the server's log has segments of ${segment}, and only 16MB are known`,
                "make the server with initdb's default --wal-segsize",
            );
        // For as long as this session lives the server keeps the log that the copy needs at its end.
        await client.query("SELECT pg_create_physical_replication_slot('lifeboat_copy_' || pg_backend_pid(), true, true)");
        const program = startProgram(
            postgresProgram("pg_basebackup"),
            ["--pgdata=-", "--format=tar", "--wal-method=fetch", "--checkpoint=fast", "--no-password", "--verbose"],
            { env: libpq(server, "lifeboat_copy"), signal },
        );
        program.stdin.end();
        const end = () => void client.end().catch(() => undefined); // a session that broke has let its slot go, too
        program.ended.then(end, end);
        return {
            program,
            facts: async () => {
                const said = program.said();
                const [, stop] = /write-ahead log end point: ([0-9A-F]+\/[0-9A-F]+)/.exec(said) ?? [];
                const [, timeline] = /on timeline (\d+)/.exec(said) ?? [];
                if (stop === undefined || timeline === undefined)
                    throw new Error("pg_basebackup ended well, and did not say where its copy ends");
                const position = parseLsn(stop);
                const file = segmentOf(Number(timeline).toString(16).toUpperCase().padStart(8, "0"), position);
                return { version, position: formatLsn(position), log: { file, offset: 0 } };
            },
        };
    } catch (error) {
        await client.end();
        throw error;
    }
}
