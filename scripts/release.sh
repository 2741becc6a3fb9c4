#!/usr/bin/env bash
# Freezes the SQL objects of the version in Cargo.toml, once everything else of a release is done (docs/releasing.md): its
# install script goes to sql/releases/, and the checksums of that and of the upgrade scripts to this version are written down.
# From then on none of them changes any more, which tests hold still.
source "$(dirname "$0")/common.sh"
use_server

version=$(version)
frozen=sql/releases/token_vault--$version.sql
sums=releases/SHA256SUMS

[ ! -e "$frozen" ] || die "$version is frozen already: a further release needs another version"
grep -q "^## \[$version\] - [0-9-]*$" CHANGELOG.md || die "CHANGELOG.md has no section \"## [$version] - DATE\""
tests/lint/versions.py

# The last one that was frozen.
previous=$(sed -n 's/.*  releases\/token_vault--\(.*\)\.sql$/\1/p' "sql/$sums" | tail -n 1)
[ -e "sql/token_vault--$previous--$version.sql" ] || die "there is no sql/token_vault--$previous--$version.sql"

say "freezing $version, which follows $previous"
generated=$(mktemp -t tv-XXXXXX)
trap 'rm -f "$generated"' EXIT
cargo pgrx schema --release "pg$PG_MAJOR" --out "$generated" >/dev/null
ordered "$generated" >"$frozen"
(cd sql && sha256sum token_vault--*--"$version.sql" "releases/token_vault--$version.sql" >>"$sums")
say "commit sql/releases; then scripts/test.sh, and the tag v$version"
