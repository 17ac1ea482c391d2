#!/usr/bin/env bash
# Makes .venv what requirements.lock says, with orca itself installed in editable form. Does nothing when it already is.
# It may write inside .venv only; as root on Debian it may install the venv module that Debian packages apart.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
# shellcheck source=scripts/host.sh
. "$root/scripts/host.sh"
cd "$root"

uv_version=0.13.8
venv=$root/.venv
stamp=$venv/.set-up-for
runs_3_11='import sys; sys.exit(sys.version_info < (3, 11))'

# The path is part of it: an environment that was copied elsewhere still points to where it was made.
wanted() { echo "$root uv-$uv_version $(cat requirements.lock pyproject.toml | sha256sum)"; }

is_current() {
    [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$(wanted)" ] && [ -x "$venv/bin/orca" ] &&
        "$venv/bin/python" -c "$runs_3_11" 2>/dev/null
}

find_python() {
    local candidate
    for candidate in ${PYTHON:+"$PYTHON"} python3 python3.13 python3.12 python3.11; do
        if "$candidate" -c "$runs_3_11" 2>/dev/null; then
            "$candidate" -c 'import sys; print(sys.executable)'
            return
        fi
    done
    fail 3 "orca needs Python 3.11 or newer, and none was found on PATH (tried python3, python3.13, python3.12, python3.11)." \
        "Install one, or name it: make setup PYTHON=/path/to/python3.11"
}

ensure_venv_module() {
    local python=$1 version package
    ! "$python" -c 'import ensurepip, venv' 2>/dev/null || return 0
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    package=python$version-venv
    if is_root && on_debian; then
        apt_install "$package" && "$python" -c 'import ensurepip, venv' 2>/dev/null && return
    fi
    fail 3 "'$python' cannot create environments: its venv module is not installed." \
        "On Debian or Ubuntu: sudo apt-get install $package"
}

create() {
    local python
    python=$(find_python)
    ensure_venv_module "$python"
    say "creating .venv with $python"
    rm -rf "$venv"
    quietly "$python" -m venv "$venv"
}

! is_current || exit 0

# The folder itself is the lock: two set-ups of one clone take turns, other clones do not wait.
exec 9<"$root"
flock 9
! is_current || exit 0

"$venv/bin/python" -c "$runs_3_11" 2>/dev/null || create
[ "$("$venv/bin/uv" --version 2>/dev/null | cut -d' ' -f2)" = "$uv_version" ] ||
    twice "$venv/bin/python" -m pip install --quiet --no-cache-dir --disable-pip-version-check "uv==$uv_version"

say "installing what requirements.lock names into .venv"
twice scripts/uv.sh pip sync --require-hashes requirements.lock
quietly scripts/uv.sh pip install --no-deps --no-build-isolation -e .
wanted >"$stamp"
