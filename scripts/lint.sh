#!/usr/bin/env bash
# rustfmt and clippy over every package, warnings are errors; the generated catalogue is current, and all versions agree;
# pgspot over the install script and cargo-deny over the dependencies, after both have shown that they find what is planted.
source "$(dirname "$0")/common.sh"
source "$(dirname "$0")/lint-tools.sh"
use_server

# The install script as it is installed, signatures included.
write_install_script() { cargo pgrx schema --release "pg$PG_MAJOR" --out "$1" >/dev/null 2>"$1.log" || { cat "$1.log" >&2; return 1; }; }

say "rustfmt"
cargo fmt --all --check
cargo fmt --manifest-path fuzz/Cargo.toml --check
say "clippy"
# The features of `cargo pgrx test`, so that the in-server tests are linted as well.
cargo clippy --quiet --workspace --all-targets --no-default-features --features "pg$PG_MAJOR,pg_test" -- -D warnings
say "catalogue"
scripts/catalogue.py --check
say "versions"
tests/lint/versions.py
install_pgspot
install_cargo_deny
say "planted violations"
tests/lint/run.sh
say "pgspot"
write_install_script "$lint_folder/token_vault.sql"
check_sql "$lint_folder/token_vault.sql"
say "cargo deny"
check_dependencies Cargo.toml
check_advisories
say "lint: clean"
