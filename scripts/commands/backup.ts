import { Command } from "commander";
import { backup, storeOf } from "../../backup/backup.ts";
import { names } from "../../model/names.ts";

import { checkMayBackUp } from "../../recovery/active.ts";
import { coordinationOf } from "../../recovery/coordination.ts";
import { interruption } from "../interruption.ts";
import { note, print, show } from "../output.ts";
import { passwordOf, serverAt } from "../servers.ts";
import { standpoint } from "../standpoint.ts";
import { kindOf } from "../../stores/registry.ts";

export const command = new Command("backup")
    .argument("<store>", "store of the estate")
    .description(
        "Dumps a store through the wire, compresses, encrypts and hashes it on the way, and puts it into the vault of this site\n" +
            "(LIFEBOAT_SITE), which must be the active one. It becomes a recovery point when `lifeboat verify` has read the copy in the standby back. What is cut off, late or\n" +
            "fails leaves nothing behind; what killed runs left is found and reported.",
    )
    .option("--from <url>", "server to dump, as in SCHEME://backup@HOST:PORT/DATABASE (default: the store's own, as user backup)")
    .option("--json", "print the manifest and what was found as JSON")
    .action(async (name: string, { from, json }: { from?: string; json?: boolean }) => {
        const here = await standpoint();
        await checkMayBackUp(coordinationOf(here.estate, here.account), here.site, note);
        const declared = storeOf(here, name);
        const kind = kindOf(declared);
        const { database } = declared;
        const server = from
            ? serverAt(from, name, kind)
            : {
                  host: `${name}.${names(here.estate, here.account).namespace}.svc`,
                  port: kind.server.port,
                  user: "backup",
                  password: passwordOf(name, "backup"),
                  database,
              };
        const report = await backup(here, name, server, { signal: interruption, note });
        if (json) return print(report);
        const { point, stored, dump } = report.manifest;
        show(`${name} ${point}: ${dump.bytes} bytes stored as ${stored.bytes} in ${report.seconds.toFixed(1)} s; not yet verified`);
    });
