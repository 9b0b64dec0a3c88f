import { storeOf } from "../backup/backup.ts";
import type { Standpoint } from "../backup/vault.ts";
import { otherSite } from "../model/estate.ts";
import { names } from "../model/names.ts";
import { archivePort, guardSocketMount } from "../model/servers.ts";
import { copyWhenItMay } from "../recovery/archive/client.ts";
import type { DatabasePlace } from "../stores/place.ts";
import { note } from "./output.ts";
import { kindOf } from "../stores/registry.ts";
import { passwordOf } from "./servers.ts";
import { standpoint } from "./standpoint.ts";

/** The server of a store as its own pod meets it: volume, socket and passwords are where model/servers.ts says that they are mounted. */
export async function databasePlace(store: string): Promise<DatabasePlace & { standpoint: Standpoint }> {
    const here = await standpoint();
    const declared = storeOf(here, store);
    const { server } = kindOf(declared);
    const peer = names(here.estate, here.account).siteStoreHost(store, otherSite(here.site));
    return {
        standpoint: here,
        store,
        site: here.site,
        engine: declared.engine,
        database: declared.database,
        volume: server.dataMount,
        socketDirectory: guardSocketMount,
        port: server.port,
        peer: { host: peer, port: server.port },
        copyFromPeer: (signal) =>
            copyWhenItMay(
                { store, host: peer, port: archivePort, identity: "replication", password: passwordOf(store, "replication") },
                note,
                signal,
            ),
        password: (name) => passwordOf(store, name),
        note,
    };
}
