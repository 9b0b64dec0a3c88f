#!/bin/bash
# What docker-entrypoint.sh of the official image postgres:15 does, for the variables that sandbox/node/images.ts lets through:
#   POSTGRES_PASSWORD, POSTGRES_USER, POSTGRES_DB, POSTGRES_INITDB_ARGS (each also as NAME_FILE), POSTGRES_HOST_AUTH_METHOD, and PGDATA.
# As root it takes ownership and becomes postgres. If PGDATA holds no cluster it runs initdb, makes the database through a server that listens on a
# socket only, and runs /docker-entrypoint-initdb.d in order. After that: the server with the given flags.
# See https://github.com/docker-library/postgres/blob/master/docker-entrypoint.sh
set -Eeo pipefail
shopt -s nullglob

fail() { echo "Error: $*" >&2; exit 1; }

read_setting() {
    local name=$1 file_name="$1_FILE"
    [ -z "${!name:-}" ] || [ -z "${!file_name:-}" ] || fail "both $name and $file_name are set (but are exclusive)"
    if [ -n "${!file_name:-}" ]; then export "$name=$(<"${!file_name}")"; fi
    unset "$file_name"
}

if [ "${1:0:1}" = - ]; then set -- postgres "$@"; fi
if [ "$1" != postgres ]; then exec "$@"; fi

mkdir -p "$PGDATA"
# fsGroup opens the directory to the group whenever the volume is mounted; the server refuses that.
chmod 00700 "$PGDATA" || :
mkdir -p /var/run/postgresql || :
chmod 03775 /var/run/postgresql 2>/dev/null || :

if [ "$(id -u)" = 0 ]; then
    find "$PGDATA" \! -user postgres -exec chown postgres '{}' +
    find /var/run/postgresql \! -user postgres -exec chown postgres '{}' +
    exec setpriv --reuid postgres --regid postgres --init-groups -- "$BASH_SOURCE" "$@"
fi

for name in POSTGRES_PASSWORD POSTGRES_USER POSTGRES_DB POSTGRES_INITDB_ARGS; do read_setting "$name"; done
POSTGRES_USER=${POSTGRES_USER:-postgres}
POSTGRES_DB=${POSTGRES_DB:-$POSTGRES_USER}
export POSTGRES_USER POSTGRES_DB

if [ ! -s "$PGDATA/PG_VERSION" ]; then
    [ -n "${POSTGRES_PASSWORD:-}" ] || [ "${POSTGRES_HOST_AUTH_METHOD:-}" = trust ] || fail "Database is uninitialized and superuser password is not specified: set POSTGRES_PASSWORD or POSTGRES_PASSWORD_FILE"
    eval 'initdb --username="$POSTGRES_USER" --pwfile=<(printf "%s\n" "$POSTGRES_PASSWORD") '"${POSTGRES_INITDB_ARGS:-}"
    method=${POSTGRES_HOST_AUTH_METHOD:-$(postgres -C password_encryption "${@:2}")}
    printf '\nhost all all all %s\n' "$method" >>"$PGDATA/pg_hba.conf"

    export PGPASSWORD=${PGPASSWORD:-${POSTGRES_PASSWORD:-}}
    # Flags of ours come last, so that no flag of the pod makes this server listen on the network.
    PGUSER=$POSTGRES_USER pg_ctl -D "$PGDATA" -o "$(printf '%q ' "${@:2}" -c listen_addresses= -p "${PGPORT:-5432}")" -w start

    run_sql() { PGHOST='' PGHOSTADDR='' psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --no-password --no-psqlrc "$@"; }
    docker_process_sql() { run_sql ${POSTGRES_DB:+--dbname "$POSTGRES_DB"} "$@"; }
    if [ "$POSTGRES_DB" != postgres ]; then
        run_sql --dbname postgres --set db="$POSTGRES_DB" <<<'CREATE DATABASE :"db" ;'
    fi
    for file in /docker-entrypoint-initdb.d/*; do
        case $file in
            *.sh) if [ -x "$file" ]; then echo "$0: running $file"; "$file"; else echo "$0: sourcing $file"; . "$file"; fi ;;
            *.sql) echo "$0: running $file"; docker_process_sql -f "$file" ;;
            *.sql.gz) echo "$0: running $file"; gunzip -c "$file" | docker_process_sql ;;
            *) echo "$0: ignoring $file" ;;
        esac
    done
    PGUSER=$POSTGRES_USER pg_ctl -D "$PGDATA" -m fast -w stop
    unset PGPASSWORD
    echo 'PostgreSQL init process complete; ready for start up.'
fi
exec "$@"
