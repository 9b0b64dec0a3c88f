import { Command, Option } from "commander";
import { readAside, saveAside } from "../../backup/aside.ts";
import { storeOf } from "../../backup/backup.ts";
import { otherSite } from "../../model/estate.ts";
import { names } from "../../model/names.ts";

import { contextOf } from "../../recovery/cluster.ts";
import { workloadsOf } from "../../recovery/workloads.ts";
import { interruption } from "../interruption.ts";
import { note, print, show } from "../output.ts";
import { passwordOf } from "../servers.ts";
import { standpoint } from "../standpoint.ts";
import { kindOf } from "../../stores/registry.ts";

export const command = new Command("aside")
    .argument("<store>", "store of the estate")
    .description(
        "Saves what this site's server (LIFEBOAT_SITE) holds and the other site's does not: writes that were acknowledged here alone, before the other\n" +
            "site took over. They are sealed like a backup, in this site's vault. `lifeboat failback` runs it beside the old server, before that is\n" +
            "made a replica again. With --show it prints what was saved, one JSON line a row: only the standby's verifier may open it, so unless LIFEBOAT_SITE\n" +
            "is set a Job in the standby's cluster (kubeconfig context `standby`) reads it and its log is printed, as much of it as a pod's log holds.",
    )
    .option("--show <id>", "print what was saved under this name")
    .addOption(new Option("--json", "print what was found as JSON").conflicts("show"))
    .action(async (store: string, { show: id, json }: { show?: string; json?: boolean }) => {
        if (id !== undefined) return showAside(store, id);
        const here = await standpoint();
        const declared = storeOf(here, store);
        const kind = kindOf(declared);
        const { database } = declared;
        const derived = names(here.estate, here.account);
        const server = { port: kind.server.port, user: "backup", password: passwordOf(store, "backup"), database };
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

async function showAside(store: string, id: string): Promise<void> {
    const here = await standpoint("standby");
    storeOf(here, store);
    if (process.env["LIFEBOAT_SITE"]) return readAside(here, store, id, process.stdout, interruption);
    const standby = workloadsOf(contextOf("standby"), names(here.estate, here.account).namespace);
    const lines = await standby.runOnce(`verify-${store}`, interruption, ["aside", store, "--show", id]);
    process.stdout.write(lines);
}
