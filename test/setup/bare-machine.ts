/**
 * Run in a bare root: says which programs are not there, then lets set-up install its packages, then says it again.
 * `node bare-machine.ts '["dig", "/usr/lib/…/psql", …]'`
 */
import { existsSync } from "node:fs";
import { cacheDirectory } from "../../sandbox/tools.ts";
import { ensurePackages, missingPackages } from "../../scripts/setup/packages.ts";
import { which } from "../../scripts/setup/run.ts";

const wanted = JSON.parse(process.argv[2]!) as string[];
const missing = () => wanted.filter((program) => !(program.startsWith("/") ? existsSync(program) : which(program)));

const before = missing();
await ensurePackages(missingPackages(), cacheDirectory(), (line) => console.error(line));
console.log(JSON.stringify({ before, after: missing(), packages: missingPackages() }));
