#!/usr/bin/env bash
# Everything that a fresh machine needs, in order: the Python environment, a Docker engine, the images.
# Safe to run again; what is there already is left alone.
set -euo pipefail

scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
"$scripts/environment.sh"
"$scripts/engine.sh"
"$scripts/images.sh"
