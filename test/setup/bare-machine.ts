/**
 * Run in a bare root: looks which programs are not there, lets set-up install its packages, and says it of before and after. With test files: lets set-up
 * make moto, too, and runs them. `node bare-machine.ts '["dig", "/usr/lib/…/psql", …]' [FILE...]`
 */
import { existsSync } from "node:fs";
import { cacheDirectory } from "../../sandbox/tools.ts";
import { program } from "../../scripts/checks/checks.ts";
import { ensurePiece } from "../../scripts/setup/ensure.ts";
import { moto } from "../../scripts/setup/moto.ts";
import { ensurePackages, missingPackages } from "../../scripts/setup/packages.ts";
import { which } from "../../scripts/setup/run.ts";
import { repository, startCommand } from "../support/cli.ts";

const [, , list = "", ...files] = process.argv;
const wanted = JSON.parse(list) as string[];
const note = (line: string) => console.error(line);
const missing = () => wanted.filter((program) => !(program.startsWith("/") ? existsSync(program) : which(program)));

const before = missing();
await ensurePackages(missingPackages(), cacheDirectory(), note);
console.log(JSON.stringify({ before, after: missing(), packages: missingPackages() }));
if (files.length > 0) {
    await moto.requires();
    await ensurePiece(moto, cacheDirectory(), note);
    process.chdir(repository);
    const { code, stdout, stderr } = await startCommand([process.execPath, program("mocha"), ...files]).ended;
    console.log(stdout, stderr);
    process.exitCode = code === 0 ? 0 : 1;
}
