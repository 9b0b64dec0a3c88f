import type { LogSide, PhysicalStore } from "../physical.ts";
import { startProgram } from "../program.ts";
import type { ServerAddress } from "../adapter.ts";
import { connectMariadb, rowsOf } from "./client.ts";
import { mariadbContents } from "./physical/contents.ts";
import { copyMariadb } from "./physical/copy.ts";
import { walk, type EventGroup, type Gtid } from "./physical/events.ts";
import { parseGtids, type Gtids } from "./physical/gtids.ts";
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
        return typeof found?.gtids === "string" && (position === undefined || isBehind(parseGtids(found.gtids), position));
    },
    receive: receiveBinlog,
    follows,
    async reach(path, from, to) {
        const state = new Map<number, Gtid>();
        let newest: EventGroup | undefined;
        const keep = (gtid: Gtid) => {
            // Its newest last: that is the transaction which ends there.
            state.delete(gtid.domain);
            state.set(gtid.domain, gtid);
        };
        const take = (group: EventGroup) => {
            if (group.whole) keep((newest = group));
            return true;
        };
        const { end } = await walk(path, { from, ...(to === undefined ? {} : { to }) }, take, (before) => before.forEach(keep));
        if (to !== undefined && end !== to) throw new Error(`${path}: no event ends at byte ${to}; the last one ends at ${end}`);
        if (newest === undefined) return {};
        return {
            position: [...state.values()].map(({ domain, server, sequence }) => `${domain}-${server}-${sequence}`).join(","),
            committedAt: newest.at,
        };
    },
    find: findTransactions,
};

/**
 * Whether a server's state at a place is that of `reach`: its last transaction is the newest in both. Other domains may have gone on between, unseen by `reach`, and have never another server's transaction of the same number.
 */
function isBehind(state: Gtids, position: string): boolean {
    const said = [...parseGtids(position)];
    return said.every(([domain, { server, sequence }], index) => {
        const own = state.get(domain);
        if (own === undefined || own.sequence < sequence) return false;
        if (own.sequence === sequence) return own.server === server;
        return index < said.length - 1;
    });
}

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
