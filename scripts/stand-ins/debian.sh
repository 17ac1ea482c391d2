# shellcheck shell=bash
# What the stand-ins that are a Debian system of their own have in common. Sourced, never run.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
# shellcheck source=scripts/host.sh
. "$root/scripts/host.sh"

# need_mmdebstrap: what builds the systems, installed where it is missing.
need_mmdebstrap() {
    if ! command -v mmdebstrap >/dev/null || [ ! -e /usr/share/keyrings/debian-archive-keyring.gpg ]; then
        is_root || fail 3 "mmdebstrap is not installed, and only root can install it." \
            "On Debian or Ubuntu: sudo apt-get install mmdebstrap debian-archive-keyring"
        apt_install mmdebstrap debian-archive-keyring
    fi
}

# debian TAR PACKAGES OPTION...: the root of a Debian 12 with PACKAGES (by commas), as a tar. mmdebstrap gives each of its
# --customize-hook options the new root as $1; one that fails fails the build, so nothing half done gets a name.
# shellcheck disable=SC2016
debian() {
    local tar=$1 packages=$2
    shift 2
    rm -f "$tar"
    mmdebstrap --variant=minbase --include="$packages" \
        --dpkgopt='path-exclude=/usr/share/man/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' \
        --dpkgopt='path-exclude=/usr/share/doc/*' \
        --dpkgopt='path-include=/usr/share/doc/*/copyright' \
        "$@" \
        --customize-hook='rm -f "$1/etc/hostname" "$1/etc/resolv.conf"' \
        bookworm "$tar"
}

need_mmdebstrap
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# mmdebstrap may build as another user, who has to reach the file.
chmod 755 "$work"
