#!/usr/bin/env bash
# redis-7.sh IMAGE: a stand-in for redis:7 under that name: Debian 12 with its Redis 7 and the contract of the real image: flags
# as the command, /data as working folder and volume, port 6379, no password and no protected mode.
set -euo pipefail

# shellcheck source=scripts/stand-ins/debian.sh
. "$(dirname "${BASH_SOURCE[0]}")/debian.sh"

cat >"$work/entrypoint.sh" <<'END'
#!/bin/sh
set -e
if [ "${1#-}" != "$1" ] || [ "${1%.conf}" != "$1" ]; then
    set -- redis-server "$@"
fi
if [ "$1" = redis-server ]; then
    set -- "$@" --protected-mode no
    if [ "$(id -u)" = 0 ]; then
        chown redis .
        exec gosu redis "$@"
    fi
fi
exec "$@"
END
chmod 644 "$work/entrypoint.sh"

# shellcheck disable=SC2016
twice debian "$work/image.tar" gosu,redis-server,redis-tools \
    --customize-hook="install -m 755 '$work/entrypoint.sh' \"\$1/usr/local/bin/docker-entrypoint.sh\"" \
    --customize-hook='chroot "$1" install -d -o redis -g redis /data' \
    --customize-hook='chroot "$1" redis-server --version'
quietly docker import \
    --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
    --change 'WORKDIR /data' \
    --change 'VOLUME /data' \
    --change 'ENTRYPOINT ["docker-entrypoint.sh"]' \
    --change 'CMD ["redis-server"]' \
    --change 'EXPOSE 6379' \
    --change 'LABEL dev.orca.stand-in=true' \
    "$work/image.tar" "$1"
