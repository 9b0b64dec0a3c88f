import { readFileSync } from "node:fs";
import type { Estate } from "../../model/estate.ts";
import { names } from "../../model/names.ts";

/** The program that gets, checks and unpacks a bundle on an empty machine, for this estate's bucket. */
export function getScript(estate: Estate, account: string): string {
    return readFileSync(new URL("./get.sh", import.meta.url), "utf8")
        .replaceAll("@ESTATE@", estate.name)
        .replaceAll("@BUCKET@", names(estate, account).releaseBucket)
        .replaceAll("@REGION@", estate.sites.standby.region);
}
