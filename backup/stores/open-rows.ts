import type { StoreKind } from "../../model/estate.ts";
import type { ServerAddress } from "./adapter.ts";
import { openMariadbRows } from "./mariadb-rows.ts";
import { openPostgresRows } from "./postgres-rows.ts";
import type { Rows } from "./rows.ts";

const openers: Readonly<Record<StoreKind, (server: ServerAddress) => Promise<Rows>>> = {
    mariadb: openMariadbRows,
    postgres: openPostgresRows,
};

/** @throws Failure("unavailable") where the server does not answer */
export const openRows = (kind: StoreKind, server: ServerAddress): Promise<Rows> => openers[kind](server);
