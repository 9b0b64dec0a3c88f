import { storeOf } from "../backup/backup.ts";
import { otherSite } from "../model/estate.ts";
import { names } from "../model/names.ts";
import { guardSocketMount, servers } from "../model/servers.ts";
import type { DatabasePlace } from "../recovery/databases/database.ts";
import { note } from "./output.ts";
import { passwordOf } from "./servers.ts";
import { standpoint } from "./standpoint.ts";

/** The server of a store as its own pod meets it: volume, socket and passwords are where model/servers.ts says that they are mounted. */
export async function databasePlace(store: string): Promise<DatabasePlace> {
    const here = await standpoint();
    const { kind, database } = storeOf(here, store);
    return {
        standpoint: here,
        store,
        kind,
        database,
        volume: servers[kind].dataMount,
        socketDirectory: guardSocketMount,
        port: servers[kind].port,
        peer: { host: names(here.estate, here.account).siteStoreHost(store, otherSite(here.site)), port: servers[kind].port },
        password: (name) => passwordOf(store, name),
        note,
    };
}
