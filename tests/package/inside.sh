# Run by run.sh in a minimal Debian, as root: inside.sh MAJOR. The package is /tmp/package.deb.
# shellcheck shell=bash
set -euo pipefail

major=$1
name=postgresql-$major-token-vault
data=/tmp/cluster
programs=/usr/lib/postgresql/$major/bin

fail() { echo "package test: $*" >&2; exit 1; }
as_postgres() { runuser -u postgres -- "$@"; }
sql() { as_postgres "$programs/psql" --no-psqlrc --quiet --tuples-only --no-align --set ON_ERROR_STOP=1 --host /tmp --dbname postgres "$@"; }

# returns EXPECTED STATEMENT
returns() {
  local got
  got=$(sql --command "$2")
  [ "$got" = "$1" ] || fail "$2: expected $1, got $got"
  echo "ok: $2"
}

install_package() {
  dpkg --purge "$name" >/dev/null 2>&1 || true # of an interrupted run
  if command -v cargo rustc gcc >/dev/null; then fail "this root is not minimal"; fi
  apt-get install --yes --no-install-recommends /tmp/package.deb >/tmp/apt.log 2>&1 ||
    { cat /tmp/apt.log >&2; fail "apt-get install"; }
  grep -q "shared_preload_libraries" /tmp/apt.log || fail "the package does not say what is to be done"
  # All files are there, unchanged.
  [ -z "$(dpkg --verify "$name")" ] || fail "$(dpkg --verify "$name")"
  local missing
  [ -f "/usr/lib/postgresql/$major/lib/token_vault.so" ] || fail "no library"
  missing=$(ldd "/usr/lib/postgresql/$major/lib/token_vault.so" | grep "not found" || true)
  [ -z "$missing" ] || fail "$missing"
  for file in copyright changelog.Debian.gz README.md examples/hashicorp-vault; do
    [ -s "/usr/share/doc/$name/$file" ] || fail "no $file"
  done
  echo "ok: installed"
}

start_server() {
  as_postgres "$programs/initdb" --pgdata "$data" --encoding UTF8 --auth trust >/dev/null
  as_postgres mkdir /tmp/key
  as_postgres tee -a "$data/postgresql.conf" >/dev/null <<CONF
listen_addresses = ''
unix_socket_directories = '/tmp'
shared_preload_libraries = 'token_vault'
token_vault.master_key_file = '/tmp/key/master.key'
CONF
  as_postgres "$programs/pg_ctl" --pgdata "$data" --log /tmp/server.log --wait start >/dev/null || { cat /tmp/server.log >&2; fail "start"; }
}

use_extension() {
  sql --command "CREATE EXTENSION token_vault"
  returns t "SELECT length(vault.create_master_key()) = 16"
  sql --command "SELECT vault.store_token('google', 'user-1', access_token => 'example-access-token', expires_in => 3600)" >/dev/null
  returns example-access-token "SELECT vault.get_token('google', 'user-1')"
  returns f "SELECT strpos(encode(access_token, 'escape'), 'example') > 0 FROM vault.token"
  sql --command "CREATE TABLE webhook (key vault.secret); INSERT INTO webhook VALUES ('example-secret'::text)"
  returns example-secret "SELECT vault.reveal(key) FROM webhook"
  # The background worker of the preloaded library is there as well.
  returns t "SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'token_vault launcher'"
}

remove_package() {
  local left
  dpkg --listfiles "$name" | sort >/tmp/files
  apt-get purge --yes "$name" >/tmp/apt.log 2>&1 || { cat /tmp/apt.log >&2; fail "apt-get purge"; }
  left=$(while read -r file; do if [ ! -d "$file" ] && [ -e "$file" ]; then echo "$file"; fi; done </tmp/files)
  [ -z "$left" ] || fail "left behind: $left"
  [ ! -e "/usr/share/doc/$name" ] || fail "its folder is left"
  [ -x "$programs/postgres" ] || fail "the server is gone as well"
  echo "ok: removed"
}

install_package
start_server
use_extension
as_postgres "$programs/pg_ctl" --pgdata "$data" --wait --mode fast stop >/dev/null
remove_package
echo "package test: passed"
