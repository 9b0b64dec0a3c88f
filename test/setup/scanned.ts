import type { Found } from "../../scripts/checks/programs/command-line.ts";
import { scan } from "../../scripts/checks/programs/scan.ts";
import { repository } from "../support/cli.ts";

let found: Found[] | undefined;

/** What this repository starts: read once for all tests, since it takes 8 s. */
export const scanned = (): Found[] => (found ??= scan(repository));
