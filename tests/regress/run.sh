#!/usr/bin/env bash
# Runs sql/*.sql against expected/*.out, and the specs of ../isolation, each in a throwaway server with
# the installed extension. setup.sql goes first, the rest in alphabetical order, all in one database.
# Usage: run.sh [TEST…]        only these (setup.sql still goes first)
source "$(dirname "$0")/../../scripts/common.sh"
use_server

# pgrx would hand the backtraces of this variable to clients, as DETAIL.
export RUST_BACKTRACE=0

bindir=$("$PG_CONFIG" --bindir)
drivers=$(dirname "$("$PG_CONFIG" --pgxs)")/../test
server= # the folder of the running one
passed=0
failed=0

# What a shell may carry of another cluster, `make cluster` for one.
unset PGHOST PGPORT PGUSER PGPASSWORD PGDATABASE PGOPTIONS PGSERVICE

# Servers refuse to run as root, and their user may be unable to read the checkout: what is needed is
# copied to a folder of that user, and the results come back.
folder=$(mktemp -d -t tv-XXXXXX)
trap 'stop_server; rm -rf "$folder"' EXIT
if is_root; then as_server() { setpriv --reuid=postgres --regid=postgres --init-groups -- "$@"; }; else as_server() { "$@"; }; fi

# Not the drivers' own --temp-instance: its superuser would be called like whoever runs this, and its
# databases have no encoding of their own.
start_server() {
  (
    cd "$1"
    as_server "$bindir/initdb" --pgdata=data --username=postgres --auth=trust --encoding=UTF8 --no-locale --no-sync >initdb.log
    sed "s|@FOLDER@|$1|" server.conf >>data/postgresql.conf
    echo "listen_addresses = ''
      unix_socket_directories = '$1'" >>data/postgresql.conf
    as_server "$bindir/pg_ctl" start --wait --silent --pgdata=data --log=server.log
  ) || { cat "$1"/{initdb,server}.log >&2; return 1; }
  server=$1
}

stop_server() {
  [ -n "$server" ] || return 0
  (cd "$server" && as_server "$bindir/pg_ctl" stop --wait --silent --mode=immediate --pgdata=data)
  server=
}

# run PROGRAM SUITE TEST…: one of PostgreSQL's two test drivers over one of our folders.
run() {
  local program=$1 suite=$2 copy=$folder/$2 test
  shift 2
  cp -r "tests/$suite" "$copy"
  cp tests/regress/postgresql.conf "$copy/server.conf"
  rm -rf "$copy/results" # of an earlier run
  mkdir -p "$copy/results" "$copy/expected"
  for test in "$@"; do # a new test has nothing to be compared with yet; the driver would give up
    [ -e "$copy/expected/$test.out" ] || touch "$copy/expected/$test.out"
  done
  if is_root; then chown -R postgres "$folder"; fi
  say "$suite"
  start_server "$copy"
  (cd "$copy" && as_server "$program" --inputdir=. --outputdir=. --bindir="$bindir" \
    --host="$copy" --port=5432 --user=postgres --dbname=regression "$@") | tee "$copy/driver.log" || true
  stop_server
  rm -rf "tests/$suite/results"
  cp -r "$copy/results" "tests/$suite/results"
  count "$copy"
}

# Adds the driver's own total to ours, and shows what differed. A driver that did not get that far failed.
count() {
  local total
  if total=$(sed -n 's/.*All \([0-9]*\) tests passed.*/\1/p' "$1/driver.log") && [ -n "$total" ]; then
    passed=$((passed + total))
    return
  fi
  if total=$(sed -n 's/.*[^0-9]\([0-9]* of [0-9]*\) tests failed.*/\1/p' "$1/driver.log") && [ -n "$total" ]; then
    failed=$((failed + ${total% of *}))
    passed=$((passed + ${total#* of } - ${total% of *}))
  else
    failed=$((failed + 1))
    tail -n 50 "$1/server.log"
  fi
  cat "$1/regression.diffs" 2>/dev/null || true
}

# names FOLDER EXTENSION: the tests of a folder, without folder and extension, setup first.
names() {
  [ ! -e "$1/setup.$2" ] || echo setup
  find "$1" -name "*.$2" ! -name "setup.$2" -printf '%f\n' | sed "s/\.$2\$//" | LC_ALL=C sort
}

if [ $# -gt 0 ]; then
  run "$drivers/regress/pg_regress" regress $( [ -e tests/regress/sql/setup.sql ] && echo setup ) "$@"
else
  run "$drivers/regress/pg_regress" regress $(names tests/regress/sql sql)
  if compgen -G 'tests/isolation/specs/*.spec' >/dev/null; then
    run "$drivers/isolation/pg_isolation_regress" isolation $(names tests/isolation/specs spec)
  fi
fi

printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
