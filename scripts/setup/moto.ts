import { readFileSync } from "node:fs";
import { readFile, readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../../model/failure.ts";
import { motoRequirements, toolDirectory, versions } from "../../sandbox/tools.ts";
import { keyOf } from "./go.ts";
import type { Piece } from "./piece.ts";
import { ask, run, which } from "./run.ts";

/** Without awscrt and crc32c moto silently computes other checksums than the SDKs ask for. */
const imports = "import moto, moto.server, awscrt, crc32c, cryptography; print(moto.__version__)";

/** Scripts in `bin` begin with the path that they were installed under; they are to work where they will lie. */
async function relocate(from: string, to: string): Promise<void> {
    const bin = join(from, "bin");
    for (const name of await readdir(bin)) {
        const path = join(bin, name);
        if (!(await stat(path)).isFile()) continue;
        const content = await readFile(path);
        if (content.includes(from) && !content.includes(0)) await writeFile(path, content.toString().replaceAll(from, to));
    }
}

/** A Python environment with moto, at exactly the versions of sandbox/aws/requirements.txt. */
export const moto: Piece = {
    name: "moto",
    directory: toolDirectory("moto"),
    key: keyOf(versions.moto, readFileSync(motoRequirements)),
    files: ["bin/python3", "pyvenv.cfg"],
    requires: async () => {
        const python = which("python3");
        const version = python && /Python 3\.(\d+)/.exec(await ask([python, "--version"]));
        if (version && Number(version[1]) >= 11) return;
        throw new Failure(
            "prerequisite",
            version ? `${version[0]} is too old for moto ${versions.moto}` : "Python 3 is not on PATH; moto, the sandbox's AWS, runs on it",
            "install Python 3.11 or later and put python3 on PATH",
        );
    },
    build: async (directory, log) => {
        const purpose = "installing moto";
        await run([which("python3") ?? "python3", "-m", "venv", directory], { log, purpose });
        await run(
            [join(directory, "bin/python3"), "-m", "pip", "install", "--no-input", "--disable-pip-version-check", "-r", motoRequirements],
            {
                log,
                purpose,
            },
        );
        await relocate(directory, moto.directory);
    },
    probe: async (directory) => {
        const said = await ask([join(directory, "bin/python3"), "-c", imports]);
        if (said !== versions.moto) throw new Error(`it is moto ${said}, and ${versions.moto} is needed`);
    },
};
