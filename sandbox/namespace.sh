#!/bin/sh
# The first process of a sandbox, started under `unshare --net --mount --pid --fork`. When it ends, for whatever reason, the kernel kills
# every process of its pid namespace: nothing of a sandbox outlives it. It also buries orphans, which Node does not do.
# Arguments: DIRECTORY NODE SUPERVISOR
set -eu
directory=$1 node=$2 supervisor=$3

# /proc is still that of outside, so this is our process id out there; with the start time (field 22) it is nobody else's.
read -r line </proc/self/stat
pid=${line%% *}
set -- ${line##*") "}
echo "$pid ${20}" >"$directory/supervisor.pid"

mount -t proc proc /proc
mkdir -p /run/netns
mount -t tmpfs none /run/netns
mount --bind "$directory/resolv.conf" /etc/resolv.conf
mount --bind "$directory/ca/bundle.pem" /etc/ssl/certs/ca-certificates.crt

# A job in the background loses its standard input, which may be the thread that our life hangs on.
exec 3<&0
"$node" "$supervisor" "$directory" <&3 3<&- &
child=$!
trap 'kill -TERM $child 2>/dev/null' TERM INT
# A trapped signal ends `wait` early, so wait until it is gone.
while :; do
    wait "$child" && code=0 || code=$?
    kill -0 "$child" 2>/dev/null || exit "$code"
done
