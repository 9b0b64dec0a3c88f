import { createRequire } from "node:module";
import { join } from "node:path";
import type { StoreKind } from "../kind.ts";
import { covers } from "./position.ts";
import { pgData, server } from "./server.ts";
import type * as operations from "./operations.ts";

const load = createRequire(import.meta.url);

/** PostgreSQL, as a StatefulSet. */
export const postgres: StoreKind = {
    engine: "postgres",
    title: "PostgreSQL",
    schemes: ["postgres", "postgresql"],
    server,
    variables: "POSTGRES",
    dataDirectory: pgData,
    firstFile: (volume) => join(pgData(volume), "PG_VERSION"),
    covers,
    get operations() {
        return (load("./operations.ts") as typeof operations).operations;
    },
};
