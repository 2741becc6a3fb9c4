#!/usr/bin/env bash
# Builds a PostgreSQL that this Debian has no package of, for tests: with assertions, from a distribution's source package.
# Usage: build-server.sh MAJOR     what is built already stays; prints where pg_config is
# As root or with sudo, if packages are missing. TOKEN_VAULT_SERVERS=FOLDER is where servers are kept.
source "$(dirname "$0")/common.sh"

DEBIAN=http://deb.debian.org/debian
DEBIAN_KEYS=/usr/share/keyrings/debian-archive-keyring.gpg
UBUNTU=http://archive.ubuntu.com/ubuntu

# The release whose archive has the source package; 16 was in none of Debian's.
release_of() {
  case $1 in
    15) echo bookworm ;;
    16) echo noble ;;
    17) echo trixie ;;
    18) echo forky ;;
    *) die "PostgreSQL $1 is in no archive known here: install it another way and set PG_CONFIG" ;;
  esac
}

major=${1:-}
[[ $major =~ ^[0-9]+$ ]] || die "usage: build-server.sh MAJOR"
release=$(release_of "$major")
prefix=$SERVERS/$major
pg_config=$prefix/bin/pg_config
work=$SERVERS/build/$major
log=$work/log

# What is compiled with, and what the server is linked with.
PACKAGES=(gcc libc6-dev make bzip2 bison flex perl pkg-config libreadline-dev zlib1g-dev libssl-dev liblz4-dev
  libxml2-dev)

install_packages() {
  local missing=() package
  for package in "${PACKAGES[@]}"; do
    is_installed "$package" || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  say "installing Debian packages: ${missing[*]}"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq </dev/null
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" </dev/null >/dev/null
}

# apt with lists, caches and sources of its own: the machine's stay as they are. It checks the archive's signature, and
# what it fetches against the archive's checksums.
private_apt() {
  apt-get -qq -o "Dir::State=$work/apt" -o "Dir::State::status=$work/apt/status" -o "Dir::Cache=$work/apt" \
    -o "Dir::Etc::SourceList=$work/apt/sources.list" -o Dir::Etc::SourceParts=/dev/null \
    -o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts=/dev/null -o APT::Sandbox::User= "$@"
}

# use_archives LINE…: those that private_apt knows from now on. Of a package that two of them have it takes the newer.
use_archives() {
  mkdir -p "$work/apt/lists/partial" "$work/apt/archives/partial"
  : >"$work/apt/status"
  printf '%s\n' "$@" >"$work/apt/sources.list"
  private_apt update
}

# Ubuntu's keys are a package of Debian's, signed as all others.
fetch_ubuntu_keys() {
  use_archives "deb [signed-by=$DEBIAN_KEYS] $DEBIAN trixie main"
  private_apt download ubuntu-keyring
  dpkg-deb --extract ubuntu-keyring_*.deb keys
}

# download ARCHIVE…: the source package, the newest of these.
download() {
  use_archives "${@/#/deb-src }"
  private_apt source --download-only "postgresql-$major"
}

download_from_ubuntu() {
  fetch_ubuntu_keys
  local options="[signed-by=$work/keys/usr/share/keyrings/ubuntu-archive-keyring.gpg]"
  download "$options $UBUNTU $release-updates main" "$options $UBUNTU $release-security main"
}

# Mirrors do not always have what the index of the security updates names.
download_from_debian() {
  local main="[signed-by=$DEBIAN_KEYS] $DEBIAN $release main"
  download "$main" "[signed-by=$DEBIAN_KEYS] $DEBIAN-security $release-security main" || download "$main"
}

fetch_source() {
  cd "$work"
  if [ "$release" = noble ]; then download_from_ubuntu; else download_from_debian; fi
  # Upstream's sources: the distributions' patches put libraries into the system's folders.
  mkdir source
  tar --extract --file "$(ls "postgresql-$major"_*.orig.tar.*)" --strip-components=1 --directory=source
}

# Without what no test uses. A caller's make must not reach the one in here.
build() {
  cd "$work/source"
  CFLAGS=-O2 ./configure --quiet --prefix="$prefix" --enable-cassert --enable-debug --with-openssl --with-lz4 --with-libxml --without-icu
  unset MAKEFLAGS MAKELEVEL
  make --silent --jobs="$(nproc)" world-bin
  # Whole or not at all: programs find their files by where they are themselves, so that the folder may be renamed.
  make --silent install-world-bin DESTDIR="$work/installed"
  mv "$work/installed/$prefix" "$prefix"
}

if [ ! -x "$pg_config" ]; then
  install_packages >&2
  say "building PostgreSQL $major of $release in $prefix (some minutes)" >&2
  rm -rf "$work" "$prefix"
  mkdir -p "$work"
  # A job of its own: bash ignores `set -e` in what stands in a condition.
  (fetch_source; build) >"$log" 2>&1 &
  if ! wait $!; then
    tail -n 30 "$log" >&2
    die "PostgreSQL $major could not be built, see $log"
  fi
  rm -rf "$work"
fi
echo "$pg_config"
