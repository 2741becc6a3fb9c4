#!/usr/bin/env bash
# Builds the Debian package postgresql-MAJOR-token-vault below the target folder, from what `make install` would install:
# the same bytes whenever it is made of the same commit at the same place. The package's path is the last line of the output.
# PG=15 chooses Debian's server of that version; DEBFULLNAME and DEBEMAIL name the maintainer.
if [ -n "${PG:-}" ]; then export PG_CONFIG=/usr/lib/postgresql/$PG/bin/pg_config; fi
source "$(dirname "$0")/common.sh"
scripts/install-prerequisites.sh --package
use_server
libraries=$("$PG_CONFIG" --pkglibdir)
[ "$libraries" = "/usr/lib/postgresql/$PG_MAJOR/lib" ] || die "$PG_CONFIG is not Debian's server: a package can't go there"

version=$(version)
architecture=$(dpkg --print-architecture)
name=postgresql-$PG_MAJOR-token-vault
maintainer="${DEBFULLNAME:-token_vault contributors} <${DEBEMAIL:-contributors@token-vault.invalid}>"
export LC_ALL=C

target=$(realpath -m "${CARGO_TARGET_DIR:-target}")/package
root=$target/$name # the package's content
doc=$root/usr/share/doc/$name
umask 022

build_extension() {
  rm -rf "$root"
  cargo pgrx package --pg-config "$PG_CONFIG" --out-dir "$root"
  order_install_script "$root$("$PG_CONFIG" --sharedir)"
  strip --strip-unneeded --remove-section=.comment --remove-section=.note "$root$libraries/token_vault.so"
}

# The newest section of CHANGELOG.md as Debian writes changes down: an item is a paragraph with an indented star.
debian_changelog() {
  printf '%s (%s-1) unstable; urgency=medium\n\n' "$name" "$version"
  awk '/^## \[/ { section++ } section == 1 && /^- / { if (item) print item; item = substr($0, 3); next }
       section == 1 && /^  [^ ]/ { item = item " " substr($0, 3); next }
       item { print item; item = "" }' CHANGELOG.md |
    while read -r item; do fold -s -w 74 <<<"$item" | sed -e '1s/^/  * /' -e '2,$s/^/    /' -e 's/ *$//'; done
  printf '\n -- %s  %s\n' "$maintainer" "$(date --utc --rfc-email --date="@$SOURCE_DATE_EPOCH")"
}

debian_copyright() {
  cat <<END
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: token_vault
Comment: The library contains the Rust packages that are named, with their licences, in third-party-licences.gz.

Files: *
END
  sed -n 's/^Copyright (c) \([0-9]*\), /Copyright: \1 /p' LICENSE
  echo "License: PostgreSQL"
  sed -e '1,/^Copyright/d' -e '/./,$!d' LICENSE | sed -e 's/^$/./' -e 's/^/ /'
}

# Name, version and licence of every package in the library, and the texts that their authors want to go with it.
third_party_licences() {
  cargo metadata --locked --format-version 1 --filter-platform "$(rustc -vV | sed -n 's/^host: //p')" \
    --no-default-features --features "pg$PG_MAJOR" | python3 scripts/third-party-licences.py
}

write_documentation() {
  mkdir -p "$doc/docs"
  cp README.md "$doc/"
  cp docs/*.md "$doc/docs/"
  cp --recursive contrib/master-key "$doc/examples"
  rm "$doc/examples/test.sh"
  gzip -9n <CHANGELOG.md >"$doc/changelog.gz"
  debian_changelog | gzip -9n >"$doc/changelog.Debian.gz"
  debian_copyright >"$doc/copyright"
  third_party_licences | gzip -9n >"$doc/third-party-licences.gz"
}

# dpkg-shlibdeps wants to stand in a source package. The library's undefined symbols are the server's.
library_dependencies() {
  local folder=$target/shlibdeps
  mkdir -p "$folder/debian"
  printf 'Source: %s\n\nPackage: %s\nArchitecture: any\n' "$name" "$name" >"$folder/debian/control"
  (cd "$folder" && dpkg-shlibdeps -O --warnings=0 "$root$libraries/token_vault.so") | sed -n 's/^shlibs:Depends=//p'
}

write_control() {
  mkdir -p "$root/DEBIAN"
  (cd "$root" && find usr -type f -print0 | sort -z | xargs -0 md5sum) >"$root/DEBIAN/md5sums"
  cat >"$root/DEBIAN/control" <<END
Package: $name
Version: $version-1
Architecture: $architecture
Maintainer: $maintainer
Installed-Size: $(du --summarize --apparent-size --block-size=1024 "$root/usr" | cut -f1)
Depends: postgresql-$PG_MAJOR, $(library_dependencies)
Section: database
Priority: optional
Description: OAuth tokens, encrypted in PostgreSQL $PG_MAJOR and kept fresh by it
 token_vault keeps OAuth tokens, client secrets and other credentials encrypted
 inside the database. Applications store a provider's answer once and ask for a
 valid access token whenever they need one; a background worker refreshes tokens
 before they expire. Columns of the type vault.secret hold any other secret.
 .
 The master key lies outside the database, in a file or behind a command: a KMS,
 an HSM or a passphrase. Dumps, base backups and replicas carry ciphertext.
END
  # It says what is to be done; when a server may be restarted is not the package's to decide.
  cat >"$root/DEBIAN/postinst" <<END
#!/bin/sh
set -e
if [ "\$1" = configure ] && [ -z "\$2" ]; then
  echo "token_vault: to have tokens refreshed, add token_vault to shared_preload_libraries and restart the server;"
  echo "token_vault: then CREATE EXTENSION token_vault. See /usr/share/doc/$name/README.md"
fi
END
  chmod 755 "$root/DEBIAN/postinst"
}

build_extension
# Only now: C libraries are compiled again for every other time.
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH
write_documentation
write_control
find "$root" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +
dpkg-deb --root-owner-group --build "$root" "$target" >/dev/null
echo "$target/${name}_$version-1_$architecture.deb"
