import { fetchLog, type FetchedLog, type Until } from "./log/fetch.ts";
import type { LogPlace } from "../stores/physical.ts";
import type { Standpoint } from "./vault.ts";

export interface LogWant {
    readonly history: string;
    readonly from: LogPlace;
    readonly until: Until;
}

export type LogFound = Pick<FetchedLog, "reached" | "position" | "committedAt" | "bytes">;

/** A store's log in this site's vault, as verification and restore need it. */
export interface LogShelf {
    /**
     * Brings the files of a history into a directory, continuous from byte 0 of `from.file` on.
     * @throws Failure("no") naming the first range that is missing, or the piece that is damaged
     */
    fetch(want: LogWant, directory: string, signal: AbortSignal): Promise<LogFound>;
}

export const shelfOf = (standpoint: Standpoint, store: string): LogShelf => ({
    fetch: (want, directory, signal) => fetchLog(standpoint, store, want, directory, signal),
});
