#!/usr/bin/env bash
# The long tier: tests of real servers that are marked as ignored, because each takes minutes. Uses the installed
# extension. TOKEN_VAULT_KILLS=N: how often the server is killed under load (default 500).
source "$(dirname "$0")/common.sh"
use_server

"$(dirname "$0")/fault-library.sh"

# One at a time: each keeps both cores busy. Their reports are printed.
cargo test -p token_vault_cluster --test it -- --ignored --nocapture --test-threads=1 "$@"
