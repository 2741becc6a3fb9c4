# Sourced by the scripts beside it. Nothing here passes a secret to another program as an argument or in the
# environment: other users can read the first in /proc, and every child inherits the second.
# shellcheck shell=bash

umask 077
# A variable that came with the environment would go back there with its new value, to every program.
set +a
unset passphrase key

die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

# Refuses a file with a secret that anybody but its owner, this user, can read or change.
require_private() {
  local file=$1 mode
  [ -f "$file" ] || die "$file is no file"
  # systemd lets nobody else into this directory. It lets this user in by an access list, which looks like a right
  # of the group here.
  case $file in "${CREDENTIALS_DIRECTORY:-/nowhere}"/*) return ;; esac
  mode=$(stat --dereference --format=%a "$file")
  [ -O "$file" ] || die "$file belongs to another user"
  ((8#$mode % 64 == 0)) || die "$file has mode $mode: others can read or change it; chmod 600"
}

# Prints the passphrase in a file, without the line end that editors add.
read_passphrase() {
  local passphrase
  require_private "$1"
  passphrase=$(<"$1")
  [ -n "$passphrase" ] || die "$1 is empty"
  printf %s "$passphrase"
}

# read_parameter FILE NAME PATTERN: prints the value of the line NAME=VALUE.
read_parameter() {
  local value
  value=$(sed -n "s/^$2=//p" "$1")
  [[ $value =~ ^$3$ ]] || die "$1: $2 is missing or wrong"
  printf %s "$value"
}

# 16 random bytes at least, as hexadecimal digits.
read_salt() { read_parameter "$1" salt '[0-9a-f]{32,64}'; }

# read_number FILE NAME LEAST
read_number() {
  local number
  number=$(read_parameter "$1" "$2" '[1-9][0-9]{0,9}')
  ((number >= $3)) || die "$1: $2 is less than $3"
  printf %s "$number"
}

# Refuses credentials in the environment, which the vendors' programs would take.
refuse_in_environment() {
  local name
  for name; do
    [ -z "${!name:-}" ] || die "$name is set: leave credentials to a file or to the machine's identity"
  done
}

# Turns bytes into hexadecimal digits.
hex() { od -An -v -tx1 | tr -d ' \n'; }

# Prints the key, once everything before has succeeded. The only output of a script.
print_key() {
  [[ $1 =~ ^([0-9a-f]{64}|[A-Za-z0-9+/]{43}=)$ ]] || die "the result is no key of 32 bytes"
  printf '%s\n' "$1"
}
