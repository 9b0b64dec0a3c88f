#!/bin/sh
# Runs a command in a Debian root that has the README's prerequisites and nothing else. Run as root, in mount and pid namespaces of its own: what is
# mounted here is gone with them.
# Arguments: ROOT (an empty directory) TARBALL DEBS SETTINGS COMMAND...; the environment names what is shown there, read-only:
# CHECKOUT (where it is here), NODE and GO (their prefixes), NPM (the package's directory).
set -eu
root=$1 tarball=$2 debs=$3 settings=$4
shift 4

mount --make-rprivate /
tar -xf "$tarball" -C "$root" --exclude=./dev
show() {
    mkdir -p "$root$2"
    mount --bind "$1" "$root$2"
    mount -o remount,bind,ro "$root$2"
}
show "$CHECKOUT" "$CHECKOUT"
show "$NODE" /opt/node
show "$GO" /opt/go
show "$NPM" /opt/npm
ln -s /opt/npm/bin/npm-cli.js "$root/usr/local/bin/npm"
mkdir -p "$root/dev"
mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc"
mount --bind "$debs" "$root/var/cache/apt/archives"
cp "$settings" "$root/etc/apt/apt.conf.d/99machine"
cp /etc/resolv.conf "$root/etc/resolv.conf"
cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
if [ -f /etc/pip.conf ]; then cp /etc/pip.conf "$root/etc/pip.conf"; fi
# A root that is thrown away need not survive a power cut.
echo force-unsafe-io >"$root/etc/dpkg/dpkg.cfg.d/unsafe-io"
cd /
exec chroot "$root" "$@"
