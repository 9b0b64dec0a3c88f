import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "../../model/failure.ts";
import type { PhysicalStore } from "../physical.ts";
import { startProgram } from "../program.ts";
import { secretOf, whereabouts } from "./client.ts";

const notYet = (): never => {
    throw new Failure("refused", "physical copies are on their way", "wait for the next commit");
};

export const physical: PhysicalStore = {
    way: "network",
    programs: [],
    copy: ({ server, data, scratch }, signal) => {
        const program = startProgram(
            "mariadb-backup",
            [...whereabouts(server), "--backup", "--stream=xbstream", `--datadir=${data}`, `--target-dir=${scratch}`, `--extra-lsndir=${scratch}`],
            { env: secretOf(server), signal },
        );
        program.stdin.end();
        const facts = () => {
            const found = /binlog_pos = filename '([^']+)', position '(\d+)', GTID of the last change '([^']*)'/.exec(
                readFileSync(join(scratch, "xtrabackup_info"), "utf8"),
            )!;
            return Promise.resolve({ version: "", position: found[3]! });
        };
        return Promise.resolve({ program, facts });
    },
    unpack: (directory, signal) => startProgram("mbstream", ["-x", "-C", directory], { signal }),
    start: notYet,
    contents: notYet,
    log: { identity: notYet, oldest: notYet, goesOn: notYet, receive: notYet, follows: notYet, reach: notYet, find: notYet },
};
