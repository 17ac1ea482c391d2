#!/usr/bin/env bash
# Makes sure that a Docker engine answers: the one that DOCKER_HOST names, else the one on the default socket.
# Where none answers it may, as root on Debian or Ubuntu, install and start one; elsewhere it says what to do and exits 3.
# It never ends an engine that it did not start in this very run.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
# shellcheck source=scripts/host.sh
. "$root/scripts/host.sh"

default_host=unix:///var/run/docker.sock
# Set even when it is the default: the client would otherwise follow its contexts, which orca does not.
export DOCKER_HOST=${DOCKER_HOST:-$default_host}
pid_file=/var/run/docker.pid
log=/var/log/orca-dockerd.log
patience=60

answers() { timeout 10 docker version --format '{{.Server.Version}}' >/dev/null 2>&1; }

report_and_exit() {
    say "Docker engine $(docker version --format '{{.Server.Version}}') answers at $DOCKER_HOST$1"
    exit 0
}

# runs_as PID NAME: a process with this id is alive and is this program, not another that was given the id since. One that
# has ended but was not collected by its parent keeps its name and id, and counts as ended.
runs_as() { [ -n "$1" ] && grep -qE "^$1 \($2\) [^ZX]" "/proc/$1/stat" 2>/dev/null; }

# A kill -9 or a machine's snapshot leaves these behind, and dockerd then refuses to start or waits for ever.
remove_leftovers() {
    local file program socket
    for file in "$pid_file" /var/run/docker/containerd/containerd.pid; do
        program=dockerd
        [ "${file##*/}" != containerd.pid ] || program=containerd
        [ ! -e "$file" ] || runs_as "$(cat "$file")" "$program" || rm -f "$file"
    done
    for socket in /run/containerd/containerd.sock /var/run/docker/containerd/containerd.sock; do
        [ ! -S "$socket" ] || grep -q " ${socket#/var}$\| $socket$" /proc/net/unix || rm -f "$socket"
    done
}

# Containers need a cgroup tree; a bare machine image may have mounted none.
prepare_cgroups() {
    local name
    [ -f /sys/fs/cgroup/cgroup.controllers ] || [ -d /sys/fs/cgroup/memory ] || {
        if [ -d /sys/fs/cgroup ] && mount -t cgroup2 none /sys/fs/cgroup 2>/dev/null &&
            grep -qw memory /sys/fs/cgroup/cgroup.controllers; then
            :
        else
            umount /sys/fs/cgroup 2>/dev/null || true
            mount -t tmpfs -o mode=755 cgroup /sys/fs/cgroup
            while read -r name; do
                mkdir -p "/sys/fs/cgroup/$name"
                mount -t cgroup -o "$name" cgroup "/sys/fs/cgroup/$name" || rmdir "/sys/fs/cgroup/$name"
            done < <(awk '!/^#/ && $4 == 1 { print $1 }' /proc/cgroups)
        fi
    }
    delegate_cgroup2
}

# In version 2, a group that holds processes cannot pass its controllers on. Inside a container the top of the tree is
# such a group, so its processes move one level down.
delegate_cgroup2() {
    local tree=/sys/fs/cgroup wanted pid
    [ -f "$tree/cgroup.controllers" ] || return 0
    wanted=$(sed 's/[^ ]\+/+&/g' "$tree/cgroup.controllers")
    { echo "$wanted" >"$tree/cgroup.subtree_control"; } 2>/dev/null && return
    mkdir -p "$tree/orca-init"
    while read -r pid; do
        { echo "$pid" >"$tree/orca-init/cgroup.procs"; } 2>/dev/null || true # it may have ended meanwhile
    done <"$tree/cgroup.procs"
    { echo "$wanted" >"$tree/cgroup.subtree_control"; } 2>/dev/null ||
        say "could not pass all cgroup controllers on; limits of cpus and memory may not hold"
}

# Debian's iptables speaks nftables. A kernel without it may still have the old tables: then dockerd alone gets those.
path_for_iptables() {
    local legacy=/run/orca-iptables
    if ! iptables -t nat -nL >/dev/null 2>&1 && iptables-legacy -t nat -nL >/dev/null 2>&1; then
        mkdir -p "$legacy"
        ln -sf "$(command -v iptables-legacy)" "$legacy/iptables"
        ln -sf "$(command -v ip6tables-legacy)" "$legacy/ip6tables"
        printf '%s:' "$legacy"
    fi
    printf '%s' "$PATH"
}

# wait_for PID: 0 it answers, 1 it ended, 2 it neither answers nor ends.
wait_for() {
    local end=$((SECONDS + patience))
    while [ "$SECONDS" -lt "$end" ]; do
        ! answers || return 0
        runs_as "$1" dockerd || return 1
        sleep 0.3
    done
    return 2
}

