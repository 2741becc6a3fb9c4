#!/usr/bin/env bash
# Builds and runs one of the programs of tests/cluster: tool.sh NAME [ARGUMENT…]
source "$(dirname "$0")/common.sh"
use_server

name=$1
shift
# Only the benchmark's own speed matters; the rest shares what the tests have built.
if [ "$name" = bench ]; then profile=release; else profile=dev; fi
cargo build --quiet --profile "$profile" -p token_vault_cluster --bin "$name" >&2
folder=${profile/dev/debug}
exec "${CARGO_TARGET_DIR:-target}/$folder/$name" "$@"
