import { storeOf } from "../backup/backup.ts";
import type { Standpoint } from "../backup/vault.ts";
import { otherSite } from "../model/estate.ts";
import { Failure } from "../model/failure.ts";
import { names } from "../model/names.ts";
import { guardSocketMount } from "../model/servers.ts";
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
    return {
        standpoint: here,
        store,
        site: here.site,
        engine: declared.engine,
        database: declared.database,
        volume: server.dataMount,
        socketDirectory: guardSocketMount,
        port: server.port,
        peer: { host: names(here.estate, here.account).siteStoreHost(store, otherSite(here.site)), port: server.port },
        copyFromPeer: () =>
            Promise.reject(
                new Failure(
                    "unavailable",
                    `nobody serves a copy of ${store} yet`,
                    "the archive beside the peer's server does, once it is there",
                ),
            ),
        password: (name) => passwordOf(store, name),
        note,
    };
}
