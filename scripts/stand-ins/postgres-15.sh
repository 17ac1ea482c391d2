#!/usr/bin/env bash
# postgres-15.sh IMAGE: a stand-in for postgres:15 under that name: Debian 12 with its PostgreSQL 15 and the contract of the
# real image: POSTGRES_PASSWORD, POSTGRES_USER, POSTGRES_DB, POSTGRES_HOST_AUTH_METHOD and PGDATA, scripts in
# /docker-entrypoint-initdb.d, a volume for the data, port 5432, and SIGINT to stop.
set -euo pipefail

# shellcheck source=scripts/stand-ins/debian.sh
. "$(dirname "${BASH_SOURCE[0]}")/debian.sh"

cp "$root/scripts/stand-ins/postgres-entrypoint.sh" "$work/entrypoint.sh"
chmod 644 "$work/entrypoint.sh"

# shellcheck disable=SC2016
twice debian "$work/image.tar" gosu,postgresql-15 \
    --essential-hook='mkdir -p "$1/etc/postgresql-common" && echo "create_main_cluster = false" > "$1/etc/postgresql-common/createcluster.conf"' \
    --customize-hook='mkdir -p "$1/docker-entrypoint-initdb.d"' \
    --customize-hook="install -m 755 '$work/entrypoint.sh' \"\$1/usr/local/bin/docker-entrypoint.sh\"" \
    --customize-hook='chroot "$1" install -d -o postgres -g postgres -m 1777 /var/lib/postgresql/data' \
    --customize-hook='chroot "$1" /usr/lib/postgresql/15/bin/postgres --version'
quietly docker import \
    --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/lib/postgresql/15/bin' \
    --change 'ENV LANG=C.UTF-8' \
    --change 'ENV PG_MAJOR=15' \
    --change 'ENV PGDATA=/var/lib/postgresql/data' \
    --change 'VOLUME /var/lib/postgresql/data' \
    --change 'ENTRYPOINT ["docker-entrypoint.sh"]' \
    --change 'CMD ["postgres"]' \
    --change 'EXPOSE 5432' \
    --change 'LABEL dev.orca.stand-in=true' \
    "$work/image.tar" "orca-stand-in/$1"
# An import cannot set the signal.
mkdir "$work/signal"
printf 'FROM %s\nSTOPSIGNAL SIGINT\n' "orca-stand-in/$1" >"$work/signal/Dockerfile"
quietly docker build --tag "$1" "$work/signal"
quietly docker image rm "orca-stand-in/$1"
