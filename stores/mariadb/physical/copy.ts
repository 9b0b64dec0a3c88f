import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "../../../model/failure.ts";
import type { Copy, CopyFacts, CopySource, LogPlace } from "../../physical.ts";
import { startProgram, type Program } from "../../program.ts";
import type { ServerAddress } from "../../adapter.ts";
import { lastWords } from "./words.ts";
import { secretOf, socketOf } from "../client.ts";
import { lacking } from "./rights.ts";

/** Files that are read at once: both cores of a small node. */
const readers = 2;

/** What mariadb-backup noted of its own work. https://mariadb.com/kb/en/files-created-by-mariadb-backup/ */
function readFacts(scratch: string): CopyFacts {
    const info = readFileSync(join(scratch, "xtrabackup_info"), "utf8");
    const value = (name: string) => new RegExp(`^${name} = (.*)$`, "m").exec(info)?.[1]?.trim();
    const version = value("server_version");
    const checkpoint = value("innodb_to_lsn");
    if (
        version === undefined ||
        checkpoint === undefined ||
        !/completed|full-backuped/.test(readFileSync(join(scratch, "xtrabackup_checkpoints"), "utf8"))
    )
        throw new Error("mariadb-backup ended well, and its notes do not say that the copy is whole");
    return { version, ...(shownBy(info) ?? { position: "" }), next: checkpoint };
}

/** What a copy's `xtrabackup_info` says of the moment that it shows; undefined of a server without a log. GTIDs: `gtid_current_pos`, one a domain. */
export function shownBy(info: string): { position: string; log: LogPlace } | undefined {
    const [, file, offset, gtids] =
        /^binlog_pos = filename '([^']+)', position '(\d+)', GTID of the last change '([^']*)'/m.exec(info) ?? [];
    return file === undefined ? undefined : { position: gtids!.replaceAll(/\s/g, ""), log: { file, offset: Number(offset) } };
}

/**
 * Copies a whole server as InnoDB and the others keep it, while it is written: mariadb-backup, beside the data directory.
 * @throws Failure("refused") where the data directory is not at hand; Failure("unavailable") where the server does not answer
 */
export async function copyMariadb({ server, data, scratch }: CopySource, signal: AbortSignal): Promise<Copy> {
    const socket = socketOf(server);
    if (data === undefined || socket === undefined)
        throw new Failure(
            "refused",
            "a MariaDB server is copied beside its data directory, and here there is none",
            "have the archive beside the server do it: lifeboat backup STORE",
        );
    const lacks = await lacking(server);
    if (lacks.length > 0)
        throw new Failure("refused", `the user of the copy may not read all of the server: ${lacks.join("; ")}`, "copy as its superuser");
    const program = startProgram(
        "mariadb-backup",
        [
            ...["--no-defaults", "--backup", "--stream=xbstream", `--parallel=${readers}`, `--target-dir=${join(scratch, "target")}`],
            ...[`--extra-lsndir=${scratch}`, `--datadir=${data}`, `--socket=${socket}`, `--user=${server.user}`],
        ],
        { env: secretOf(server), signal },
    );
    program.stdin.end();
    return { program: told(program, server), facts: async () => readFacts(scratch) };
}

/** The same program, with one sentence of its pages of notes when it fails. */
function told(program: Program, server: ServerAddress): Program {
    const ended = program.ended.catch((error: unknown) => {
        if (error instanceof Failure || (error as Error).name === "AbortError") throw error;
        // Of one that was killed the last words are about something else.
        const [killed] = /^\S+ ended with SIG[A-Z]+/.exec((error as Error).message) ?? [];
        const words = killed ?? lastWords(error);
        if (/connect to MariaDB server failed|Access denied|privilege/i.test(words))
            throw new Failure(
                "unavailable",
                `mariadb-backup is not let in as ${server.user}: ${words}`,
                "see that the server runs, and that the user is its superuser",
                { cause: error },
            );
        throw new Error(`the server could not be copied: ${words}`, { cause: error });
    });
    ended.catch(() => undefined); // told to whoever waits for it
    return { ...program, ended };
}
