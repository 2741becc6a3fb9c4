#!/usr/bin/env bash
# Runs every fuzz target of fuzz/ for a while; fails on the first finding. Usage: fuzz.sh [SECONDS]   (default 60 each)
# What a run learns is kept in the target folder, so that the next one goes on from there.
source "$(dirname "$0")/common.sh"

VERSION=0.13.2
# Inputs as long as they can be interesting: the largest key file has 4096 bytes. One takes microseconds: the limits on
# seconds and memory are far beyond what a check may need.
LIMITS=(-max_len=4200 -timeout=10 -rss_limit_mb=2048)

seconds=${1:-60}
[[ $seconds =~ ^[1-9][0-9]*$ ]] || die "usage: fuzz.sh [SECONDS]"
target=$(realpath -m "${CARGO_TARGET_DIR:-target}")/fuzz
BUILD=(--sanitizer none --target-dir "$target")

install_cargo_fuzz() {
  [ "$(cargo fuzz --version 2>/dev/null)" != "cargo-fuzz $VERSION" ] || return 0
  say "installing cargo-fuzz $VERSION"
  cargo install --quiet --locked --version "$VERSION" cargo-fuzz
}

# fuzz NAME: runs one target. No sanitizer, so that stable Rust will do: the packages under test have no unsafe code,
# and a broken promise is a panic.
fuzz() {
  local name=$1 learned=$target/corpus/$1 findings=$target/findings/$1 log=$target/$1.log
  mkdir -p "$learned" "$findings"
  say "$name, $seconds s"
  if ! RUST_BACKTRACE=0 cargo fuzz run "${BUILD[@]}" "$name" "$learned" "fuzz/seeds/$name" -- \
    -max_total_time="$seconds" "${LIMITS[@]}" -dict="fuzz/dictionaries/$name.dict" \
    -artifact_prefix="$findings/" >"$log" 2>&1; then
    # Without the lines on what has been covered.
    grep -v '^#[0-9]' "$log" | tail -n 40 >&2
    die "$name: a finding, see $log; its input is in $findings and, once fixed, belongs to fuzz/seeds/$name"
  fi
  # Executions, covered edges (cov), features (ft).
  grep -E '^(#[0-9]+[[:space:]]+DONE|Done )' "$log"
}

command -v c++ >/dev/null || die "libFuzzer needs a C++ compiler: install g++"
install_cargo_fuzz
say "building the fuzz targets"
cargo fuzz build "${BUILD[@]}"
for source in fuzz/fuzz_targets/*.rs; do
  fuzz "$(basename "$source" .rs)"
done
say "fuzz: no findings"
