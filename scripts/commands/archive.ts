import { Command } from "commander";
import { Failure } from "../../model/failure.ts";
import { archiveMount, archivePort } from "../../model/servers.ts";
import { keeperOf } from "../../recovery/archive/keeper.ts";
import { serveArchive } from "../../recovery/archive/server.ts";
import { Turn } from "../../recovery/archive/turn.ts";
import { runningGuard } from "../../recovery/databases/guard-socket.ts";
import { kindOf } from "../../stores/registry.ts";
import { stayBehind } from "../background.ts";
import { databasePlace } from "../database-place.ts";
import { interruption, onInterruption } from "../interruption.ts";
import { note as tell } from "../output.ts";

/** Its notes are a log that lasts. */
const note = (line: string) => tell(`${new Date().toISOString()} ${line}`);

export const command = new Command("archive")
    .argument("<store>", "store of the estate")
    .description(
        "Runs beside a store's server, which it reaches by its socket and its files. While the guard says that the server takes writes, its log is\n" +
            "shipped into the vault of this site, and a full copy is taken at once when a new history of the log begins. It takes backups when\n" +
            "`lifeboat backup` asks, and sends a copy to the peer's seed: on the pod's address (LIFEBOAT_POD_ADDRESS), port 8730, in TLS whose key is\n" +
            "the password of the user who asks. On SIGTERM it puts what it has received of the log first.",
    )
    .option("--json", "accepted for symmetry: it runs until it is ended, and its notes are lines")
    .action(async (store: string) => {
        stayBehind();
        const place = await databasePlace(store);
        const { standpoint, socketDirectory, port, database } = place;
        const host = process.env["LIFEBOAT_POD_ADDRESS"];
        if (!host) throw new Failure("usage", "it is not said where to listen", "set LIFEBOAT_POD_ADDRESS to the pod's own address");
        const kind = kindOf(place);
        const guard = runningGuard(socketDirectory);
        const turn = new Turn();
        const keeper = keeperOf({
            ...{ standpoint, store, turn, note, data: kind.dataDirectory(place.volume), directory: archiveMount },
            server: { host: "localhost", port, user: kind.server.superuser, password: place.password("root"), database, socketDirectory },
            role: async () => (await guard.status()).role,
        });
        using stopping = onInterruption(() => keeper.stop());
        void stopping;
        const served = await serveArchive({
            ...{ store, turn, note, signal: interruption, listen: { host, port: archivePort } },
            password: place.password,
            backup: keeper.backup,
            copy: keeper.copy,
        });
        note(`${store}: the archive of the ${standpoint.site} site answers on ${host}:${served.port}`);
        await keeper.run();
        await served.close();
    });
