import type { SiteName } from "../../../model/estate.ts";
import type { Guard } from "../../guard.ts";
import type { Workloads } from "../../workloads.ts";

/** One site of two that live. */
export interface Side {
    readonly site: SiteName;
    readonly guard: Guard;
    readonly workloads: Workloads;
}
