#!/usr/bin/env bash
# `make test` with every supported server, then pg_upgrade from one to the next. A failure does not stop the rest; the end
# is a table. Usage: test-all.sh [MAJOR…]     only these; status 0: all passed
source "$(dirname "$0")/common.sh"

SUPPORTED=(15 16 17 18)
[ $# -gt 0 ] || set -- "${SUPPORTED[@]}"

target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
mkdir -p "$target"
table=()
failed=0

# run TITLE LOG COMMAND…: shows and keeps the output, adds a row to the table.
run() {
  local title=$1 log=$target/$2 started=$SECONDS outcome=passed totals
  shift 2
  "$@" 2>&1 | tee "$log" || { outcome=FAILED; failed=$((failed + 1)); }
  totals=$(grep -E '^(steps: |test result: )' "$log" | tail -n 1) || true
  table+=("$(printf '%-6s %5d s  %-32s %s' "$outcome" $((SECONDS - started)) "$title" "$totals")")
}

# Whatever server the caller is used to: each of these is named by its major version.
unset PG_CONFIG PG
for major in "$@"; do
  run "PostgreSQL $major" "test-$major.log" make test "PG=$major"
done
run "pg_upgrade through them" test-upgrade.log scripts/test-upgrade.sh "$@"

printf '\n==> %d s\n' "$SECONDS"
printf '%s\n' "${table[@]}"
[ "$failed" -eq 0 ]
