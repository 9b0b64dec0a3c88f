import { Command } from "commander";
import { storeOf } from "../../backup/backup.ts";
import { restore } from "../../backup/restore.ts";
import { Failure } from "../../model/failure.ts";
import { guardSocketMount } from "../../model/servers.ts";
import { interruption } from "../interruption.ts";
import { note, print, show } from "../output.ts";
import { passwordOf, serverAt } from "../servers.ts";
import { standpoint } from "../standpoint.ts";
import { kindOf } from "../../stores/registry.ts";

interface Options {
    at?: string;
    to?: string;
    replace?: boolean;
    json?: boolean;
}

function instant(text: string): Date {
    const at = new Date(text);
    if (Number.isNaN(at.getTime()) || !/^\d{4}-\d\d-\d\d/.test(text))
        throw new Failure("usage", `"${text}" is not a moment`, "write it as 2026-01-31T12:00:00Z");
    return at;
}

export const command = new Command("restore")
    .argument("<store>", "store of the estate")
    .description(
        "Restores the newest verified recovery point of a store, from this site's vault (the standby's, unless LIFEBOAT_SITE says otherwise).\n" +
            "It is streamed into a scratch database beside the target, checked, and only then takes the target's place; after a failure the\n" +
            "target is as it was. The superuser's password is read from the store's password files.",
    )
    .option("--at <time>", "the newest point that is not after this moment")
    .option("--to <url>", "target, as in SCHEME://USER@HOST:PORT/DATABASE (default: the server beside this guard, by its socket)")
    .option("--replace", "also when the target holds tables: they are kept beside it in a database of their own")
    .option("--json", "print what was restored as JSON")
    .action(async (name: string, { at, to, replace, json }: Options) => {
        const here = await standpoint("standby");
        const declared = storeOf(here, name);
        const kind = kindOf(declared);
        const { database } = declared;
        const target = to
            ? serverAt(to, name, kind)
            : {
                  host: "localhost",
                  port: kind.server.port,
                  user: kind.server.superuser,
                  password: passwordOf(name, "root"),
                  database,
                  socketDirectory: guardSocketMount,
              };
        const report = await restore(here, name, target, {
            ...(at === undefined ? {} : { at: instant(at) }),
            replace: replace ?? false,
            signal: interruption,
            note,
        });
        if (json) return print(report);
        for (const table of report.tables) show(`  ${table.name.padEnd(30)} ${table.rows} rows`);
        show(`${name} ${report.point} restored to ${report.target} in ${report.seconds.toFixed(1)} s`);
        if (report.kept) show(`what was there is kept as ${report.kept}`);
    });
