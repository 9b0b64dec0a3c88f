import type { StoreOperations } from "../kind.ts";
import { connectPostgres } from "./client.ts";
import { postgres } from "./dump.ts";
import { guardedPostgres } from "./guarded.ts";
import { physical } from "./physical.ts";
import { openPostgresRows } from "./rows.ts";
import { prepareReplica, seedPostgres, startReadOnly } from "./seed.ts";
import { pgData } from "./server.ts";

export const operations: StoreOperations = {
    logical: postgres,
    physical,
    openRows: openPostgresRows,
    hold: async (server) => {
        const client = await connectPostgres(server);
        return { onLost: (then) => void client.on("end", then), close: () => client.end() };
    },
    guarded: guardedPostgres,
    seeding: {
        prepare: () => undefined,
        keep(place, copied) {
            if (copied) prepareReplica(place);
            startReadOnly(pgData(place.volume));
        },
        copy: async (place, signal) => {
            await seedPostgres(place, pgData(place.volume), signal);
            return {};
        },
    },
};
