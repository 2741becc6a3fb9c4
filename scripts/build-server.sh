#!/usr/bin/env bash
# Builds a PostgreSQL that this Debian has no package of, for tests: with assertions, from the source package of another release.
# Usage: build-server.sh MAJOR     what is built already stays; prints where pg_config is
# As root or with sudo, if packages are missing. TOKEN_VAULT_SERVERS=FOLDER is where servers are kept.
source "$(dirname "$0")/common.sh"

KEYS=/usr/share/keyrings/debian-archive-keyring.gpg

# The release of Debian that has the source package; 16 was in none.
release_of() {
  case $1 in
    15) echo bookworm ;;
    17) echo trixie ;;
    18) echo forky ;;
    *) die "PostgreSQL $1 is in no release of Debian: install it another way and set PG_CONFIG" ;;
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

# The source package, from the mirror that this machine uses. Not from the security updates, which the build is not for.
download() {
  local mirror
  mirror=$(debian_mirror)
  [ -n "$mirror" ] || die "apt knows no mirror of Debian"
  mkdir -p "$work/apt/lists/partial" "$work/apt/archives/partial"
  : >"$work/apt/status"
  echo "deb-src [signed-by=$KEYS] $mirror $release main" >"$work/apt/sources.list"
  private_apt update
  private_apt source --download-only "postgresql-$major"
}

fetch_source() {
  cd "$work"
  download
  # Upstream's sources: Debian's patches put libraries into the system's folders.
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
