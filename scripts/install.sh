#!/usr/bin/env bash
# Builds the release library and installs the extension into the server of PG_CONFIG.
source "$(dirname "$0")/common.sh"
use_server

if can_install; then
  cargo pgrx install --release --pg-config "$PG_CONFIG"
  order_install_script "$("$PG_CONFIG" --sharedir)"
  exit
fi

# Not `cargo pgrx install --sudo`: it copies over the library in place, under the feet of every server
# process that has it mapped. Here the old file is unlinked first, as it is above.
package=${CARGO_TARGET_DIR:-target}/install
rm -rf "$package"
cargo pgrx package --pg-config "$PG_CONFIG" --out-dir "$package"
order_install_script "$package$("$PG_CONFIG" --sharedir)"
sudo cp --recursive --remove-destination "$package/." /
