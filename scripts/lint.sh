#!/usr/bin/env bash
# rustfmt and clippy over every package, warnings are errors; the generated catalogue is current, and all versions agree;
# pgspot over the install and upgrade scripts and cargo-deny over the dependencies, after both have shown that they find what is planted.
source "$(dirname "$0")/common.sh"
source "$(dirname "$0")/lint-tools.sh"
use_server

# The install script as it is installed, signatures included.
write_install_script() {
  cargo pgrx schema --release "pg$PG_MAJOR" --out "$1.generated" >/dev/null 2>"$1.log" || { cat "$1.log" >&2; return 1; }
  ordered "$1.generated" >"$1"
}

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
say "install script"
write_install_script "$lint_folder/token_vault.sql"
write_install_script "$lint_folder/again.sql"
# pgrx has written its functions in another order the second time.
cmp "$lint_folder/token_vault.sql" "$lint_folder/again.sql" || die "the order of the install script differs from build to build"
say "pgspot"
check_sql "$lint_folder/token_vault.sql"
for script in sql/token_vault--*--*.sql; do check_sql "$script"; done
say "cargo deny"
check_dependencies Cargo.toml
check_advisories
say "lint: clean"
