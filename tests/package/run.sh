#!/usr/bin/env bash
# Installs the Debian package into a minimal Debian without Rust, uses the extension there, and removes the package.
# Usage: run.sh [PACKAGE.deb]     the newest one of `make package`, unless one is given
# Needs root, and debootstrap the first time: the root is kept below the target folder.
source "$(dirname "$0")/../../scripts/common.sh"

deb=$(realpath "${1:-$(ls -t "${CARGO_TARGET_DIR:-target}"/package/*.deb | head -n 1)}")
is_root || exec sudo --preserve-env=CARGO_TARGET_DIR "$REPOSITORY/tests/package/run.sh" "$deb"
major=$(dpkg-deb --field "$deb" Package | sed 's/[^0-9]*\([0-9]*\).*/\1/')
codename=$(. /etc/os-release && echo "$VERSION_CODENAME") # the package is for the system that it was built on
folder=$(realpath -m "${CARGO_TARGET_DIR:-target}")/debian
root=$folder/$codename-$major

make_root() {
  local uri
  uri=$(debian_mirror)
  [ -n "$uri" ] || die "apt knows no mirror of Debian $codename"
  say "making a minimal Debian $codename with postgresql-$major"
  rm -rf "$root.new"
  mkdir -p "$folder"
  debootstrap --variant=minbase --include="postgresql-$major" "$codename" "$root.new" "$uri" >"$folder/debootstrap.log" ||
    { tail "$folder/debootstrap.log" >&2; die "debootstrap failed"; }
  mv "$root.new" "$root"
}

[ -d "$root" ] || make_root
# Mounts and processes end with the namespaces, whatever happens in between; nothing is left in the root but what
# removing a package leaves. `inside.sh` takes a package away that an interrupted run has left.
say "$(basename "$deb") in a minimal Debian"
exec unshare --mount --pid --fork --kill-child bash -euc '
  mount -t proc proc "$1/proc"
  mount -t tmpfs tmpfs "$1/tmp"
  mkdir -p "$1/dev/shm" && mount -t tmpfs tmpfs "$1/dev/shm"
  chmod 1777 "$1/tmp" "$1/dev/shm"
  cp "$2" "$1/tmp/package.deb"
  cp "$3" "$1/tmp/inside.sh"
  exec chroot "$1" env --ignore-environment PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 bash /tmp/inside.sh "$4"
' bash "$root" "$deb" tests/package/inside.sh "$major"
