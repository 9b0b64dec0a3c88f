import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Failure } from "../../model/failure.ts";
import { versions } from "../../sandbox/tools.ts";
import type { Note } from "./piece.ts";
import { withLock } from "./lock.ts";
import { ask, run, which } from "./run.ts";

const postgres = (program: string) => `/usr/lib/postgresql/${versions.postgres}/bin/${program}`;
const packaged = (name: string, programs: string) => Object.fromEntries(programs.split(" ").map((program) => [program, name]));

/**
 * What code, scripts, tests and the README's walk start, and the Debian package that has it. test/setup/programs.test.ts finds a program that is started
 * and neither stands here nor comes otherwise (scripts/checks/programs/brought.ts).
 */
export const programs: Readonly<Record<string, string>> = {
    ...packaged("mariadb-server", "mariadbd mariadb-install-db"),
    ...packaged("mariadb-backup", "mariadb-backup mbstream"),
    ...packaged("mariadb-client", "mariadb mariadb-dump mariadb-binlog mariadb-check mysqldump"),
    ...packaged(
        `postgresql-${versions.postgres}`,
        ["postgres", "initdb", "pg_ctl", "pg_controldata", "pg_waldump", "pg_checksums"].map(postgres).join(" "),
    ),
    ...packaged(
        `postgresql-client-${versions.postgres}`,
        ["psql", "pg_dump", "pg_dumpall", "pg_restore", "pg_basebackup", "pg_receivewal", "pg_verifybackup", "pg_amcheck"]
            .map(postgres)
            .join(" "),
    ),
    ...packaged("nftables", "nft"),
    ...packaged("iproute2", "ip"),
    ...packaged("bind9-dnsutils", "dig"),
    ...packaged("curl", "curl"),
    ...packaged("zstd", "zstd"),
    ...packaged("age", "age"),
    ...packaged("tar", "tar"),
    ...packaged("procps", "ps pgrep"),
    ...packaged("openssl", "openssl"),
    ...packaged("util-linux", "setpriv unshare nsenter flock"),
    ...packaged("awscli", "aws"),
    ...packaged("faketime", "faketime"),
    ...packaged("shfmt", "shfmt"),
    ...packaged("mmdebstrap", "mmdebstrap"),
};

/** What a person has to have before: README, "Needed". `node` of any version from 20 on gets the right one. */
export const prerequisites: readonly string[] = ["git", "node", "npm", "python3", "go", "sudo"];

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