# start [FLAG...]: detached from this script in every way: session, signals, and open files, so that neither a lock nor a
# caller that reads our output to its end waits for the engine.
start() {
    local status=0 pid
    : >"$log"
    (
        trap '' HUP
        exec </dev/null >>"$log" 2>&1
        for fd in /proc/"$BASHPID"/fd/*; do
            fd=${fd##*/}
            [ "$fd" -le 2 ] || eval "exec $fd>&-"
        done
        PATH=$(path_for_iptables) exec setsid dockerd --host="$default_host" "$@"
    ) &
    pid=$!
    disown "$pid"
    # The new process is still a shell until exec has happened.
    for _ in $(seq 20); do
        ! runs_as "$pid" dockerd || break
        sleep 0.1
    done
    wait_for "$pid" || status=$?
    [ "$status" -ne 0 ] || report_and_exit "; started here as process $pid, log in $log, 'kill $pid' stops it"
    [ "$status" -ne 2 ] || stop "$pid"
}

# Somebody else's engine, for instance one that the host's own start-up brings up at this moment.
wait_for_another() {
    local running
    running=$(cat "$pid_file" 2>/dev/null || true)
    runs_as "$running" dockerd || return 0
    say "waiting for the Docker engine that runs as process $running"
    ! wait_for "$running" || report_and_exit ""
    ! runs_as "$running" dockerd || fail 3 "a Docker engine runs as process $running but does not answer at $DOCKER_HOST." \
        "Look at its log, or stop it with 'kill $running' and run this again."
}

stop() {
    kill "$1" 2>/dev/null || return 0
    for _ in $(seq 100); do
        runs_as "$1" dockerd || return 0
        sleep 0.1
    done
    kill -9 "$1" 2>/dev/null || true
}

storage_is_the_matter() {
    grep -Eiq 'graphdriver|storage.driver|overlay' "$log" && ! grep -q 'storage-driver' /etc/docker/daemon.json 2>/dev/null
}

! command -v docker >/dev/null || ! answers || report_and_exit ""

what_to_do=("Install Docker Engine and start it, for instance on Debian or Ubuntu:"
    "    sudo apt-get install docker.io && sudo systemctl start docker"
    "or let DOCKER_HOST name an engine that runs elsewhere. Being in the group 'docker' lets you use it without root.")

if [ "${DOCKER_HOST#unix://}" != /var/run/docker.sock ] && [ "${DOCKER_HOST#unix://}" != /run/docker.sock ]; then
    command -v docker >/dev/null || fail 3 "the client 'docker' is not installed, so '$DOCKER_HOST' cannot be asked." \
        "On Debian or Ubuntu: sudo apt-get install docker.io"
    fail 3 "no Docker engine answers at DOCKER_HOST='$DOCKER_HOST'." "Start it, or unset DOCKER_HOST to use the default socket."
fi
socket=${DOCKER_HOST#unix://}
if [ -S "$socket" ] && [ ! -w "$socket" ]; then
    fail 3 "the Docker engine's socket '$socket' is there, but you may not use it." \
        "Join its group and log in again: sudo usermod -aG $(stat -c %G "$socket") $(id -un 2>/dev/null || id -u)"
fi
is_root || fail 3 "no Docker engine answers at $DOCKER_HOST, and only root can start one." "${what_to_do[@]}"

take_lock 8 orca-engine
if ! command -v dockerd >/dev/null || ! command -v docker >/dev/null || ! command -v iptables >/dev/null; then
    on_debian || fail 3 "no Docker engine is installed, and this is neither Debian nor Ubuntu." "${what_to_do[@]}"
    # In run level 1 the package's init script starts nothing, so that there is one place that does: below.
    PREVLEVEL=N RUNLEVEL=1 apt_install docker.io iptables || fail 3 "Debian's Docker engine could not be installed." "${what_to_do[@]}"
    hash -r
    # Newer Debian packages the client apart.
    command -v docker >/dev/null || apt_install docker-cli || fail 3 "the client 'docker' could not be installed." "${what_to_do[@]}"
    hash -r
fi
! answers || report_and_exit ""

if [ -d /run/systemd/system ]; then
    quietly systemctl start docker || fail 3 "systemd could not start the Docker engine." "See: journalctl -u docker"
    answers || fail 3 "systemd started the Docker engine, but it does not answer at $DOCKER_HOST." "See: journalctl -u docker"
    report_and_exit "; started through systemd"
fi

wait_for_another

touch "$log" 2>/dev/null || log=${TMPDIR:-/tmp}/orca-dockerd.log
say "starting a Docker engine"
remove_leftovers
prepare_cgroups
start
wait_for_another
if storage_is_the_matter; then
    say "the engine's default storage does not work here; trying the slower 'vfs'"
    remove_leftovers
    start --storage-driver=vfs
fi
tail -n 20 "$log" >&2
fail 3 "the Docker engine did not start within $patience seconds; the end of its log stands above (whole: $log)." "${what_to_do[@]}"
