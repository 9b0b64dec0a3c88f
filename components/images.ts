import type { StoreKind } from "../model/estate.ts";

/** The image of this repository's own command (images/lifeboat.Dockerfile): backups, guards, the latch's publisher. */
export const lifeboatImage = "lifeboat/lifeboat:0.1.0";

/** Servers, as their projects publish them. */
export const serverImages: Readonly<Record<StoreKind, string>> = { mariadb: "mariadb:10.11", postgres: "postgres:15" };
