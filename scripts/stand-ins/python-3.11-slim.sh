#!/usr/bin/env bash
# python-3.11-slim.sh IMAGE: a stand-in for python:3.11-slim under that name: Debian 12 with its Python 3.11, pip and venv,
# found under the names and the PATH of the real image. It has two database clients as well, so that 'pip install' finds
# what the examples ask for where no package index can be reached from containers.
set -euo pipefail

# shellcheck source=scripts/stand-ins/debian.sh
. "$(dirname "${BASH_SOURCE[0]}")/debian.sh"

# shellcheck disable=SC2016
twice debian "$work/image.tar" ca-certificates,netbase,python3,python3-asyncpg,python3-pip,python3-redis,python3-venv,tzdata \
    --customize-hook='ln -s /usr/bin/python3.11 "$1/usr/local/bin/python"' \
    --customize-hook='ln -s /usr/bin/python3.11 "$1/usr/local/bin/python3"' \
    --customize-hook='ln -s /usr/bin/python3.11 "$1/usr/local/bin/python3.11"' \
    --customize-hook='ln -s /usr/bin/pip3 "$1/usr/local/bin/pip"' \
    --customize-hook='ln -s /usr/bin/pip3 "$1/usr/local/bin/pip3"' \
    --customize-hook='rm -f "$1/usr/lib/python3.11/EXTERNALLY-MANAGED"' \
    --customize-hook='chroot "$1" python -c "import ctypes, http.server, json, lzma, pip, sqlite3, ssl, unittest, venv"' \
    --customize-hook='chroot "$1" python -m pip install --no-index --quiet asyncpg redis'
quietly docker import \
    --change 'ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin' \
    --change 'ENV LANG=C.UTF-8' \
    --change 'CMD ["python3"]' \
    --change 'LABEL dev.orca.stand-in=true' \
    "$work/image.tar" "$1"
