#!/bin/bash
# What docker-entrypoint.sh of the official image mariadb:10.11 does, for the variables that sandbox/node/images.ts lets through:
#   MARIADB_ROOT_PASSWORD, MARIADB_DATABASE, MARIADB_USER, MARIADB_PASSWORD (each also as NAME_FILE), MARIADB_ROOT_HOST.
# As root it takes ownership and becomes mysql. On the first start it makes the system tables, then root's password, the database and
# the user through a server that listens on a socket only, then runs /docker-entrypoint-initdb.d in order. After that: the server with the given flags.
# See https://github.com/MariaDB/mariadb-docker/blob/master/docker-entrypoint.sh
set -eo pipefail
shopt -s nullglob

log() { echo "$(date -Iseconds) [Note] [Entrypoint]: $*" >&2; }
fail() { echo "$(date -Iseconds) [ERROR] [Entrypoint]: $*" >&2; exit 1; }

# NAME or the content of the file that NAME_FILE names; both at once is an error.
read_setting() {
    local name=$1 file_name="$1_FILE"
    [ -z "${!name:-}" ] || [ -z "${!file_name:-}" ] || fail "both $name and $file_name are set (but are exclusive)"
    if [ -n "${!file_name:-}" ]; then export "$name=$(<"${!file_name}")"; fi
    unset "$file_name"
}

# A flag of the server's own, as it would read it from its files and from our arguments.
server_setting() {
    "$@" --verbose --help 2>/dev/null | awk -v name="$setting" '$1 == name && /^[^ \t]/ { sub(/^[^ \t]+[ \t]+/, ""); print; exit }'
}

sql_escape() { local text=${1//\\/\\\\}; printf '%s' "${text//\'/\\\'}"; }

if [ "${1:0:1}" = - ]; then set -- mariadbd "$@"; fi
if [ "$1" != mariadbd ] && [ "$1" != mysqld ]; then exec "$@"; fi

setting=datadir datadir=$(server_setting "$@") || fail "mariadbd does not take these flags: $*"
setting=socket socket=$(server_setting "$@")

mkdir -p "$datadir"
if [ "$(id -u)" = 0 ]; then
    mkdir -p "$(dirname "$socket")"
    find "$datadir" \! -user mysql -exec chown mysql: '{}' +
    find "$(dirname "$socket")" -maxdepth 0 \! -user mysql -exec chown mysql: '{}' \;
    exec setpriv --reuid mysql --regid mysql --init-groups -- "$BASH_SOURCE" "$@"
fi

for name in MARIADB_ROOT_PASSWORD MARIADB_DATABASE MARIADB_USER MARIADB_PASSWORD; do read_setting "$name"; done

if [ ! -d "$datadir/mysql" ]; then
    [ -n "${MARIADB_ROOT_PASSWORD:-}" ] || fail "Database is uninitialized and password option is not specified: set MARIADB_ROOT_PASSWORD or MARIADB_ROOT_PASSWORD_FILE"
    [ -z "${MARIADB_USER:-}" ] || [ -n "${MARIADB_PASSWORD:-}" ] || fail "MARIADB_USER is set without MARIADB_PASSWORD"
    log "Initializing database files"
    mariadb-install-db --datadir="$datadir" --rpm --auth-root-authentication-method=normal --skip-test-db --old-mode='UTF8_IS_UTF8MB3' --default-time-zone=SYSTEM \
        --enforce-storage-engine= --skip-log-bin --expire-logs-days=0 --loose-innodb_buffer_pool_load_at_startup=0 --loose-innodb_buffer_pool_dump_at_shutdown=0 >/dev/null

    log "Starting temporary server"
    "$@" --skip-networking --default-time-zone=SYSTEM --socket="$socket" --wsrep_on=OFF --expire-logs-days=0 --skip-slave-start \
        --loose-innodb_buffer_pool_load_at_startup=0 &
    server=$!
    client=(mariadb --no-defaults --protocol=socket -uroot --socket="$socket" --comments)
    for ((i = 300; i > 0; i--)); do
        "${client[@]}" --database=mysql -e 'SELECT 1' >/dev/null 2>&1 && break
        kill -0 "$server" 2>/dev/null || fail "the temporary server did not start"
        sleep 0.1
    done
    [ "$i" -gt 0 ] || fail "Unable to start server"

    password=$(sql_escape "$MARIADB_ROOT_PASSWORD")
    root_host=${MARIADB_ROOT_HOST:-%}
    {
        # Securing the system's users is not written to the binary log; the database and its user are.
        echo "SET @orig_sql_log_bin=@@SESSION.SQL_LOG_BIN; SET @@SESSION.SQL_LOG_BIN=0; SET @@SESSION.SQL_MODE=REPLACE(@@SESSION.SQL_MODE, 'NO_BACKSLASH_ESCAPES', '');"
        echo "DROP USER IF EXISTS root@'127.0.0.1', root@'::1'; EXECUTE IMMEDIATE CONCAT('DROP USER IF EXISTS root@\'', @@hostname, '\'');"
        [ "$root_host" = localhost ] || echo "CREATE USER 'root'@'$(sql_escape "$root_host")' IDENTIFIED BY '$password'; GRANT ALL ON *.* TO 'root'@'$(sql_escape "$root_host")' WITH GRANT OPTION;"
        echo "ALTER USER 'root'@'localhost' IDENTIFIED BY '$password';"
        echo "SET @@SESSION.SQL_LOG_BIN=@orig_sql_log_bin;"
        if [ -n "${MARIADB_DATABASE:-}" ]; then echo "CREATE DATABASE IF NOT EXISTS \`$MARIADB_DATABASE\`;"; fi
        if [ -n "${MARIADB_USER:-}" ]; then
            echo "CREATE USER '$(sql_escape "$MARIADB_USER")'@'%' IDENTIFIED BY '$(sql_escape "$MARIADB_PASSWORD")';"
            if [ -n "${MARIADB_DATABASE:-}" ]; then echo "GRANT ALL ON \`${MARIADB_DATABASE//_/\\_}\`.* TO '$(sql_escape "$MARIADB_USER")'@'%';"; fi
        fi
    } | "${client[@]}" --database=mysql

    export MYSQL_PWD=$MARIADB_ROOT_PASSWORD
    run_sql() { "${client[@]}" ${MARIADB_DATABASE:+--database="$MARIADB_DATABASE"}; }
    # Scripts of the image's users call this name.
    docker_process_sql() { local arguments=("$@"); [ "${arguments[0]:-}" = --dont-use-mysql-root-password ] && arguments=("${arguments[@]:1}"); "${client[@]}" ${MARIADB_DATABASE:+--database="$MARIADB_DATABASE"} "${arguments[@]}"; }
    for file in /docker-entrypoint-initdb.d/*; do
        case $file in
            *.sh) if [ -x "$file" ]; then log "running $file"; "$file"; else log "sourcing $file"; . "$file"; fi ;;
            *.sql) log "running $file"; run_sql <"$file" ;;
            *.sql.gz) log "running $file"; gunzip -c "$file" | run_sql ;;
            *) log "ignoring $file" ;;
        esac
    done
    unset MYSQL_PWD

    log "Stopping temporary server"
    kill "$server"
    wait "$server" || fail "the temporary server did not stop well"
    log "MariaDB init process done. Ready for start up."
fi
exec "$@"
