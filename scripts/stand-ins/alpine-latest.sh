#!/usr/bin/env bash
# alpine-latest.sh IMAGE: a stand-in for alpine:latest under that name: BusyBox with all its applets at their usual places.
# What the real image has beyond that (apk, musl, a few options such as nc -z) it has not.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
# shellcheck source=scripts/host.sh
. "$root/scripts/host.sh"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tree=$work/tree

download() {
    cd "$work" && apt-get -q download busybox-static
}

refresh_and_download() {
    ! is_root || apt-get -q -o DPkg::Lock::Timeout=300 update || true
    download
}

# The package lists of a new machine are empty or old, which only a refresh mends.
quietly download 2>/dev/null || twice refresh_and_download
dpkg-deb -x "$work"/busybox-static_*.deb "$work/package"
busybox=$(find "$work/package" -type f -path '*bin/busybox')

mkdir -p "$tree"/{bin,dev,etc,home,lib,media,mnt,opt,proc,root,run,sbin,srv,sys,tmp} \
    "$tree"/usr/{bin,sbin,lib,share,local/bin} "$tree"/var/{cache,lib,log,spool,tmp}
chmod 1777 "$tree/tmp" "$tree/var/tmp"
chmod 700 "$tree/root"
install -m 755 "$busybox" "$tree/bin/busybox"
"$tree/bin/busybox" --list-full | while read -r applet; do
    mkdir -p "$tree/$(dirname "$applet")"
    [ -e "$tree/$applet" ] || ln -s /bin/busybox "$tree/$applet"
done

cat >"$tree/etc/passwd" <<'END'
root:x:0:0:root:/root:/bin/sh
bin:x:1:1:bin:/bin:/sbin/nologin
daemon:x:2:2:daemon:/sbin:/sbin/nologin
guest:x:405:100:guest:/dev/null:/sbin/nologin
nobody:x:65534:65534:nobody:/:/sbin/nologin
END
cat >"$tree/etc/group" <<'END'
root:x:0:root
bin:x:1:root,bin,daemon
daemon:x:2:root,bin,daemon
tty:x:5:
users:x:100:
nobody:x:65534:
END
cat >"$tree/etc/os-release" <<'END'
NAME="orca stand-in for alpine:latest"
ID=orca-stand-in
PRETTY_NAME="BusyBox from Debian, standing in for alpine:latest"
END
printf 'hosts: files dns\n' >"$tree/etc/nsswitch.conf"
printf '/bin/sh\n/bin/ash\n' >"$tree/etc/shells"

tar -C "$tree" --numeric-owner --owner=0 --group=0 -cf "$work/image.tar" .
quietly docker import \
    --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
    --change 'CMD ["/bin/sh"]' \
    --change 'LABEL dev.orca.stand-in=true' \
    "$work/image.tar" "$1"
