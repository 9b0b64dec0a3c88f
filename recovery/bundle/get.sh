#!/bin/sh
# Gets the released bundle of @ESTATE@ from the standby region, checks every byte of it and unpacks it here. It asks that region and nothing else.
# Needed: Linux, sh, coreutils, sed, tar, gzip, curl 7.87 or later, and AWS credentials in the environment (or the AWS CLI, which is asked for them).
# Argument: the id of an older bundle. Exit codes: 1 the bundle is damaged or swapped, 3 this machine lacks something, 5 no answer.
set -eu
estate='@ESTATE@'
bucket='@BUCKET@'
region='@REGION@'

fail() {
    printf 'lifeboat: %s\n  next: %s\n' "$2" "$3" >&2
    exit "$1"
}

find_credentials() {
    if [ -z "${AWS_ACCESS_KEY_ID:-}" ] && command -v aws >/dev/null 2>&1; then
        credentials=$(aws configure export-credentials --format env) || fail 3 "the AWS CLI has no credentials here" "take the break-glass role (runbook: What your machine needs)"
        eval "$credentials"
    fi
    [ -n "${AWS_ACCESS_KEY_ID:-}" ] || fail 3 "there are no AWS credentials in the environment" "export AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN of the break-glass role"
}

# On standard input, where nobody else of this machine can read the secret.
signature() {
    printf 'aws-sigv4 = "aws:amz:%s:s3"\nuser = "%s:%s"\n' "$region" "$AWS_ACCESS_KEY_ID" "$AWS_SECRET_ACCESS_KEY"
    printf 'header = "x-amz-content-sha256: UNSIGNED-PAYLOAD"\n'
    [ -z "${AWS_SESSION_TOKEN:-}" ] || printf 'header = "x-amz-security-token: %s"\n' "$AWS_SESSION_TOKEN"
}

# fetch KEY FILE: sets $status, the HTTP status.
fetch() {
    status=$(signature | curl --config - --silent --show-error --retry 3 --connect-timeout 10 --speed-limit 1 --speed-time 30 \
        --output "$2" --write-out '%{http_code}' "$endpoint/$1" 2>"$work/curl") ||
        fail 5 "$bucket in $region does not answer: $(tail -n 1 "$work/curl")" "see that this machine reaches $region, then repeat the command"
    case $status in
    200 | 404) ;;
    401 | 403) fail 3 "$bucket refuses these credentials ($status)" "take the break-glass role (runbook: What your machine needs)" ;;
    *) fail 5 "$bucket in $region answers $status for $1" "repeat the command" ;;
    esac
}

field() { sed -n "s/^ *\"$1\": \"\\{0,1\\}\\([^\",]*\\)\"\\{0,1\\},\\{0,1\\}\$/\\1/p" "$2"; }
hash_of() { sha256sum <"$1" | cut -c 1-64; }

damaged() {
    older=$(field bundle "$work/current.json" | grep -vx "$bundle" | sed -n 1p)
    fail 1 "$1" "${older:+take the one before it: end the command with \`| sh -s -- $older\`; and }put a new one: \`lifeboat bundle\`"
}

main() {
    for tool in curl tar gzip sed sha256sum; do
        command -v "$tool" >/dev/null 2>&1 || fail 3 "$tool is not on this machine" "install $tool, or use another Linux machine: CloudShell in $region has it"
    done
    find_credentials
    endpoint=${AWS_ENDPOINT_URL_S3:-${AWS_ENDPOINT_URL:-}}
    if [ -n "$endpoint" ]; then endpoint=$endpoint/$bucket; else endpoint=https://$bucket.s3.$region.amazonaws.com; fi
    work=$PWD/.lifeboat-$$
    mkdir "$work" || fail 3 "cannot write to $PWD" "go to a directory with room in it"
    trap 'rm -rf "$work"' EXIT
    trap 'exit 130' INT TERM HUP

    fetch current.json "$work/current.json"
    [ "$status" = 200 ] || fail 3 "$bucket holds no released bundle" "run \`lifeboat bundle\` where the checkout is; on a calm day, CI does it on every release"
    bundle=${1:-$(field bundle "$work/current.json" | sed -n 1p)}
    case $bundle in
    *[!0-9a-f]* | '') fail 1 "current.json in $bucket names no bundle: \"$bundle\"" "put a new one: \`lifeboat bundle\`" ;;
    esac
    target=lifeboat-$(printf %s "$bundle" | cut -c 1-12)
    if [ -e "$target" ]; then
        [ -f "$target/bundle.json" ] && [ "$(hash_of "$target/bundle.json")" = "$bundle" ] || fail 3 "$PWD/$target is in the way" "go to an empty directory"
        printf '%s\n' "lifeboat: $target is here already" >&2
        return 0
    fi

    manifest=$work/bundle.json
    fetch "bundles/$bundle.json" "$manifest"
    [ "$status" = 200 ] || damaged "bundle $bundle has no manifest in $bucket"
    [ "$(hash_of "$manifest")" = "$bundle" ] || damaged "the manifest of bundle $bundle is damaged or swapped: its SHA-256 is $(hash_of "$manifest")"
    [ "$(field estate "$manifest")" = "$estate" ] || damaged "bundle $bundle is of the estate $(field estate "$manifest"), not of $estate"
    platform=$(uname -sm)
    [ "$(field platform "$manifest")" = "$platform" ] ||
        fail 3 "this machine is $platform, and the bundle runs on $(field platform "$manifest")" "use such a machine: CloudShell in $region, or an instance there"

    mkdir "$work/unpacked"
    layers=$(field sha256 "$manifest")
    [ -n "$layers" ] || damaged "the manifest of bundle $bundle names no layer"
    for layer in $layers; do
        printf '%s\n' "lifeboat: layer $(printf %s "$layer" | cut -c 1-12)" >&2
        fetch "layers/$layer.tar.gz" "$work/layer"
        [ "$status" = 200 ] || damaged "layer $layer of bundle $bundle is missing in $bucket"
        [ "$(hash_of "$work/layer")" = "$layer" ] ||
            damaged "layer $layer of bundle $bundle is damaged, cut off or swapped: $(wc -c <"$work/layer") bytes with SHA-256 $(hash_of "$work/layer")"
        tar -xzf "$work/layer" -C "$work/unpacked" || fail 3 "layer $layer cannot be unpacked in $PWD" "make room here, or go to another directory"
        rm "$work/layer"
    done
    cp "$manifest" "$work/unpacked/bundle.json"
    # Whom to trust is for `lifeboat bundle --verify`, of a release that is trusted already, to say: this script comes from the same bucket.
    fetch "bundles/$bundle.json.sig" "$work/signature"
    [ "$status" != 200 ] || cp "$work/signature" "$work/unpacked/bundle.json.sig"
    mv "$work/unpacked" "$target"
    printf '%s\n' "lifeboat: release $(field release "$target/bundle.json") is in $PWD/$target" "  next: cd $target && export PATH=\$PWD:\$PATH && lifeboat status" >&2
}

# In the last line: a script that was cut off on its way does nothing.
main "$@"
