import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Failure } from "../../model/failure.ts";
import { versions } from "../../sandbox/tools.ts";
import type { Note } from "./piece.ts";
import { withLock } from "./lock.ts";
import { ask, run, which } from "./run.ts";

/** What the sandbox runs, and the Debian package that has it. */
const programs: Readonly<Record<string, string>> = {
    mariadbd: "mariadb-server",
    "mariadb-install-db": "mariadb-server",
    "mariadb-backup": "mariadb-backup",
    mariadb: "mariadb-client",
    "mariadb-dump": "mariadb-client",
    [`/usr/lib/postgresql/${versions.postgres}/bin/postgres`]: `postgresql-${versions.postgres}`,
    [`/usr/lib/postgresql/${versions.postgres}/bin/pg_dump`]: `postgresql-client-${versions.postgres}`,
    nft: "nftables",
    ip: "iproute2",
    zstd: "zstd",
    ps: "procps",
    openssl: "openssl",
    setpriv: "util-linux",
    unshare: "util-linux",
    flock: "util-linux",
};
const policy = "/usr/sbin/policy-rc.d";
const installer = fileURLToPath(new URL("install-packages.sh", import.meta.url));

/** Packages whose programs are not there. */
export function missingPackages(): string[] {
    const missing = Object.entries(programs).filter(([program]) => !(program.startsWith("/") ? existsSync(program) : which(program)));
    return [...new Set(missing.map(([, name]) => name))].sort();
}

/** The browser that the tests look at pages with. Nothing but tests needs it, and not even they insist. */
export const browserPackage = "chromium";

/** `python3 -m venv` needs a package of its own with Debian's Python. */
export async function lacksVenv(): Promise<boolean> {
    const python = which("python3");
    if (!python) return false; // another message says so
    try {
        await ask([python, "-c", "import venv, ensurepip"]);
        return false;
    } catch {
        return true;
    }
}

async function asRoot(): Promise<string[] | undefined> {
    if (process.getuid?.() === 0) return [];
    const sudo = which("sudo");
    if (!sudo) return undefined;
    try {
        await ask([sudo, "-n", "true"]);
        return [sudo, "-n"];
    } catch {
        return undefined; // it would ask for a password
    }
}

/**
 * Installs what is missing, without starting any service.
 * @throws Failure("prerequisite") naming the one command to type, where we may not install.
 */
export async function ensurePackages(names: readonly string[], cache: string, note: Note): Promise<void> {
    if (names.length === 0) return;
    if (!which("apt-get"))
        throw new Failure(
            "prerequisite",
            `this machine lacks ${names.join(", ")}, and has no apt-get`,
            "install them (names of Debian 12)",
        );
    const root = await asRoot();
    if (!root)
        throw new Failure(
            "prerequisite",
            `this machine lacks ${names.join(", ")}, and we may not install packages`,
            `sudo sh '${installer}' ${policy} ${names.join(" ")}`,
        );
    const started = performance.now();
    note(`system packages: installing ${names.join(", ")} (their services are not started)`);
    await withLock(join(cache, "locks", "packages"), note, () =>
        run([...root, "sh", installer, policy, ...names], {
            log: join(cache, "logs", "packages.log"),
            purpose: "installing system packages",
        }),
    );
    note(`system packages: ready in ${Math.round((performance.now() - started) / 1000)} s`);
}
