import { existsSync, lstatSync, readlinkSync, statSync } from "node:fs";
import { dirname } from "node:path";
import type { Image } from "./images.ts";

export interface Mount {
    /** Directory or file of this machine. */
    readonly from: string;
    readonly to: string;
    readonly readOnly: boolean;
    readonly kind: "directory" | "file";
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

/**
 * The shell script that makes a container's root file system and becomes its first process. It runs as process 1 of its own mount, pid, uts and
 * ipc namespaces.
 *
 * Its last act before the program is a line on descriptor 3: from then on the container is running.
 *
 * The root is new and empty, in memory. Of this machine it shows /usr and /etc under a writable layer (the packages), and what the image `sees`;
 * nothing of the sandbox's state, of other pods, or of anybody's home.
 */
export function rootScript(options: RootOptions): string {
    const { image, base, identity, mounts } = options;
    const bind = (from: string, to: string, kind: Mount["kind"], readOnly: boolean) => [
        // Links inside the root are followed inside the root.
        `at=$R$(chroot $R realpath -m -- ${quote(to)})`,
        kind === "directory" ? "mkdir -p $at" : "mkdir -p $(dirname $at); [ -e $at ] || : >$at",
        `mount --bind ${quote(from)} $at`,
        ...(readOnly ? ["mount -o remount,bind,ro $at"] : []),
    ];
    const lines = [
        "set -e",
        "umask 022",
        `hostname ${quote(options.hostname)}`,
        `B=${quote(base)} R=${quote(`${base}/root`)}`,
        "mount -t tmpfs -o mode=0755 none $B",
        "mkdir $B/root $B/layer",
        "mount -t tmpfs -o mode=0755 none $R",
        "cd $R; mkdir -p usr etc dev proc sys tmp run root home srv mnt opt var/tmp var/lib var/log var/cache var/spool; chmod 1777 tmp var/tmp; ln -s /run var/run; ln -s /run/lock var/lock; mkdir run/lock; cd /",
        ...["usr", "etc"].map(
            (name) =>
                `mkdir -p $B/layer/${name}/up $B/layer/${name}/work; mount -t overlay overlay -o lowerdir=/${name},upperdir=$B/layer/${name}/up,workdir=$B/layer/${name}/work $R/${name}`,
        ),
        ...["bin", "sbin", "lib", "lib32", "lib64", "libx32"].flatMap(systemDirectory),
        "mount -t proc proc $R/proc; mount -t sysfs -o ro sysfs $R/sys",
        "mount -t tmpfs -o mode=0755 none $R/dev",
        "for device in null zero full random urandom tty; do : >$R/dev/$device; mount --bind /dev/$device $R/dev/$device; done",
        "mkdir $R/dev/pts $R/dev/shm; mount -t devpts -o newinstance,ptmxmode=0666 devpts $R/dev/pts; mount -t tmpfs -o mode=1777 none $R/dev/shm",
        "ln -s pts/ptmx $R/dev/ptmx; ln -s /proc/self/fd $R/dev/fd; ln -s /proc/self/fd/0 $R/dev/stdin; ln -s /proc/self/fd/1 $R/dev/stdout; ln -s /proc/self/fd/2 $R/dev/stderr",
        `rm -rf ${["/etc/shadow", "/etc/shadow-", "/etc/gshadow", "/etc/gshadow-", "/etc/ssh", "/etc/sudoers", "/etc/sudoers.d", "/etc/hosts", ...(image.without ?? [])].map((path) => `$R${quote(path)}`).join(" ")}`,
        ...Object.entries({ ...accounts(image), ...image.files }).flatMap(([path, text]) => writeFile(path, text)),
        ...(image.directories ?? []).map(
            ({ path, mode }) =>
                `mkdir -p $R${quote(path)}; chown ${image.user.uid}:${image.user.gid} $R${quote(path)}; chmod ${mode} $R${quote(path)}`,
        ),
        ...bind(options.hosts, "/etc/hosts.d", "directory", true),
        "ln -s hosts.d/hosts $R/etc/hosts",
        ...["/etc/resolv.conf", "/etc/ssl/certs/ca-certificates.crt"].flatMap((file) => bind(file, file, "file", true)),
        ...(image.sees ?? []).flatMap((path) =>
            path.startsWith("/usr/") ? [] : bind(path, path, statSync(path).isDirectory() ? "directory" : "file", true),
        ),
        ...mounts.flatMap(({ from, to, kind, readOnly }) => bind(from, to, kind, readOnly)),
        ...(options.readOnly ? ["for at in $R/usr $R/etc $R; do mount -o remount,ro $at; done"] : []),
        `exec chroot $R setpriv ${setprivFlags(identity).join(" ")} -- sh -c 'echo begun >&3; exec 3>&-; cd "$0" && exec "$@"' ${[options.workingDirectory, ...options.argv].map(quote).join(" ")}`,
    ];
    return `${lines.join("\n")}\n`;
}

/** On a merged system /bin is a link; on an old one a directory. */
function systemDirectory(name: string): string[] {
    const path = `/${name}`;
    if (!existsSync(path)) return [];
    if (lstatSync(path).isSymbolicLink()) return [`ln -s ${quote(readlinkSync(path))} $R${path}`];
    return [`mkdir $R${path}; mount --bind ${path} $R${path}; mount -o remount,bind,ro $R${path}`];
}

/** Users of the image; this machine's are none of its business. */
function accounts({ user }: Image): Record<string, string> {
    return {
        "/etc/passwd": `root:x:0:0:root:/root:/bin/bash\n${user.name}:x:${user.uid}:${user.gid}::${user.home}:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n`,
        "/etc/group": `root:x:0:\ntty:x:5:\n${user.name}:x:${user.gid}:\nnogroup:x:65534:\n`,
        "/etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\nservices: files\nprotocols: files\n",
    };
}

function writeFile(path: string, text: string): string[] {
    const at = `$R${quote(path)}`;
    return [`mkdir -p $R${quote(dirname(path))}; printf %s ${quote(text)} >${at}`, ...(text.startsWith("#!") ? [`chmod 0755 ${at}`] : [])];
}
