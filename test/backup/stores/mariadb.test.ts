import { mariadb } from "../support/mariadb.ts";
import { intoSuite } from "./into.ts";
import { physicalSuite } from "./suite.ts";
import { tamperingSuite } from "./tampering.ts";

physicalSuite(mariadb);
tamperingSuite(mariadb);
intoSuite(mariadb);
