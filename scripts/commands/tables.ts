import { Command } from "commander";
import { storeOf } from "../../backup/backup.ts";
import { kindOf } from "../../stores/registry.ts";
import { guardSocketMount } from "../../model/servers.ts";
import { print, show } from "../output.ts";
import { passwordOf, serverAt } from "../servers.ts";
import { standpoint } from "../standpoint.ts";

export const command = new Command("tables")
    .argument("<store>", "store of the estate")
    .description(
        "Counts the rows of every table of a store and sums them up, so that two servers of a kind can be compared: before a loss and after it, or\n" +
            "a live database and a restored point. Every row is read.",
    )
    .option("--of <url>", "server, as in SCHEME://USER@HOST:PORT/DATABASE (default: the server beside this guard, by its socket)")
    .option("--json", "print { store, tables: [{ name, rows, checksum }] } as JSON")
    .action(async (store: string, { of, json }: { of?: string; json?: boolean }) => {
        const declared = storeOf(await standpoint("standby"), store);
        const kind = kindOf(declared);
        const { database } = declared;
        const { superuser, port } = kind.server;
        const local = () => ({
            ...{ host: "localhost", port, user: superuser, password: passwordOf(store, "root"), database },
            socketDirectory: guardSocketMount,
        });
        const tables = await kind.operations.logical.tables(of === undefined ? local() : serverAt(of, store, kind));
        if (json) return print({ store, tables });
        for (const { name, rows, checksum } of tables) show(`${name.padEnd(30)} ${String(rows).padStart(10)} rows  ${checksum}`);
    });
