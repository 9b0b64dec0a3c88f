import { fileURLToPath } from "node:url";

/** The repository under test. */
export const source = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");
