import { defineEstateOf } from "../model/estate.ts";
import { engines } from "./registry.ts";

/**
 * Checks a declaration and fills in its defaults.
 * @throws EstateError naming every path that is wrong and what would be right.
 * @example defineEstate({ name: "orders", domain: "orders.example", decision: "5 min", … })
 */
export const defineEstate = defineEstateOf(engines);
