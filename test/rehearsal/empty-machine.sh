#!/bin/sh
# A machine that has nothing: a root of its own with a shell, what `get.sh` asks for and no more (no Node, npm, git, Pulumi or kubectl), an empty HOME, and
# a network that leads nowhere but to given addresses. Run as root, in the network namespace of an actor, in a mount namespace of its own.
# Arguments: KUBECONFIG ADDRESSES COMMAND...; addresses as nft lists them, "10.2.0.0/16, 10.0.0.53"
set -eu
kubeconfig=$1 addresses=$2
shift 2

nft -f - <<RULES
table inet empty_machine
delete table inet empty_machine
table inet empty_machine {
    chain leaving {
        type filter hook output priority 0; policy drop;
        oifname "lo" accept
        ip daddr { $addresses } accept
        counter reject
    }
}
RULES

mount --make-rprivate /
root=$(mktemp -d)
mount -t tmpfs -o size=2g none "$root"
mkdir -p "$root/usr/lib" "$root/usr/lib64" "$root/usr/bin" "$root/etc/ssl" "$root/proc" "$root/dev" "$root/tmp" "$root/home"
for tool in sh env cat chmod cp curl cut dirname grep gzip ls mkdir mv printf readlink rm sed sha256sum tail tar uname wc; do
    cp "$(readlink -f "/usr/bin/$tool")" "$root/usr/bin/$tool"
done
for library in lib lib64; do
    mount --bind "/usr/$library" "$root/usr/$library"
    ln -s "usr/$library" "$root/$library"
done
ln -s usr/bin "$root/bin"
mount --rbind /etc/ssl "$root/etc/ssl"
mount --bind /proc "$root/proc"
mount --rbind /dev "$root/dev"
cp /etc/resolv.conf "$root/etc/resolv.conf"
cp "$kubeconfig" "$root/home/kubeconfig"
exec chroot "$root" /usr/bin/env -i PATH=/usr/bin HOME=/home KUBECONFIG=/home/kubeconfig \
    AWS_ACCESS_KEY_ID="$AWS_ACCESS_KEY_ID" AWS_SECRET_ACCESS_KEY="$AWS_SECRET_ACCESS_KEY" AWS_REGION="$AWS_REGION" AWS_EC2_METADATA_DISABLED=true \
    SSL_CERT_FILE="$SSL_CERT_FILE" NODE_EXTRA_CA_CERTS="$NODE_EXTRA_CA_CERTS" "$@"
