#!/usr/bin/env bash
# Builds the library with fault points for the server of PG_CONFIG. It is not installed: the cluster tests take it from
# the target folder.
source "$(dirname "$0")/common.sh"
use_server

say "building the library with fault points, for tests"
target=${CARGO_TARGET_DIR:-target}
cargo build --quiet --release -p token_vault_fault_points --no-default-features --features "pg$PG_MAJOR"
# A new file each time: the tests compare its age with that of the installed library.
install -D "$target/release/libtoken_vault_fault_points.so" "$target/fault_points/token_vault.so"
