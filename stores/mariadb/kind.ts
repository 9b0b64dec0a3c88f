import { createRequire } from "node:module";
import { join } from "node:path";
import type { StoreKind } from "../kind.ts";
import { covers } from "./position.ts";
import { mariadbData, server } from "./server.ts";
import type * as operations from "./operations.ts";

const load = createRequire(import.meta.url);

/** MariaDB, as a StatefulSet. */
export const mariadb: StoreKind = {
    engine: "mariadb",
    title: "MariaDB",
    schemes: ["mariadb", "mysql"],
    server,
    variables: "MYSQL",
    dataDirectory: mariadbData,
    firstFile: (volume) => join(mariadbData(volume), "mysql"),
    covers,
    get operations() {
        return (load("./operations.ts") as typeof operations).operations;
    },
};
