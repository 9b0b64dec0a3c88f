import type { StoreKind } from "../../model/estate.ts";
import type { DatabasePlace, GuardedServer } from "./database.ts";
import { guardedMariadb } from "./mariadb.ts";
import { guardedPostgres } from "./postgres.ts";

const kinds: Readonly<Record<StoreKind, (place: DatabasePlace) => GuardedServer>> = { mariadb: guardedMariadb, postgres: guardedPostgres };

/** The server beside a guard, by its kind. */
export const guardedServer = (place: DatabasePlace): GuardedServer => kinds[place.kind](place);
