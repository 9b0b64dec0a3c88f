import { Failure } from "../../model/failure.ts";
import type { ServerAddress } from "../../stores/adapter.ts";
import type { LogSide } from "../../stores/physical.ts";
import type { Standpoint } from "../vault.ts";
import { chainOf, newestRun } from "./chain.ts";
import type { Cursor } from "./cut.ts";
import { newHistory } from "./key.ts";
import { historiesOf, piecesOf } from "./list.ts";

/** A history that is being shipped, and how far. */
export interface Open {
    readonly history: string;
    cursor: Cursor;
    /** Newest place that is put and ends a whole event, with the newest transaction by then. */
    clean: { readonly file: string; readonly offset: number; readonly position?: string };
}

/**
 * The newest history of this site's log of that server, as the names in the vault tell it. A site goes on only with what it began itself: the other site's server has a log of its own.
 * @returns undefined where nothing of this server was shipped
 */
export async function findHistory(standpoint: Standpoint, store: string, server: ServerAddress, log: LogSide): Promise<Open | undefined> {
    const identity = await log.identity(server);
    const ours = (await historiesOf(standpoint, store)).filter((name) => name.site === standpoint.site && name.identity === identity);
    const history = ours.at(-1)?.history;
    if (history === undefined) return undefined;
    const run = newestRun(chainOf(await piecesOf(standpoint, store, history)), log.follows);
    const last = run.at(-1);
    if (!last) return undefined;
    const position = run.findLast((range) => range.position !== undefined)?.position;
    return {
        history,
        cursor: { file: last.file, offset: last.bytes, ended: last.ended },
        clean: { file: last.file, offset: last.clean, ...(position === undefined ? {} : { position }) },
    };
}

/** @throws Failure("refused") for a server that keeps no log */
export async function beginHistory({ site }: Standpoint, server: ServerAddress, log: LogSide): Promise<Open> {
    const [identity, file] = await Promise.all([log.identity(server), log.oldest(server)]);
    if (file === undefined)
        throw new Failure("refused", "the server keeps no log", "turn its log on: without it only the moments of full copies are reached");
    return { history: newHistory(new Date(), site, identity), cursor: { file, offset: 0, ended: false }, clean: { file, offset: 0 } };
}
