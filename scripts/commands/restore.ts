import { Command } from "commander";
import { restoreInto } from "../../backup/into.ts";
import { drill, restoreToDirectory, type RestoreReport } from "../../backup/restore.ts";
import { storeOf } from "../../backup/backup.ts";
import { Failure } from "../../model/failure.ts";
import { stayBehind } from "../background.ts";
import { interruption } from "../interruption.ts";
import { momentOf, type MomentOptions } from "../moment.ts";
import { note, print, show } from "../output.ts";
import { serverAt } from "../servers.ts";
import { standpoint } from "../standpoint.ts";
import type { Only } from "../../stores/physical.ts";
import { kindOf } from "../../stores/registry.ts";

interface Options extends MomentOptions {
    to?: string;
    only?: string;
    toDirectory?: string;
    drill?: boolean;
    scratch?: string;
    json?: boolean;
}

export const command = new Command("restore")
    .argument("<store>", "store of the estate")
    .description(
        "Recovers a store's whole server at a moment, from this site's vault (the standby's, unless LIFEBOAT_SITE says otherwise): the newest\n" +
            "verified point before it, and the log from there on. A scratch server is started from both and checked by its engine before anything\n" +
            "of a target is touched. What was asked for is reached, or refused with the newest moment that there is.",
    )
    .option(
        "--at <time>",
        'the last moment before this instant, as in "2026-11-27 01:13:24Z" (where the log tells whole seconds: before that second)',
    )
    .option("--gtid <gtid>", "up to this GTID, where the log has them; one a domain: 0-1-270,1-1-5")
    .option("--position <file:offset>", "up to this byte of a log file")
    .option("--lsn <lsn>", "up to this LSN, where the log has them")
    .option("--before-transaction <id>", "up to this transaction, without it: a GTID, or the transaction's number")
    .option("--newest", "all that the log has (default)")
    .option(
        "--to <url>",
        "as text into a database that is empty or not there, as in SCHEME://USER@HOST:PORT/DATABASE; compared by exact values",
    )
    .option(
        "--only <database[.table]>",
        "with --to: another database than the declared one, or one table, into a database that has none of its name",
    )
    .option("--to-directory <directory>", "leave a data directory that a server can start from; it must be empty, or not there yet")
    .option("--drill", "recover, check and report; nothing is left")
    .option("--scratch <directory>", "where scratch directories are made (default: the system's for temporary files)")
    .option("--json", "print what was restored as JSON")
    .action(async (name: string, { to, only, toDirectory, drill: isDrill, scratch, json, ...when }: Options) => {
        // A real one is what everybody waits for.
        if (isDrill) stayBehind();
        const moment = momentOf(when);
        const here = await standpoint("standby");
        const kind = kindOf(storeOf(here, name));
        const options = { signal: interruption, note, ...(scratch === undefined ? {} : { scratch }) };
        const ways = [to !== undefined && "--to", toDirectory !== undefined && "--to-directory", isDrill && "--drill"].filter((way) => way);
        if (ways.length !== 1)
            throw new Failure(
                "usage",
                ways.length === 0 ? "it is not said where to" : `${ways.join(" and ")} each say where to`,
                "say --to URL, --to-directory DIRECTORY or --drill",
            );
        if (only !== undefined && to === undefined)
            throw new Failure("usage", "--only is of a database as text, and belongs to --to", "say --to URL");
        const report =
            to !== undefined
                ? await restoreInto(here, name, moment, serverAt(to, name, kind), only === undefined ? undefined : partOf(only), options)
                : toDirectory !== undefined
                  ? await restoreToDirectory(here, name, moment, toDirectory, options)
                  : await drill(here, name, moment, options);
        if (json) return print(report);
        tell(report);
    });

/** A database's name has no dot here; a table's may. */
function partOf(text: string): Only {
    const dot = text.indexOf(".");
    return dot < 0 ? { database: text } : { database: text.slice(0, dot), table: text.slice(dot + 1) };
}

function tell(report: RestoreReport): void {
    for (const table of report.tables) show(`  ${table.name.padEnd(30)} ${table.rows} rows`);
    const where = report.target === undefined ? "recovered, checked and removed" : `restored to ${report.target}`;
    show(`${report.store} ${report.point} ${where}, at ${report.position}, in ${report.seconds.toFixed(1)} s`);
    if (report.kept !== undefined) show(`somebody filled the empty target meanwhile: it is kept as ${report.kept}`);
    if (report.short !== undefined) show(`NOT ALL: ${report.short}`);
}
