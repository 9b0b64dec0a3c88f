import type { StoreOperations } from "../kind.ts";
import { connectMariadb } from "./client.ts";
import { mariadb } from "./dump.ts";
import { guardedMariadb } from "./guarded.ts";
import { physical } from "./physical.ts";
import { seedMariadb, writeStartFile } from "./seed.ts";
import { openMariadbRows } from "./rows.ts";

export const operations: StoreOperations = {
    logical: mariadb,
    physical,
    openRows: openMariadbRows,
    hold: async (server) => {
        const connection = await connectMariadb(server);
        return {
            onLost: (then) => void connection.on("error", then),
            close: async () => connection.destroy(),
        };
    },
    guarded: guardedMariadb,
    seeding: { prepare: writeStartFile, keep: () => undefined, copy: seedMariadb },
};
