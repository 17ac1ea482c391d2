#!/usr/bin/env bash
# python-3.11-slim.sh IMAGE: a stand-in for python:3.11-slim under that name: Debian 12 with its Python 3.11, pip and venv,
# found under the names and the PATH of the real image.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
# shellcheck source=scripts/host.sh
. "$root/scripts/host.sh"

keyring=/usr/share/keyrings/debian-archive-keyring.gpg
if ! command -v mmdebstrap >/dev/null || [ ! -e "$keyring" ]; then
    is_root || fail 3 "mmdebstrap is not installed, and only root can install it." \
        "On Debian or Ubuntu: sudo apt-get install mmdebstrap debian-archive-keyring"
    apt_install mmdebstrap debian-archive-keyring
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# mmdebstrap may build as another user, who has to reach the file.
chmod 755 "$work"

# mmdebstrap gives each hook the new root as its $1. The last hook is the check that the result is a whole Python: it fails
# the build, so nothing half done gets the name.
# shellcheck disable=SC2016
bootstrap() {
    rm -f "$work/image.tar"
    mmdebstrap --variant=minbase --include=ca-certificates,netbase,python3,python3-pip,python3-venv,tzdata \
        --dpkgopt='path-exclude=/usr/share/man/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' \
        --dpkgopt='path-exclude=/usr/share/doc/*' \
        --dpkgopt='path-include=/usr/share/doc/*/copyright' \
        --customize-hook='ln -s /usr/bin/python3.11 "$1/usr/local/bin/python"' \
        --customize-hook='ln -s /usr/bin/python3.11 "$1/usr/local/bin/python3"' \
        --customize-hook='ln -s /usr/bin/python3.11 "$1/usr/local/bin/python3.11"' \
        --customize-hook='ln -s /usr/bin/pip3 "$1/usr/local/bin/pip"' \
        --customize-hook='ln -s /usr/bin/pip3 "$1/usr/local/bin/pip3"' \
        --customize-hook='rm -f "$1/usr/lib/python3.11/EXTERNALLY-MANAGED" "$1/etc/hostname" "$1/etc/resolv.conf"' \
        --customize-hook='chroot "$1" python -c "import ctypes, http.server, json, lzma, pip, sqlite3, ssl, unittest, venv"' \
        bookworm "$work/image.tar"
}

twice bootstrap
quietly docker import \
    --change 'ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin' \
    --change 'ENV LANG=C.UTF-8' \
    --change 'CMD ["python3"]' \
    --change 'LABEL dev.orca.stand-in=true' \
    "$work/image.tar" "$1"
