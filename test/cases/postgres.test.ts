import { postgres } from "./dialect.ts";
import { casesSuite } from "./suite.ts";

casesSuite(postgres);
