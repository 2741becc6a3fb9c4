#!/usr/bin/env bash
# pg_upgrade of a vault from each of these major versions to the next: test-upgrade.sh MAJOR…
# All of them built here, also where there is a package: an older minor release can't take what a newer one of an earlier
# version has written, and what the archives' main parts have is of one age. (16 comes from another archive.)
source "$(dirname "$0")/common.sh"

path=
for major in "$@"; do
  [ "$major" != 16 ] || continue
  pg_config=$(scripts/build-server.sh "$major")
  PG='' PG_CONFIG=$pg_config scripts/install.sh
  path=${path:+$path:}$pg_config
done
TOKEN_VAULT_UPGRADE_PATH=$path cargo test -p token_vault_cluster --test it pg_upgrade -- --ignored --nocapture --test-threads=2
