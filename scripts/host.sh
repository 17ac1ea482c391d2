# shellcheck shell=bash
# What the set-up scripts ask of the host: speak, fail, take a lock, run with a log, install Debian packages.
# Sourced, never run. It may not know what is being set up.

# Where root's tools are, whatever PATH a login gave.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

say() { printf '%s: %s\n' "${0##*/}" "$*"; }

# fail STATUS SENTENCE...: each sentence on its own line, on stderr.
fail() {
    local status=$1
    shift
    printf '%s: %s\n' "${0##*/}" "$1" >&2
    shift
    [ $# -eq 0 ] || printf '    %s\n' "$@" >&2
    exit "$status"
}

is_root() { [ "$(id -u)" -eq 0 ]; }

on_debian() { command -v apt-get >/dev/null && command -v dpkg >/dev/null; }

# take_lock FD NAME: one set-up at a time on this host. The lock ends with the process that holds FD.
take_lock() {
    local directory=${TMPDIR:-/tmp}
    [ ! -w /run/lock ] || directory=/run/lock
    eval "exec $1>\"$directory/$2.$(id -u).lock\""
    flock --wait 600 "$1" || fail 3 "another set-up has held '$directory/$2.$(id -u).lock' for ten minutes." \
        "See what it is doing with: ps -ef | grep scripts/"
}

# quietly COMMAND...: its output is shown only when it fails.
quietly() {
    local log status=0
    log=$(mktemp)
    "$@" >"$log" 2>&1 </dev/null || status=$?
    [ "$status" -eq 0 ] || { printf '%s: failed (%s): %s\n' "${0##*/}" "$status" "$*"; tail -n 30 "$log"; } >&2
    rm -f "$log"
    return "$status"
}

# twice COMMAND...: a download that failed is tried once more.
twice() {
    quietly "$@" && return
    say "trying once more: $*"
    sleep 3
    quietly "$@"
}

# apt_install PACKAGE...: root on Debian or Ubuntu only; the caller has checked that.
apt_install() {
    local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300)
    say "installing Debian packages: $*"
    # A foreign source that does not answer must not stop what Debian's own sources can install.
    quietly "${apt[@]}" update || say "some package sources did not answer; going on with the others"
    twice "${apt[@]}" install -y --no-install-recommends "$@"
}
