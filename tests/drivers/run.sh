#!/usr/bin/env bash
# The same scenario with each driver, on the cluster of the environment: run.sh [DRIVER…]. See scripts/test-drivers.sh.
source "$(dirname "$0")/../../scripts/common.sh"
use_server

DRIVERS=$REPOSITORY/tests/drivers
JDBC=/usr/share/java/postgresql.jar
export PYTHONPATH=$DRIVERS PYTHONDONTWRITEBYTECODE=1

python_driver() { "$PYTHON_DRIVERS/bin/python" "$DRIVERS/$1/scenario.py"; }

# Debian's packages of Go are sources in a GOPATH; nothing is downloaded.
go_driver() {
  GO111MODULE=off GOPATH=/usr/share/gocode GOCACHE=${CARGO_TARGET_DIR:-$REPOSITORY/target}/go \
    go run "$DRIVERS/$1/main.go"
}

run_driver() {
  case $1 in
    node-postgres | drizzle | prisma) node "$DRIVERS/$1/scenario.mjs" ;;
    jdbc) java -cp "$JDBC" "$DRIVERS/jdbc/Scenario.java" ;;
    tokio-postgres | sqlx) cargo run --quiet -p token_vault_drivers --bin "$1" ;;
    pgx | lib-pq) go_driver "$1" ;;
    django) python_driver django && BINDING=server python_driver django ;;
    *) python_driver "$1" ;;
  esac
}

all=(psycopg asyncpg sqlalchemy django pgbouncer node-postgres drizzle prisma jdbc pgx lib-pq tokio-postgres sqlx)
[ $# -gt 0 ] || set -- "${all[@]}"

"$("$PG_CONFIG" --bindir)/psql" --no-psqlrc --quiet --output=/dev/null --set=ON_ERROR_STOP=1 \
  --file="$DRIVERS/scenario.sql"
failed=0
for driver in "$@"; do
  if run_driver "$driver"; then
    printf 'passed  %s\n' "$driver"
  else
    printf 'FAILED  %s\n' "$driver"
    failed=$((failed + 1))
  fi
done
printf 'drivers: %d passed, %d failed\n' $(($# - failed)) "$failed"
[ "$failed" -eq 0 ]
