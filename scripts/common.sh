# Sourced by the scripts beside it: where things are, which server is meant, how to act as root.
# shellcheck shell=bash

set -euo pipefail

REPOSITORY=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$REPOSITORY"

# rustup puts cargo here; a non-login shell may not have it on PATH.
command -v cargo >/dev/null || PATH="$HOME/.cargo/bin:$PATH"

# pgrx builds the library with a linker flag of its own, against linkers that drop its schema section.
# That of x86-64 keeps the section, and with the same flags everywhere nothing is compiled twice.
[ "$(uname -m)" != x86_64 ] || export CARGO_PGRX_DISABLE_GC_SECTIONS_WORKAROUND=1

# Where install-prerequisites.sh puts a node of our own if the system's is too old.
NODE_FOLDER=${CARGO_TARGET_DIR:-$REPOSITORY/target}/node
[ ! -x "$NODE_FOLDER/bin/node" ] || PATH="$NODE_FOLDER/bin:$PATH"

# Where install-prerequisites.sh puts the drivers for Python that test-drivers.sh runs.
PYTHON_DRIVERS=${CARGO_TARGET_DIR:-$REPOSITORY/target}/drivers

is_root() { [ "$(id -u)" -eq 0 ]; }

# Where build-server.sh keeps the servers that it has built. Their user must be able to read it, and nothing in root's
# home is readable.
SERVERS=${TOKEN_VAULT_SERVERS:-$(is_root && echo /var/cache || echo "${XDG_CACHE_HOME:-$HOME/.cache}")/token_vault/servers}

is_installed() { [ "$(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

say() { printf '==> %s\n' "$*"; }
die() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; exit 1; }

as_root() { if is_root; then "$@"; else sudo "$@"; fi; }

# The version of pgrx, and so of cargo-pgrx: the root manifest is its only source.
pgrx_version() { sed -n 's/^pgrx = "=\([0-9.]*\)".*/\1/p' Cargo.toml; }

# Debian's server is the default, its version the one in Cargo.toml's default features.
default_major() { sed -n 's/^default = \["pg\([0-9]*\)"\].*/\1/p' Cargo.toml; }

# Sets PG_CONFIG where the caller has not chosen one: to the server of version PG, installed or built by build-server.sh.
# It need not exist yet.
choose_pg_config() {
  if [ -z "${PG_CONFIG:-}" ]; then
    local major=${PG:-$(default_major)}
    PG_CONFIG=/usr/lib/postgresql/$major/bin/pg_config
    if [ ! -x "$PG_CONFIG" ] && [ -x "$SERVERS/$major/bin/pg_config" ]; then
      PG_CONFIG=$SERVERS/$major/bin/pg_config
    elif [ ! -x "$PG_CONFIG" ] && [ -z "${PG:-}" ]; then
      PG_CONFIG=$(command -v pg_config || echo "$PG_CONFIG")
    fi
  fi
  export PG_CONFIG
}

# May this user write the extension's files into the server's folders?
can_install() { [ -w "$("$PG_CONFIG" --pkglibdir)" ] && [ -w "$("$PG_CONFIG" --sharedir)/extension" ]; }

# The version of the extension.
version() { sed -n '/^\[workspace.package\]/,/^$/s/^version = "\(.*\)"/\1/p' Cargo.toml; }

# ordered SCRIPT: prints an install script of pgrx in the order that it has in every build.
ordered() { LC_ALL=C awk -f "$REPOSITORY/scripts/order-script.awk" "$1"; }

# order_install_script SHAREDIR: puts the one that was just installed there into this order.
order_install_script() {
  local script text
  script=$1/extension/token_vault--$(version).sql
  text=$(ordered "$script")
  printf '%s\n' "$text" >"$script"
}

pg_major() { "$PG_CONFIG" --version | sed 's/[^0-9]*\([0-9]*\).*/\1/'; }

# The path pgrx remembers for a major version, or nothing.
pgrx_entry() {
  sed -n "s/^pg$1 *= *[\"']\(.*\)[\"']/\1/p" "${PGRX_HOME:-$HOME/.pgrx}/config.toml" 2>/dev/null || true
}

# Makes PG_CONFIG the server that everything below builds for and runs on.
use_server() {
  choose_pg_config
  [ -x "$PG_CONFIG" ] || die "no pg_config at $PG_CONFIG; run scripts/install-prerequisites.sh, or set PG_CONFIG"
  PG_MAJOR=$(pg_major)
  [ "${PG:-$PG_MAJOR}" = "$PG_MAJOR" ] || die "$PG_CONFIG is PostgreSQL $PG_MAJOR, not the $PG that was asked for"
  # pgrx builds against the server in its own configuration. Only a different one is named here,
  # because cargo rebuilds pgrx whenever this variable changes.
  if [ "$(pgrx_entry "$PG_MAJOR")" != "$PG_CONFIG" ]; then
    export PGRX_PG_CONFIG_PATH=$PG_CONFIG
  fi
}
