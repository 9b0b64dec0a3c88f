#!/bin/sh
# Installs Debian packages without starting their services. Run as root: install-packages.sh POLICY PACKAGE...
# POLICY is /usr/sbin/policy-rc.d: while it exits 101, maintainer scripts start nothing. It is put back as it was, also
# when a run before this one was killed in the middle.
set -eu
policy=$1
shift
marker='# lifeboat set-up: no service is started while packages are installed'

restore() {
    if grep -qsF "$marker" "$policy"; then rm -f "$policy"; fi
    if [ -e "$policy.before-lifeboat" ]; then mv "$policy.before-lifeboat" "$policy"; fi
}
restore
trap restore EXIT
trap 'exit 130' INT TERM HUP

if [ -e "$policy" ]; then mv "$policy" "$policy.before-lifeboat"; fi
printf '#!/bin/sh\n%s\nexit 101\n' "$marker" >"$policy.$$"
chmod 755 "$policy.$$"
mv "$policy.$$" "$policy"

export DEBIAN_FRONTEND=noninteractive
install() { apt-get install --yes --no-install-recommends -o DPkg::Lock::Timeout=300 "$@"; }
# The lists may be missing or old: then they are fetched, once.
install "$@" || {
    apt-get update -o DPkg::Lock::Timeout=300
    install "$@"
}
