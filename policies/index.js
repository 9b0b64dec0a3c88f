// The engine's door to the pack, and the one place that hands it the estate. JavaScript, so that the SDK's runner keeps ts-node out of it.
import { estate } from "../stacks/estate.ts";
import { servePolicies } from "./pack.ts";

servePolicies(estate);
