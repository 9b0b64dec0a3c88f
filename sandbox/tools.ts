import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Failure } from "../model/failure.ts";

/** What set-up puts into the cache, and in which version. A change here, or in sandbox/toolchain, makes set-up build it anew. */
export const versions = {
    node: "24.21.0",
    /** The CLI; one on PATH that is at least this, below 4, is taken instead. */
    pulumi: "3.259.0",
    etcd: "3.6.8",
    kubernetes: "1.35.4",
    kubectl: "1.35.4",
    moto: "5.2.5",
    /** For `bench backup` alone: built when that is asked for. */
    versitygw: "1.8.0",
    postgres: "15",
} as const;

/** The cache that clones share: `$XDG_CACHE_HOME/lifeboat`, by default `~/.cache/lifeboat`. */
export const cacheDirectory = (): string => join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "lifeboat");

/** What pip installs beside moto, every version pinned. */
export const motoRequirements = fileURLToPath(new URL("aws/requirements.txt", import.meta.url));

/**
 * Where a tool of the cache lies, whether it is there or not. moto's name has a hash of its requirements, since those change without its
 * version: two clones that differ in them do not rebuild each other's.
 */
export function toolDirectory(name: Exclude<keyof typeof versions, "postgres">): string {
    const hash = () => createHash("sha256").update(readFileSync(motoRequirements)).digest("hex").slice(0, 8);
    return join(cacheDirectory(), "tools", `${name}-${versions[name]}${name === "moto" ? `-${hash()}` : ""}`);
}

function present(path: string, what: string): string {
    if (!existsSync(path)) throw new Failure("prerequisite", `${what} is not there (${path})`, "run `./lifeboat setup`");
    return path;
}

/**
 * Paths of the programs that a sandbox is made of. Nothing is looked at until it is asked for.
 * @throws Failure("prerequisite") when asked for a tool that set-up has not put there yet.
 */
export const tools = {
    get cache(): string {
        return cacheDirectory();
    },
    /** Node that runs TypeScript: the one that runs us. */
    get node(): string {
        return process.execPath;
    },
    get pulumi(): string {
        return present(join(toolDirectory("pulumi"), "bin", "pulumi"), "the Pulumi CLI");
    },
    get etcd(): string {
        return present(join(toolDirectory("etcd"), "bin", "etcd"), "etcd");
    },
    get versitygw(): string {
        return present(join(toolDirectory("versitygw"), "bin", "versitygw"), "VersityGW");
    },
    get kubeApiserver(): string {
        return present(join(toolDirectory("kubernetes"), "bin", "kube-apiserver"), "kube-apiserver");
    },
    get kubeControllerManager(): string {
        return present(join(toolDirectory("kubernetes"), "bin", "kube-controller-manager"), "kube-controller-manager");
    },
    get kubectl(): string {
        return present(join(toolDirectory("kubectl"), "bin", "kubectl"), "kubectl");
    },
    /** Python of the environment that has moto, awscrt and crc32c. */
    get motoPython(): string {
        return present(join(toolDirectory("moto"), "bin", "python3"), "moto's Python environment");
    },
    /** Directory of PostgreSQL's own programs (Debian does not put them on PATH). */
    get postgresBin(): string {
        return present(join("/usr/lib/postgresql", versions.postgres, "bin"), `PostgreSQL ${versions.postgres}`);
    },
};
