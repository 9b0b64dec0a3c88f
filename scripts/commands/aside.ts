import { Command, Option } from "commander";
import { readAside, saveAside } from "../../backup/aside.ts";
import { storeOf } from "../../backup/backup.ts";
import { otherSite } from "../../model/estate.ts";
import { names } from "../../model/names.ts";
import { servers } from "../../model/servers.ts";
import { interruption } from "../interruption.ts";
import { note, print, show } from "../output.ts";
import { passwordOf } from "../servers.ts";
import { standpoint } from "../standpoint.ts";

export const command = new Command("aside")
    .argument("<store>", "store of the estate")
    .description(
        "Saves what this site's server (LIFEBOAT_SITE) holds and the other site's does not: writes that were acknowledged here alone, before the other\n" +
            "site took over. They are sealed like a backup, in this site's vault. `lifeboat failback` runs it beside the old server, before that is\n" +
            "made a replica again. With --show it prints what was saved, one JSON line a row.",
    )
    .option("--show <id>", "print what was saved under this name, from the vault of this site (default: the standby's)")
    .addOption(new Option("--json", "print what was found as JSON").conflicts("show"))
    .action(async (store: string, { show: id, json }: { show?: string; json?: boolean }) => {
        if (id !== undefined) return readAside(await standpoint("standby"), store, id, process.stdout, interruption);
        const here = await standpoint();
        const { kind, database } = storeOf(here, store);
        const derived = names(here.estate, here.account);
        const server = { port: servers[kind].port, user: "backup", password: passwordOf(store, "backup"), database };
        const found = await saveAside(
            here,
            store,
            { ...server, host: `${store}.${derived.namespace}.svc` },
            { ...server, host: derived.siteStoreHost(store, otherSite(here.site)) },
            { signal: interruption, note },
        );
        if (json === true) return print(found);
        show(`${store}: ${found.rows} rows are held here alone${found.saved === undefined ? "" : `; saved: ${found.saved.look}`}`);
        for (const { name, absent, differs } of found.tables)
            show(`  ${name}: ${absent} that the other site has not, ${differs} that differ there`);
    });
