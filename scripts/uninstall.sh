#!/usr/bin/env bash
# Removes the extension's files from the server of PG_CONFIG. Databases are left as they are.
source "$(dirname "$0")/common.sh"
use_server

extension=$("$PG_CONFIG" --sharedir)/extension
shopt -s nullglob # hence the brackets: without a pattern the name would stay when there is no such file
files=("$("$PG_CONFIG" --pkglibdir)"/token_vault*.so "$extension"/token_vault[.]control "$extension"/token_vault--*.sql)
[ ${#files[@]} -gt 0 ] || { say "nothing to remove"; exit 0; }
say "removing ${files[*]}"
if can_install; then rm -f "${files[@]}"; else sudo rm -f "${files[@]}"; fi
