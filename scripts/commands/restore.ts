import { Command } from "commander";
import { drill, restoreToDirectory, type RestoreReport } from "../../backup/restore.ts";
import { storeOf } from "../../backup/backup.ts";
import { Failure } from "../../model/failure.ts";
import { interruption } from "../interruption.ts";
import { momentOf, type MomentOptions } from "../moment.ts";
import { note, print, show } from "../output.ts";
import { standpoint } from "../standpoint.ts";

interface Options extends MomentOptions {
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
    .option("--at <time>", 'the last moment before this instant, as in "2026-11-27 01:13:24Z" (MariaDB: before this whole second)')
    .option("--gtid <gtid>", "up to this GTID (MariaDB)")
    .option("--position <file:offset>", "up to this byte of a log file")
    .option("--lsn <lsn>", "up to this LSN (PostgreSQL)")
    .option("--before-transaction <id>", "up to this transaction, without it: a GTID, or PostgreSQL's transaction number")
    .option("--newest", "all that the log has (default)")
    .option("--to-directory <directory>", "leave a data directory that a server can start from; it must be empty, or not there yet")
    .option("--drill", "recover, check and report; nothing is left")
    .option("--scratch <directory>", "where scratch directories are made (default: the system's for temporary files)")
    .option("--json", "print what was restored as JSON")
    .action(async (name: string, { toDirectory, drill: isDrill, scratch, json, ...when }: Options) => {
        const moment = momentOf(when);
        const ways = [toDirectory !== undefined && "--to-directory", isDrill && "--drill"].filter((way) => way !== false);
        if (ways.length !== 1)
            throw new Failure(
                "usage",
                ways.length === 0 ? "it is not said where to" : `${ways.join(" and ")} each say where to`,
                "say --drill or --to-directory DIRECTORY",
            );
        const here = await standpoint("standby");
        storeOf(here, name);
        const options = { signal: interruption, note, ...(scratch === undefined ? {} : { scratch }) };
        const report =
            toDirectory === undefined
                ? await drill(here, name, moment, options)
                : await restoreToDirectory(here, name, moment, toDirectory, options);
        if (json) return print(report);
        tell(report);
    });

function tell(report: RestoreReport): void {
    for (const table of report.tables) show(`  ${table.name.padEnd(30)} ${table.rows} rows`);
    const where = report.target === undefined ? "recovered, checked and removed" : `restored to ${report.target}`;
    show(`${report.store} ${report.point} ${where}, at ${report.position}, in ${report.seconds.toFixed(1)} s`);
    if (report.short !== undefined) show(`NOT ALL: ${report.short}`);
}
