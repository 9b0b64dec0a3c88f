import type { Moment } from "../../../model/moment.ts";
import type { Control } from "./control.ts";

const MiB = 1_048_576;

const quoted = (value: string | number | boolean): string =>
    typeof value === "string" ? `'${value.replaceAll("'", "''")}'` : typeof value === "boolean" ? (value ? "on" : "off") : String(value);

/** For sh, within restore_command, where % begins a placeholder. */
const shellQuoted = (path: string): string => `'${path.replaceAll("'", `'\\''`).replaceAll("%", "%%")}'`;

/** What the server is asked to stop at. A place is none of these: the log that it is handed ends there. */
function targetOf(until: Moment, replays: boolean): Record<string, string | boolean> {
    if (!replays) return { recovery_target: "immediate" };
    switch (until.to) {
        case "time":
            return { recovery_target_time: until.at.toISOString().replace("T", " ").replace("Z", "+00"), recovery_target_inclusive: false };
        case "before":
            if (!/^\d+$/.test(until.transaction)) throw new Error(`"${until.transaction}" is no number of a PostgreSQL transaction`);
            return { recovery_target_xid: until.transaction, recovery_target_inclusive: false };
        case "copy":
        case "newest":
        case "position":
        case "place":
            return {};
    }
}

export interface ScratchSettings {
    readonly control: Control;
    readonly socketDirectory: string;
    readonly hba: string;
    readonly ident: string;
    /** Directory with the log; undefined: the copy's own is all. */
    readonly log: string | undefined;
    readonly until: Moment;
    readonly memory: number;
}

/**
 * The whole configuration of a scratch server. Nothing of the copy's own is read: its libraries may be missing here, its certificates and folders are of another machine, and what it starts beside
 * (jobs, subscriptions, an archive command) would write, or reach the outside. What the data depends on is taken from the control file.
 */
export function scratchSettings({ control, socketDirectory, hba, ident, log, until, memory }: ScratchSettings): string {
    const connections = 32;
    const prepared = Math.max(control.prepared, 64);
    // As many locks as the source has room for: a dump of the schema takes one a table.
    const locks = Math.max(512, Math.ceil((control.locks * (control.connections + control.prepared)) / (connections + prepared)));
    const settings: Record<string, string | number | boolean> = {
        hba_file: hba,
        ident_file: ident,
        listen_addresses: "",
        unix_socket_directories: socketDirectory,
        unix_socket_permissions: "0700",
        port: 5432,
        // Nobody reads it before its replay is over, so that it needs no more room than its own few sessions take, whatever the source had.
        hot_standby: false,
        max_connections: connections,
        max_prepared_transactions: prepared,
        max_locks_per_transaction: locks,
        shared_buffers: `${Math.max(1, Math.floor(memory / MiB))}MB`,
        huge_pages: "off",
        // A pod's /dev/shm is small.
        dynamic_shared_memory_type: "mmap",
        max_parallel_workers_per_gather: 0,
        max_parallel_maintenance_workers: 0,
        // A subscription would go on in production's name.
        max_logical_replication_workers: 0,
        autovacuum: false,
        archive_mode: "off",
        wal_level: control.walLevel === "minimal" ? "replica" : control.walLevel,
        wal_log_hints: control.hints,
        track_commit_timestamp: control.commitTimes,
        // Every file is synced at once when it is stopped; a machine that fails before that has nothing that anybody used.
        fsync: false,
        full_page_writes: false,
        logging_collector: false,
        log_destination: "stderr",
        log_line_prefix: "",
        log_timezone: "UTC",
        lc_messages: "C",
        restore_command: log === undefined ? "false" : `cp ${shellQuoted(log)}/%f "%p"`,
        // Another one may exist where the same server was restored before; the copy's own is the one whose log is here.
        recovery_target_timeline: "current",
        recovery_target_action: "promote",
        ...targetOf(until, log !== undefined),
    };
    return Object.entries(settings)
        .map(([name, value]) => `${name} = ${quoted(value)}\n`)
        .join("");
}

/** The socket lies in a directory that only its owner enters. */
export const scratchAccess = "local all all trust\n";
