import {
    chmodSync,
    chownSync,
    existsSync,
    lstatSync,
    mkdirSync,
    readlinkSync,
    rmSync,
    statSync,
    symlinkSync,
    writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import type { Image } from "./images.ts";

export interface Mount {
    /** Directory or file of this machine. */
    readonly from: string;
    readonly to: string;
    readonly readOnly: boolean;
}

/** Who a container's first process is. */
export interface Identity {
    readonly uid: number;
    readonly gid: number;
    /** Supplementary groups. */
    readonly groups: readonly number[];
    readonly noNewPrivileges: boolean;
    readonly dropCapabilities: boolean;
}

export interface RootOptions {
    readonly image: Image;
    readonly hostname: string;
    /** An empty directory that the root is mounted over; may be shared, since each container has mounts of its own. */
    readonly base: string;
    /** A directory of this container's own, for what its root is made from. */
    readonly making: string;
    readonly identity: Identity;
    readonly readOnly: boolean;
    readonly mounts: readonly Mount[];
    /** Directory with the pod's file `hosts`: a directory, so that the file can be replaced whole while the container runs. */
    readonly hosts: string;
    readonly workingDirectory: string;
    readonly argv: readonly string[];
}

export const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** setpriv's flags for an identity. */
export function setprivFlags({ uid, gid, groups, noNewPrivileges, dropCapabilities }: Identity): string[] {
    return [
        ...["--reuid", String(uid), "--regid", String(gid)],
        ...(groups.length ? ["--groups", groups.join(",")] : ["--clear-groups"]),
        ...(dropCapabilities ? ["--inh-caps=-all", "--bounding-set=-all"] : []),
        ...(noNewPrivileges ? ["--no-new-privs"] : []),
    ];
}

/** Directories that every root has, beside those that something is mounted on. */
const skeleton = ["dev", "etc", "home", "mnt", "opt", "root", "run/lock", "srv", "usr", "var/cache", "var/lib", "var/log", "var/spool"];
const links: Readonly<Record<string, string>> = { "var/run": "/run", "var/lock": "/run/lock" };
const devices = ["null", "zero", "full", "random", "urandom", "tty"];
const deviceLinks: Readonly<Record<string, string>> = {
    ptmx: "pts/ptmx",
    fd: "/proc/self/fd",
    stdin: "/proc/self/fd/0",
    stdout: "/proc/self/fd/1",
    stderr: "/proc/self/fd/2",
};
/** On a merged system these are links into /usr; on an old one directories. */
const systemDirectories = ["bin", "sbin", "lib", "lib32", "lib64", "libx32"].map((name) => `/${name}`).filter((path) => existsSync(path));
/** Of this machine's /etc: no business of a container. */
const secret = ["/etc/shadow", "/etc/shadow-", "/etc/gshadow", "/etc/gshadow-", "/etc/ssh", "/etc/sudoers", "/etc/sudoers.d", "/etc/hosts"];
const shared = ["/etc/resolv.conf", "/etc/ssl/certs/ca-certificates.crt"];

/** Where a path lies once the root's own links are followed: a mount must not be led out of the root by them. */
function inside(path: string): string {
    const all: Record<string, string> = { "/var/run": "/run", "/var/lock": "/run/lock" };
    for (const directory of systemDirectories)
        if (lstatSync(directory).isSymbolicLink()) all[directory] = join("/", readlinkSync(directory));
    const link = Object.keys(all).find((from) => path === from || path.startsWith(`${from}/`));
    return link ? all[link]! + path.slice(link.length) : path;
}

/**
 * Prepares a container's root file system, and returns the shell script that makes it and becomes the container's first process. The script runs as
 * process 1 of its own mount, pid, uts and ipc namespaces. Its last act before the program is a line on descriptor 3: from then on the
 * container is running.
 *
 * The root is new and empty, in memory. Of this machine it shows /usr and /etc under a writable layer (the packages), and what the image `sees`;
 * nothing of the sandbox's state, of other pods, or of anybody's home.
 */
export function prepareRoot(options: RootOptions): string {
    const { image, base, making, identity } = options;
    rmSync(making, { recursive: true, force: true });
    const [seed, root, layer] = [join(making, "seed"), join(base, "root"), join(base, "layer")];

    const mounts: Mount[] = [
        ...devices.map((device) => ({ from: `/dev/${device}`, to: `/dev/${device}`, readOnly: false })),
        ...systemDirectories.filter((path) => !lstatSync(path).isSymbolicLink()).map((path) => ({ from: path, to: path, readOnly: true })),
        ...shared.map((path) => ({ from: path, to: path, readOnly: true })),
        { from: options.hosts, to: "/etc/hosts.d", readOnly: true },
        ...(image.sees ?? []).map((seen) => ({ ...seen, readOnly: true })),
        ...options.mounts.map((mount) => ({ ...mount, to: inside(mount.to) })),
    ];
    sow(seed, image, mounts);

    const overlay = (name: string) =>
        `overlay ${field(join(root, name))} overlay lowerdir=/${name},upperdir=${field(join(layer, name, "up"))},workdir=${field(join(layer, name, "work"))} 0 0`;
    const system = [
        ...["usr", "etc"].map(overlay),
        `proc ${field(join(root, "proc"))} proc defaults 0 0`,
        `sysfs ${field(join(root, "sys"))} sysfs ro 0 0`,
        `none ${field(join(root, "dev"))} tmpfs mode=0755 0 0`,
        `devpts ${field(join(root, "dev/pts"))} devpts newinstance,ptmxmode=0666,X-mount.mkdir 0 0`,
        `none ${field(join(root, "dev/shm"))} tmpfs mode=1777,X-mount.mkdir 0 0`,
    ];
    // A directory that is not there yet (below another mount, say) is made; files were sown.
    const own = mounts.map(
        ({ from, to, readOnly }) =>
            `${field(from)} ${field(join(root, to))} none bind${readOnly ? ",ro" : ""}${isDirectory(from) ? ",X-mount.mkdir" : ""} 0 0`,
    );
    const table = (name: string, lines: readonly string[]) => {
        writeFileSync(join(making, name), `${lines.join("\n")}\n`);
        return `mount --all --fstab ${quote(join(making, name))}`;
    };
    // One process makes many mounts: a container starts in some 30 ms.
    return [
        "set -e",
        "umask 022",
        `hostname ${quote(options.hostname)}`,
        `B=${quote(base)} R=${quote(root)} L=${quote(layer)}`,
        "mount -t tmpfs -o mode=0755 none $B",
        "mkdir -p $R $L/usr/up $L/usr/work $L/etc/up $L/etc/work",
        "mount -t tmpfs -o mode=0755 none $R",
        "mkdir $R/usr $R/etc $R/proc $R/sys $R/dev",
        table("system", system),
        `rm -rf ${[...secret, ...(image.without ?? [])].map((path) => `$R${quote(path)}`).join(" ")}`,
        `cp -a ${quote(seed)}/. $R/`,
        table("own", own),
        ...(options.readOnly ? ["mount -o remount,ro $R/usr; mount -o remount,ro $R/etc; mount -o remount,ro $R"] : []),
        `exec chroot $R setpriv ${setprivFlags(identity).join(" ")} -- sh -c 'echo begun >&3; exec 3>&-; cd "$0" && exec "$@"' ${[options.workingDirectory, ...options.argv].map(quote).join(" ")}`,
        "",
    ].join("\n");
}

/** Lays out what is copied into the empty root: directories, links, the image's files, and an empty file wherever one is mounted. */
function sow(seed: string, image: Image, mounts: readonly Mount[]): void {
    const at = (path: string) => join(seed, path);
    for (const directory of skeleton) mkdirSync(at(directory), { recursive: true, mode: 0o755 });
    for (const directory of ["tmp", "var/tmp"]) {
        mkdirSync(at(directory), { recursive: true });
        chmodSync(at(directory), 0o1777);
    }
    for (const [link, target] of Object.entries(links)) symlinkSync(target, at(link));
    for (const [link, target] of Object.entries(deviceLinks)) symlinkSync(target, at(join("dev", link)));
    for (const path of systemDirectories) if (lstatSync(path).isSymbolicLink()) symlinkSync(readlinkSync(path), at(path));
    const write = (path: string, text: string) => {
        mkdirSync(dirname(at(path)), { recursive: true });
        writeFileSync(at(path), text, { mode: text.startsWith("#!") ? 0o755 : 0o644 });
    };
    for (const [path, text] of Object.entries({ ...accounts(image), ...image.files })) write(path, text);
    for (const { path, mode } of image.directories ?? []) {
        mkdirSync(at(path), { recursive: true });
        chownSync(at(path), image.user.uid, image.user.gid);
        chmodSync(at(path), Number.parseInt(mode, 8));
    }
    for (const { from, to } of mounts) if (!isDirectory(from)) write(to, "");
    symlinkSync("hosts.d/hosts", at("etc/hosts"));
}

/** Users of the image; this machine's are none of its business. */
function accounts({ user }: Image): Record<string, string> {
    return {
        "/etc/passwd": `root:x:0:0:root:/root:/bin/bash\n${user.name}:x:${user.uid}:${user.gid}::${user.home}:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n`,
        "/etc/group": `root:x:0:\ntty:x:5:\n${user.name}:x:${user.gid}:\nnogroup:x:65534:\n`,
        "/etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\nservices: files\nprotocols: files\n",
    };
}

const isDirectory = (path: string) => statSync(path).isDirectory();

/** A field of an fstab. */
const field = (text: string) => text.replace(/[\\ \t\n#]/g, (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, "0")}`);
