import type { LogSide, PhysicalStore } from "../physical.ts";
import { startProgram } from "../program.ts";
import type { ServerAddress } from "../adapter.ts";
import { connectMariadb, rowsOf } from "./client.ts";
import { mariadbContents } from "./physical/contents.ts";
import { copyMariadb } from "./physical/copy.ts";
import { gtidText, walk } from "./physical/events.ts";
import { findTransactions } from "./physical/find.ts";
import { follows, receiveBinlog } from "./physical/receiver.ts";
import { startMariadbScratch } from "./physical/scratch.ts";

async function ask<Row>(server: ServerAddress, sql: string, values: unknown[] = []): Promise<Row | undefined> {
    const connection = await connectMariadb(server, null);
    try {
        return (await rowsOf<Row>(connection, sql, values))[0];
    } finally {
        connection.destroy();
    }
}

const log: LogSide = {
    // A binary log's files have no name of their own beyond their number: what came before is told by GTIDs (goesOn).
    identity: () => Promise.resolve(""),
    async oldest(server) {
        const on = await ask<{ log: string }>(server, "SELECT @@log_bin AS log");
        if (Number(on?.log) !== 1) return undefined;
        return (await ask<{ Log_name: string }>(server, "SHOW BINARY LOGS"))?.Log_name;
    },
    async goesOn(server, { file, offset }, position) {
        const found = await ask<{ gtids: string | null }>(server, "SELECT BINLOG_GTID_POS(?, ?) AS gtids", [file, offset]);
        return found?.gtids !== null && found?.gtids !== undefined && (position === undefined || covered(found.gtids, position));
    },
    receive: (server, file, directory, signal) => Promise.resolve(receiveBinlog(server, file, directory, signal)),
    follows,
    async reach(path, from, to) {
        const { groups, end } = await walk(path, from, to);
        if (to !== undefined && end !== to) throw new Error(`${path}: no event ends at byte ${to}; the last one ends at ${end}`);
        const whole = groups.filter((group) => group.whole);
        const newest = whole.at(-1);
        return newest === undefined ? {} : { position: gtidText(whole), committedAt: newest.at };
    },
    find: findTransactions,
};

/** Whether each GTID of `position` is in the server's state as it is written there: another history has other ones. */
const covered = (state: string, position: string) => {
    const known = new Set(state.split(",").map((each) => each.trim()));
    return position.split(",").every((each) => known.has(each.trim()));
};

/** MariaDB: mariadb-backup's copies, the binary log, and servers that are started from both. */
export const physical: PhysicalStore = {
    way: "node",
    programs: ["mariadb-backup", "mbstream", "mariadbd", "mariadb", "mariadb-binlog", "mariadb-dump"],
    copy: copyMariadb,
    unpack(directory, signal) {
        const program = startProgram("mbstream", ["-x", "-C", directory], { signal });
        program.stdout.resume();
        return program;
    },
    start: startMariadbScratch,
    contents: mariadbContents,
    log,
};
