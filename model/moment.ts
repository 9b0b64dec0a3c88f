/** Which state of a store is wanted: how far its log is replayed on a copy. */
export type Moment =
    /** The copy's own, without any log. */
    | { readonly to: "copy" }
    /** All that the log has. */
    | { readonly to: "newest" }
    /** Whatever was committed before this instant. MariaDB's log tells whole seconds: what was committed within the instant's own second is left out. */
    | { readonly to: "time"; readonly at: Date }
    /** Everything up to this GTID (MariaDB, one a domain: "0-1-270,1-1-5") or LSN, and nothing after it. */
    | { readonly to: "position"; readonly position: string }
    /** Everything before this transaction: a GTID, or PostgreSQL's transaction number. */
    | { readonly to: "before"; readonly transaction: string }
    /** Everything up to this byte of a log file. */
    | { readonly to: "place"; readonly file: string; readonly offset: number };
