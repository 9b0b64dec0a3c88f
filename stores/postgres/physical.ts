import type { PhysicalStore } from "../physical.ts";
import { postgresContents } from "./physical/contents.ts";
import { copyPostgres } from "./physical/copy.ts";
import { log } from "./physical/log.ts";
import { ownerOf, startTool } from "./physical/programs.ts";
import { startPostgresScratch } from "./physical/scratch.ts";

/** PostgreSQL: pg_basebackup's copies, its write-ahead log, and servers that are started from both. */
export const physical: PhysicalStore = {
    way: "network",
    programs: [
        ...["pg_basebackup", "tar", "pg_verifybackup", "pg_waldump", "pg_controldata", "postgres", "pg_ctl", "initdb", "cp"],
        ...["pg_dump", "pg_dumpall", "pg_receivewal"],
    ],
    copy: copyPostgres,
    unpack(directory, signal) {
        // To the stream's end, and not only to the archive's: a program that stops reading before it breaks the pipe.
        const program = startTool("tar", ["--extract", "--ignore-zeros", "--file=-", `--directory=${directory}`, "--no-same-owner"], {
            signal,
            owner: ownerOf(directory),
        });
        program.stdout.resume();
        return program;
    },
    start: startPostgresScratch,
    contents: postgresContents,
    log,
};
