#!/usr/bin/env bash
# lock.sh [uv flag...]: writes the lock files anew from pyproject.toml: what development needs, and the part of it that
# the worker's image needs, at the same versions. Pass --upgrade to take newer versions.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
compile=(scripts/uv.sh pip compile --quiet --universal --generate-hashes)
options=(--python-version 3.11 --no-emit-index-url)

"${compile[@]}" --group dev pyproject.toml -o requirements.lock "${options[@]}" "$@"
"${compile[@]}" pyproject.toml -c requirements.lock -o deploy/temporal/requirements.lock "${options[@]}"
# What builds the worker's wheel.
echo hatchling | "${compile[@]}" - -c requirements.lock -o deploy/temporal/build.lock "${options[@]}"
