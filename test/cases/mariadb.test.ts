import { mariadb } from "./dialect.ts";
import { casesSuite } from "./suite.ts";

casesSuite(mariadb);
