import { postgres } from "../support/postgres.ts";
import { intoSuite } from "./into.ts";
import { physicalSuite } from "./suite.ts";
import { tamperingSuite } from "./tampering.ts";

physicalSuite(postgres);
tamperingSuite(postgres);
intoSuite(postgres);
