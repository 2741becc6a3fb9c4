#!/usr/bin/env bash
# Runs sql/*.sql against expected/*.out, and the specs of ../isolation, each in a throwaway server with
# the installed extension. setup.sql goes first, the rest in alphabetical order, all in one database.
# Usage: run.sh [TEST…]        only these (setup.sql still goes first)
source "$(dirname "$0")/../../scripts/common.sh"
use_server

# pgrx would hand the backtraces of this variable to clients, as DETAIL.
export RUST_BACKTRACE=0

harness=$(dirname "$("$PG_CONFIG" --pgxs)")/../test
passed=0
failed=0

# Servers refuse to run as root, and their user may be unable to read the checkout: what is needed is
# copied to a folder of that user, and the results come back.
folder=$(mktemp -d -t tv-XXXXXX)
trap 'rm -rf "$folder"' EXIT
if is_root; then as_server() { setpriv --reuid=postgres --regid=postgres --init-groups -- "$@"; }; else as_server() { "$@"; }; fi

# run PROGRAM SUITE TEST…: one of PostgreSQL's two test drivers over one of our folders.
run() {
  local program=$1 suite=$2 log=$folder/$2.log
  shift 2
  cp -r "tests/$suite" "$folder/$suite"
  rm -rf "$folder/$suite/results" # of an earlier run
  mkdir -p "$folder/$suite/results" "$folder/$suite/expected"
  local test
  for test in "$@"; do # a new test has nothing to be compared with yet; the driver would give up
    [ -e "$folder/$suite/expected/$test.out" ] || touch "$folder/$suite/expected/$test.out"
  done
  sed "s|@FOLDER@|$folder/$suite|" tests/regress/postgresql.conf >"$folder/$suite/server.conf"
  if is_root; then chown -R postgres "$folder"; fi
  say "$suite"
  (cd "$folder/$suite" && as_server "$program" --inputdir=. --outputdir=. --bindir="$("$PG_CONFIG" --bindir)" \
    --temp-instance=instance --temp-config=server.conf --encoding=UTF8 --no-locale --dbname=regression "$@") \
    | tee "$log" || true
  rm -rf "tests/$suite/results"
  cp -r "$folder/$suite/results" "tests/$suite/results"
  count "$log" "$folder/$suite"
}

# Adds the driver's own total to ours, and shows what differed. A driver that did not get that far failed.
count() {
  local log=$1 output=$2 total
  if total=$(sed -n 's/.*All \([0-9]*\) tests passed.*/\1/p' "$log") && [ -n "$total" ]; then
    passed=$((passed + total))
    return
  fi
  if total=$(sed -n 's/.*[^0-9]\([0-9]* of [0-9]*\) tests failed.*/\1/p' "$log") && [ -n "$total" ]; then
    set -- $total
    failed=$((failed + $1))
    passed=$((passed + $3 - $1))
  else
    failed=$((failed + 1))
    tail -n 50 "$output"/log/{initdb,postmaster}.log 2>/dev/null || true
  fi
  cat "$output/regression.diffs" 2>/dev/null || true
}

# names FOLDER EXTENSION: the tests of a folder, without folder and extension, setup first.
names() {
  [ ! -e "$1/setup.$2" ] || echo setup
  find "$1" -name "*.$2" ! -name "setup.$2" -printf '%f\n' | sed "s/\.$2\$//" | LC_ALL=C sort
}

if [ $# -gt 0 ]; then
  run "$harness/regress/pg_regress" regress $( [ -e tests/regress/sql/setup.sql ] && echo setup ) "$@"
else
  run "$harness/regress/pg_regress" regress $(names tests/regress/sql sql)
  if compgen -G 'tests/isolation/specs/*.spec' >/dev/null; then
    run "$harness/isolation/pg_isolation_regress" isolation $(names tests/isolation/specs spec)
  fi
fi

printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
