#!/usr/bin/env bash
# rustfmt and clippy over every package, warnings are errors; the generated catalogue is current.
source "$(dirname "$0")/common.sh"
use_server

say "rustfmt"
cargo fmt --all --check
cargo fmt --manifest-path fuzz/Cargo.toml --check
say "clippy"
# The features of `cargo pgrx test`, so that the in-server tests are linted as well.
cargo clippy --quiet --workspace --all-targets --no-default-features --features "pg$PG_MAJOR,pg_test" -- -D warnings
say "catalogue"
scripts/catalogue.py --check
say "lint: clean"
