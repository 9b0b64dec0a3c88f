import { Command } from "commander";
import { z } from "zod";
import { storeOf } from "../../backup/backup.ts";
import { Failure } from "../../model/failure.ts";
import { manifest } from "../../model/manifest.ts";
import { names } from "../../model/names.ts";
import { archivePort } from "../../model/servers.ts";
import { checkMayBackUp } from "../../recovery/active.ts";
import { askForBackup } from "../../recovery/archive/client.ts";
import { coordinationOf } from "../../recovery/coordination.ts";
import { interruption } from "../interruption.ts";
import { note, print, show } from "../output.ts";
import { passwordOf } from "../servers.ts";
import { standpoint } from "../standpoint.ts";

const told = z.looseObject({ manifest, seconds: z.number() });

function addressOf(text: string | undefined, fallback: string): { host: string; port: number } {
    if (text === undefined) return { host: fallback, port: archivePort };
    const [, host, port] = /^\[?([A-Za-z0-9.:-]+?)\]?(?::(\d{1,5}))?$/.exec(text) ?? [];
    if (host === undefined) throw new Failure("usage", `"${text}" is not the address of an archive`, "write HOST or HOST:PORT");
    return { host, port: port === undefined ? archivePort : Number(port) };
}

export const command = new Command("backup")
    .argument("<store>", "store of the estate")
    .description(
        "Has the archive beside a store's server take one full copy of the whole server, compressed, encrypted and hashed on its way into the vault\n" +
            "of this site (LIFEBOAT_SITE), which must be the active one. It becomes a recovery point when `lifeboat verify` has started a server from\n" +
            "it in the standby. What is cut off, late or fails leaves nothing behind; so does a backup that is interrupted here.",
    )
    .option("--archive <host:port>", "archive to ask (default: the one beside the store's server in this cluster)")
    .option("--json", "print the manifest and what was found as JSON")
    .action(async (name: string, { archive, json }: { archive?: string; json?: boolean }) => {
        const here = await standpoint();
        storeOf(here, name);
        const at = addressOf(archive, `${name}.${names(here.estate, here.account).namespace}.svc`);
        await checkMayBackUp(coordinationOf(here.estate, here.account), here.site, note);
        const address = { store: name, ...at, identity: "backup" as const, password: passwordOf(name, "backup") };
        const report = told.parse(await askForBackup(address, note, interruption));
        if (json) return print(report);
        const { point, stored, dump } = report.manifest;
        show(`${name} ${point}: ${dump.bytes} bytes stored as ${stored.bytes} in ${report.seconds.toFixed(1)} s; not yet verified`);
    });
