# Sourced by lint.sh and its test: checkers that are no part of Rust's toolchain, pinned and kept below the target folder.
# shellcheck shell=bash

PGSPOT_VERSION=0.9.4
PGLAST_VERSION=7.21
CARGO_DENY_VERSION=0.20.2

lint_folder=$(realpath -m "${CARGO_TARGET_DIR:-target}")/lint
pgspot=$lint_folder/python/bin/pgspot
cargo_deny=$lint_folder/bin/cargo-deny

install_pgspot() {
  [ "$("$pgspot" --version 2>/dev/null)" != "pgspot $PGSPOT_VERSION" ] || return 0
  say "installing pgspot $PGSPOT_VERSION"
  python3 -m venv "$lint_folder/python"
  "$lint_folder/python/bin/pip" install --quiet --disable-pip-version-check "pgspot==$PGSPOT_VERSION" "pglast==$PGLAST_VERSION"
}

install_cargo_deny() {
  [ "$("$cargo_deny" --version 2>/dev/null)" != "cargo-deny $CARGO_DENY_VERSION" ] || return 0
  say "installing cargo-deny $CARGO_DENY_VERSION (takes some minutes)"
  # Without optimization: it builds in half the time, and has little to do.
  cargo install --quiet --locked --debug --root "$lint_folder" --version "=$CARGO_DENY_VERSION" cargo-deny
}

# check_sql FILE: unqualified names and operators, functions without a search_path, objects that others could have made.
check_sql() { "$pgspot" "$1"; }

deny() { "$cargo_deny" --log-level error --config "$REPOSITORY/deny.toml" --workspace "$@"; }

# check_dependencies MANIFEST: what deny.toml says of packages, licences and where they come from.
check_dependencies() {
  deny --offline --manifest-path "$1" check --hide-inclusion-graph bans licenses sources
}

# Known vulnerabilities: needs the database of https://rustsec.org, which a machine without internet can't have.
check_advisories() {
  if timeout 20 git ls-remote --quiet --exit-code https://github.com/rustsec/advisory-db HEAD >/dev/null 2>&1; then
    deny check --hide-inclusion-graph advisories
  else
    say "advisories: left out, the database can't be reached"
  fi
}
