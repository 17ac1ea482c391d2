#!/usr/bin/env bash
# Runs the environment's own uv, so that it reads the host's certificates and index and writes nothing outside .venv.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)

export VIRTUAL_ENV="$root/.venv"
export UV_CACHE_DIR="${UV_CACHE_DIR:-$VIRTUAL_ENV/.cache/uv}"
export UV_SYSTEM_CERTS="${UV_SYSTEM_CERTS:-true}"
export UV_PYTHON_DOWNLOADS="${UV_PYTHON_DOWNLOADS:-never}"
export UV_HTTP_TIMEOUT="${UV_HTTP_TIMEOUT:-180}"

# uv does not read pip's settings; a host behind a mirror usually has only those.
if [ -z "${UV_DEFAULT_INDEX:-}" ]; then
    index=${PIP_INDEX_URL:-$("$VIRTUAL_ENV/bin/python" -m pip config get global.index-url 2>/dev/null || true)}
    [ -z "$index" ] || export UV_DEFAULT_INDEX="$index"
fi

exec "$VIRTUAL_ENV/bin/uv" "$@"
