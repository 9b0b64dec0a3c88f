import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "../../../model/failure.ts";
import type { Copy, CopyFacts, CopySource } from "../../physical.ts";
import { startProgram } from "../../program.ts";
import { connectMariadb, secretOf, socketOf } from "../client.ts";

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
    // One line where a GTID is known; the list of several domains goes on over line breaks.
    const [, file, offset, gtid] =
        /^binlog_pos = filename '([^']+)', position '(\d+)', GTID of the last change '([^']*)'/m.exec(info) ?? [];
    if (file === undefined) return { version, position: "", next: checkpoint };
    return { version, position: gtid!.replaceAll(/\s/g, ""), log: { file, offset: Number(offset) }, next: checkpoint };
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
    // Refuses in words where the server does not answer.
    (await connectMariadb(server, null)).destroy();
    const program = startProgram(
        "mariadb-backup",
        [
            ...["--no-defaults", "--backup", "--stream=xbstream", `--parallel=${readers}`, `--target-dir=${join(scratch, "target")}`],
            ...[`--extra-lsndir=${scratch}`, `--datadir=${data}`, `--socket=${socket}`, `--user=${server.user}`],
        ],
        { env: secretOf(server), signal },
    );
    program.stdin.end();
    return { program, facts: async () => readFacts(scratch) };
}
