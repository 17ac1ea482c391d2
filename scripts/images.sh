#!/usr/bin/env bash
# Makes sure that the engine has the images that the examples and tests name. Each is pulled; where no registry can be
# reached, a stand-in with the same contract is built under the same name from Debian packages.
# An image that exists is left alone. To add one: its name below and its stand-in as scripts/stand-ins/NAME-TAG.sh.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
# shellcheck source=scripts/host.sh
. "$root/scripts/host.sh"

images=(alpine:latest python:3.11-slim postgres:15 redis:7)

export DOCKER_HOST=${DOCKER_HOST:-unix:///var/run/docker.sock}
seconds_to_answer=10
seconds_to_finish=600
registry=unknown # then: answers, silent

exists() { docker image inspect "$1" >/dev/null 2>&1; }

missing() {
    local image
    for image in "${images[@]}"; do exists "$image" || echo "$image"; done
}

# pull IMAGE: 0 pulled, 1 not. A registry that says nothing is asked once, not for each image.
pull() {
    local log pid end status=0
    log=$(mktemp)
    timeout "$seconds_to_finish" docker pull "$1" >"$log" 2>&1 </dev/null &
    pid=$!
    end=$((SECONDS + seconds_to_answer))
    # The client prints 'Pulling from' once the registry has sent the image's manifest; the rest may take its time.
    while kill -0 "$pid" 2>/dev/null && ! grep -q 'Pulling from' "$log" && [ "$SECONDS" -lt "$end" ]; do
        sleep 0.1
    done
    grep -q 'Pulling from' "$log" || kill "$pid" 2>/dev/null || true
    wait "$pid" || status=$?
    if [ "$status" -eq 0 ] || grep -Eiq 'Pulling from|toomanyrequests|not found|denied|unauthorized' "$log"; then
        registry=answers
    else
        registry=silent
    fi
    [ -s "$log" ] || echo "no registry answered within $seconds_to_answer seconds" >"$log"
    [ "$status" -eq 0 ] || say "could not pull '$1': $(tail -n 1 "$log")"
    rm -f "$log"
    return "$status"
}

stand_in() {
    local script="$root/scripts/stand-ins/${1/:/-}.sh"
    on_debian || fail 3 "'$1' cannot be pulled, and a stand-in can only be built on Debian or Ubuntu." \
        "Bring the image here with 'docker load', or let the engine reach a registry, and run this again."
    say "building a stand-in for '$1' from Debian packages"
    "$script" "$1" || fail 3 "the stand-in for '$1' could not be built; what went wrong stands above." \
        "Bring the image here with 'docker load', or let the engine reach a registry, and run this again."
    exists "$1" || fail 3 "'$script' ended well but left no image '$1'."
}

[ -n "$(missing)" ] || exit 0
take_lock 8 orca-images
stand_ins=()
for image in $(missing); do
    if [ "$registry" != silent ] && say "pulling '$image'" && pull "$image"; then
        continue
    fi
    stand_in "$image"
    stand_ins+=("$image")
done
[ ${#stand_ins[@]} -eq 0 ] || say "stand-ins are in use for: ${stand_ins[*]}. They are labelled dev.orca.stand-in=true;" \
    "'docker image rm' one and run this again where a registry answers to have the real image."
