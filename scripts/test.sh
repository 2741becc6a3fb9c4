#!/usr/bin/env bash
# Every test, in the order in which a failure says most; what each step is stands in tests/README.md.
# A failed step does not stop the next ones unless they would make no sense. Status 0: all passed.
source "$(dirname "$0")/common.sh"
use_server

summary=()
failed=0

# step TITLE FUNCTION: runs one step, announces it, remembers how it ended and how long it took.
# Always called as a plain command: bash ignores `set -e` in everything below an `if`, `&&` or `||`.
step() {
  local title=$1 started=$SECONDS
  outcome=passed
  printf '\n==> %s\n' "$title"
  set +e
  (set -e; "$2")
  [ $? -eq 0 ] || { outcome=FAILED; failed=$((failed + 1)); }
  set -e
  summary+=("$(printf '%-6s %4d s  %s' "$outcome" $((SECONDS - started)) "$title")")
}

finish() {
  printf '\n==> summary (%d s)\n' "$SECONDS"
  printf '%s\n' "${summary[@]}"
  printf 'steps: %d passed, %d failed\n' $((${#summary[@]} - failed)) "$failed"
  [ "$failed" -eq 0 ]
}

packages_without_postgresql() {
  (cd tests/oidc_provider && npm ci --no-audit --no-fund --silent)
  cargo test --no-fail-fast -p token_vault_core -p token_vault_http -p token_vault_oauth_server
}

# cargo-pgrx installs a test build of the extension and runs a server of its own. That server needs a
# user who is not root, and the installation one who may write to the server's folders.
inside_the_server() {
  local runas=() folder
  folder=$(mktemp -d -t tv-XXXXXX) # short: it is the folder of the server's socket as well
  trap "rm -rf '$folder'" EXIT
  if is_root; then
    chown postgres "$folder"
    runas=(--runas postgres)
  elif ! can_install; then
    # As oneself, which makes cargo-pgrx copy through sudo; unlinked first, see install.sh.
    sudo rm -f "$("$PG_CONFIG" --pkglibdir)/token_vault.so"
    runas=(--runas "$(id -un)")
  fi
  USER=$(id -un) cargo pgrx test "pg$PG_MAJOR" "${runas[@]}" --pgdata "$folder"
}

release_build() { scripts/install.sh; scripts/fault-library.sh; }
sql_as_users_see_it() { tests/regress/run.sh; }
# They wait more than they compute: more of them at once than there are cores.
real_servers() { cargo test --no-fail-fast -p token_vault_cluster -- --test-threads=4; }
demo() { scripts/tool.sh demo; }

step "packages that know no PostgreSQL" packages_without_postgresql
step "functions inside the server, and the architecture" inside_the_server
step "release build, installed" release_build
if [ "$outcome" = passed ]; then
  step "SQL regression and isolation tests" sql_as_users_see_it
  step "real servers: crash, restart, dump, provider" real_servers
  step "the demo, every step checked" demo
fi
finish
