import type { StoreKind } from "../../model/estate.ts";
import type { StoreAdapter } from "./adapter.ts";
import { mariadb } from "./mariadb.ts";
import { postgres } from "./postgres.ts";

/** The adapter of every kind of store. A kind without one does not compile. */
export const adapters: Readonly<Record<StoreKind, StoreAdapter>> = { mariadb, postgres };
