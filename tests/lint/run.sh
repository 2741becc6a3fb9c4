#!/usr/bin/env bash
# Shows that the checks of `make lint` can fail: each is given something planted, and must name it.
source "$(dirname "$0")/../../scripts/common.sh"
source "$REPOSITORY/scripts/lint-tools.sh"

folder=$(mktemp -d -t tv-XXXXXX)
trap 'rm -rf "$folder"' EXIT

# refused CODE FUNCTION ARGUMENT…: the check fails, and says so.
refused() {
  local code=$1 output
  shift
  if output=$("$@" 2>&1); then die "$1 let $code pass"; fi
  grep -q -- "$code" <<<"$output" || die "$1 did not name $code:"$'\n'"$output"
}

# package NAME LICENCE [DEPENDENCY]: a package in a folder of its own; prints its manifest.
package() {
  mkdir -p "$folder/$1/src"
  touch "$folder/$1/src/lib.rs"
  cat >"$folder/$1/Cargo.toml" <<TOML
[package]
name = "$1"
version = "0.1.0"
edition = "2024"
license = "$2"
[features]
pg15 = []
[dependencies]
${3:-}
[workspace]
TOML
  echo "$folder/$1/Cargo.toml"
}

# A repository to depend on, which is none of crates.io's.
repository() {
  package stranger MIT >/dev/null
  git -C "$folder/stranger" init --quiet
  git -C "$folder/stranger" add .
  git -C "$folder/stranger" -c user.name=planted -c user.email=planted@localhost commit --quiet --message planted
}

for code in PS001 PS002 PS003 PS010 PS016 PS017; do
  refused "$code" check_sql tests/lint/planted.sql
done

# Nothing of this reaches cargo's own folder, nor the network.
export CARGO_HOME=$folder/cargo
check_dependencies "$(package innocent MIT)" || die "cargo-deny refuses what is right"
refused rejected check_dependencies "$(package copyleft GPL-3.0-only)"
package openssl MIT >/dev/null
refused banned check_dependencies "$(package unwanted MIT 'openssl = { path = "../openssl" }')"
repository
foreign=$(package foreign MIT "stranger = { git = \"file://$folder/stranger\" }")
cargo fetch --quiet --manifest-path "$foreign"
refused source-not-allowed check_dependencies "$foreign"
