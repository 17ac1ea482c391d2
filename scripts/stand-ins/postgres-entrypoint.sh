#!/usr/bin/env bash
# The stand-in's /usr/local/bin/docker-entrypoint.sh: makes the database the first time, as POSTGRES_* ask, and starts the server.
set -euo pipefail

if [ "${1:0:1}" = - ]; then
    set -- postgres "$@"
fi
if [ "$1" != postgres ]; then
    exec "$@"
fi
if [ "$(id -u)" = 0 ]; then
    install -d -o postgres -g postgres -m 700 "$PGDATA"
    install -d -o postgres -g postgres -m 3777 /var/run/postgresql
    exec gosu postgres "$BASH_SOURCE" "$@"
fi
if [ -s "$PGDATA/PG_VERSION" ]; then
    echo "PostgreSQL Database directory appears to contain a database; Skipping initialization"
    exec "$@"
fi

method=${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}
if [ -z "${POSTGRES_PASSWORD:-}" ] && [ "$method" != trust ]; then
    cat >&2 <<'END'
Error: Database is uninitialized and superuser password is not specified.
       You must specify POSTGRES_PASSWORD to a non-empty value for the
       superuser. For example, "-e POSTGRES_PASSWORD=password" on "docker run".
END
    exit 1
fi
user=${POSTGRES_USER:-postgres}
database=${POSTGRES_DB:-$user}

initdb --username="$user" --pwfile=<(printf '%s\n' "${POSTGRES_PASSWORD:-}") \
    --auth-host=scram-sha-256 --auth-local=trust ${POSTGRES_INITDB_ARGS:-}
echo "host all all all $method" >>"$PGDATA/pg_hba.conf"
# Without a network until all is in place, so that nobody takes a half-made database for a ready one.
pg_ctl -D "$PGDATA" -o "-c listen_addresses=''" -w start
client=(psql -v ON_ERROR_STOP=1 --no-psqlrc --username "$user")
if [ "$database" != postgres ]; then
    "${client[@]}" --dbname postgres --set name="$database" <<<'CREATE DATABASE :"name";'
fi
for file in /docker-entrypoint-initdb.d/*; do
    case $file in
    *.sh) bash "$file" ;;
    *.sql) "${client[@]}" --dbname "$database" --file "$file" ;;
    *.sql.gz) gunzip -c "$file" | "${client[@]}" --dbname "$database" ;;
    esac
done
pg_ctl -D "$PGDATA" -m fast -w stop
echo "PostgreSQL init process complete; ready for start up."
exec "$@" -c listen_addresses='*'
