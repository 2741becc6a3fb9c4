#!/usr/bin/env bash
# Tests the scripts beside it without a server: one line for each check, status 0 if all have passed.
# They are run as the server runs them. strace sees every program they start, and what it was given.
# Debian packages: argon2 opensc openssl python3-pykcs11 shellcheck softhsm2 strace
set -euo pipefail
umask 077

HERE=$(cd "$(dirname "$0")" && pwd)
SOFTHSM=/usr/lib/softhsm/libsofthsm2.so
# Long enough not to be found anywhere by chance.
PASSPHRASE='correct horse battery staple § 7'
PIN='pin of the token 57203'
SO_PIN='pin of the officer 3310'

for program in argon2 openssl pkcs11-tool python3 shellcheck softhsm2-util strace; do
  if ! command -v "$program" >/dev/null; then
    echo "test.sh: $program is missing: install the packages that this script names" >&2
    exit 1
  fi
done
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
mkdir "$WORK"/{bin,credentials,data,home,tmp,tokens}
failures=0

# --- Checks -----------------------------------------------------------------------------------------------------------

# check WHAT COMMAND...: one line; the command's status decides.
check() {
  local what=$1
  shift
  if "$@"; then
    echo "ok      $what"
  else
    echo "FAILED  $what"
    sed 's/^/        /' "$WORK/err"
    failures=$((failures + 1))
  fi
}

# ask SETTING [NAME=VALUE...]: what the server does with token_vault.master_key_command, traced. The names of the
# scripts' own variables are in the environment, and the shell is told to export all: neither may bring a secret there.
ask() {
  local setting=$1
  shift
  status=0
  (
    cd "$WORK/data"
    env -i PATH="$WORK/bin:/usr/local/bin:/usr/bin:/bin" HOME="$WORK/home" TMPDIR="$WORK/tmp" \
      SOFTHSM2_CONF="$WORK/softhsm2.conf" CREDENTIALS_DIRECTORY="$WORK/credentials" \
      passphrase=x key=x pin=x SHELLOPTS=allexport "$@" \
      strace -f -qq -v -xx -s 65536 -e trace=execve,execveat -o "$WORK/trace" /bin/sh -c "$setting"
  ) </dev/null >"$WORK/out" 2>"$WORK/err" || status=$?
}

succeeded() { [ "$status" -eq 0 ]; }
failed_silently() { [ "$status" -ne 0 ] && [ ! -s "$WORK/out" ] && grep -qF -- "$1" "$WORK/err"; }
is_one_line() { [ "$(wc -l <"$WORK/out")" -eq 1 ]; }

to_hex() { od -An -v -tx1 | tr -d ' \n'; }

# The printed key as hexadecimal digits, whichever of the two forms it has.
printed_key() {
  if grep -Eqx '[0-9a-f]{64}' "$WORK/out"; then
    tr -d '\n' <"$WORK/out"
  else
    base64 --decode "$WORK/out" 2>/dev/null | to_hex
  fi
}

is_printed() { [ "$(printed_key)" = "$1" ]; }

# Does one of these (given as hexadecimal digits) stand in an argument or in the environment of a started program?
was_shown() {
  local bytes
  sed 's/\\x//g' "$WORK/trace" >"$WORK/strings"
  for bytes; do
    ! grep -qF "$bytes" "$WORK/strings" || return 0
  done
  return 1
}

# The forms in which a key could be shown: bytes, hexadecimal digits, base64 without what depends on its padding.
forms_of_key() {
  printf '%s\n' "$1"
  printf %s "$1" | to_hex
  echo
  printf %s "$1" | tr 'a-f' 'A-F' | to_hex
  echo
  unhex "$1" | base64 | cut -c1-42 | tr -d '\n' | to_hex
}

unhex() { python3 -I -c 'import sys; sys.stdout.buffer.write(bytes.fromhex(sys.argv[1]))' "$1"; }

hides() {
  local key=$1 forms
  mapfile -t forms < <(forms_of_key "$key")
  forms+=("$(printf %s "$PASSPHRASE" | to_hex)" "$(printf %s "$PIN" | to_hex)")
  [ ${#forms[@]} -eq 6 ] && ! was_shown "${forms[@]}"
}

left_no_file() { [ -z "$(find "$WORK/tmp" "$WORK/data" -type f)" ]; }

# gives NAME SETTING KEY: the setting prints this key, twice, and shows nothing.
gives() {
  local name=$1 setting=$2 key=$3
  ask "$setting"
  check "$name succeeds" succeeded
  check "$name prints one line" is_one_line
  check "$name prints the right key of 32 bytes" is_printed "$key"
  check "$name shows no secret in arguments and environments" hides "$key"
  check "$name leaves no file behind" left_no_file
  ask "$setting"
  check "$name prints the same key again" is_printed "$key"
}

# refuses WHAT REASON SETTING [NAME=VALUE...]: it fails with this reason and prints nothing.
refuses() {
  local what=$1 reason=$2
  shift 2
  ask "$@"
  check "$what: fails, prints nothing" failed_silently "$reason"
}

# --- The checks themselves --------------------------------------------------------------------------------------------

test_the_trace() {
  local key
  key=$(printf 'ab%.0s' {1..32})
  ask "/bin/echo $key"
  check "an argument would be seen" was_shown "$(printf %s "$key" | to_hex)"
  ask "SECRET='$PASSPHRASE' /bin/true"
  check "an environment variable would be seen" was_shown "$(printf %s "$PASSPHRASE" | to_hex)"
}

test_style() {
  : >"$WORK/err"
  check "the scripts are clean for shellcheck" shellcheck --external-sources "$HERE"/*.sh "$HERE"/passphrase-* \
    "$HERE/aws-kms" "$HERE/gcp-kms" "$HERE/azure-key-vault" "$HERE/hashicorp-vault"
}

# --- Passphrases ------------------------------------------------------------------------------------------------------

# What both have in common. Their parameters are in $WORK/parameters.
test_passphrase_script() {
  local script=$1 key=$2 command="$HERE/$1" parameters="$WORK/parameters" file="$WORK/passphrase"
  printf '%s\n' "$PASSPHRASE" >"$file"
  gives "$script" "$command $file $parameters" "$key"
  rm -f "$WORK/credentials/token_vault"
  printf %s "$PASSPHRASE" >"$WORK/credentials/token_vault"
  chmod 440 "$WORK/credentials/token_vault"
  # shellcheck disable=SC2016
  ask "$command "'"$CREDENTIALS_DIRECTORY/token_vault"'" $parameters"
  check "$script takes a credential from systemd, with or without a line end" is_printed "$key"

  refuses "$script without arguments" "usage: " "$command"
  refuses "$script, no passphrase file" "is no file" "$command $file-missing $parameters"
  refuses "$script, no parameter file" "No such file" "$command $file $parameters-missing"
  chmod 640 "$file"
  refuses "$script, passphrase file readable by the group" "mode 640" "$command $file $parameters"
  chmod 604 "$file"
  refuses "$script, passphrase file readable by all" "mode 604" "$command $file $parameters"
  chmod 600 "$file"
  if [ "$(id -u)" -eq 0 ]; then
    chown 65534 "$file"
    refuses "$script, passphrase file of another user" "another user" "$command $file $parameters"
    chown 0 "$file"
  fi
  : >"$file"
  refuses "$script, empty passphrase file" "is empty" "$command $file $parameters"
  printf %s "$PASSPHRASE" >"$file"
  sed '/^salt=/d' "$parameters" >"$WORK/bad"
  refuses "$script, no salt" "salt is missing or wrong" "$command $file $WORK/bad"
  sed 's/^salt=.*/salt=0123456789abcdef/' "$parameters" >"$WORK/bad"
  refuses "$script, short salt" "salt is missing or wrong" "$command $file $WORK/bad"
}

test_argon2id() {
  local salt=000102030405060708090a0b0c0d0e0f encoded key command
  printf 'salt=%s\ntime=3\nmemory_kib=32768\nlanes=2\n' "$salt" >"$WORK/parameters"
  # The encoded form names algorithm, version and parameters. Its hash is base64 without padding.
  encoded=$(printf %s "$PASSPHRASE" | argon2 "$salt" -id -t 3 -k 32768 -p 2 -e)
  check "argon2 is asked for Argon2id" test "${encoded%%,p=2*}" = "\$argon2id\$v=19\$m=32768,t=3"
  key=$(printf '%s=' "${encoded##*\$}" | base64 --decode | to_hex)
  test_passphrase_script passphrase-argon2id "$key"
  sed 's/^memory_kib=.*/memory_kib=1024/' "$WORK/parameters" >"$WORK/bad"
  command="$HERE/passphrase-argon2id $WORK/passphrase"
  refuses "passphrase-argon2id, little memory" "is less than 19456" "$command $WORK/bad"
  test_failing_programs passphrase-argon2id argon2 "$command $WORK/parameters" "$key"
}

test_pbkdf2() {
  local salt=000102030405060708090a0b0c0d0e0f key
  printf 'salt=%s\niterations=600001\n' "$salt" >"$WORK/parameters"
  key=$(openssl kdf -binary -keylen 32 -kdfopt digest:SHA256 -kdfopt "pass:$PASSPHRASE" -kdfopt "hexsalt:$salt" \
    -kdfopt iter:600001 PBKDF2 | to_hex)
  test_passphrase_script passphrase-pbkdf2 "$key"
  sed 's/^iterations=.*/iterations=599999/' "$WORK/parameters" >"$WORK/bad"
  refuses "passphrase-pbkdf2, few iterations" "is less than 600000" "$HERE/passphrase-pbkdf2 $WORK/passphrase $WORK/bad"
  test_failing_programs passphrase-pbkdf2 python3 "$HERE/passphrase-pbkdf2 $WORK/passphrase $WORK/parameters" "$key"
}

# --- Programs that are not here, or fail ------------------------------------------------------------------------------

# stub PROGRAM STATUS: a program of this name, which wants the arguments in $WORK/PROGRAM.arguments if that exists,
# prints $WORK/PROGRAM.answer and ends with this status.
stub() {
  local program=$1 status=$2
  cat >"$WORK/bin/$program" <<EOF
#!/bin/bash
cat >/dev/null
if [ -e "$WORK/$program.arguments" ] && ! printf '%s\n' "\$@" | cmp --silent - "$WORK/$program.arguments"; then
  echo "unexpected arguments: \$*" >&2
  exit 64
fi
cat "$WORK/$program.answer"
echo "the program's own words" >&2
exit $status
EOF
  chmod 755 "$WORK/bin/$program"
}

# test_failing_programs NAME PROGRAM SETTING KEY: the program that the script relies on does not do what it should.
test_failing_programs() {
  local name=$1 program=$2 setting=$3 key=$4
  printf '%s\n' "$key" >"$WORK/$program.answer"
  stub "$program" 3
  refuses "$name, $program prints a key and fails" "own words" "$setting"
  printf 'ERROR: access denied\n' >"$WORK/$program.answer"
  stub "$program" 0
  refuses "$name, $program prints an error as its answer" "no key of 32 bytes" "$setting"
  : >"$WORK/$program.answer"
  refuses "$name, $program prints nothing" "no key of 32 bytes" "$setting"
  printf '%s\n' "${key:0:32}" >"$WORK/$program.answer"
  refuses "$name, $program prints half a key" "no key of 32 bytes" "$setting"
  rm "$WORK/bin/$program"
}

# test_vendor SCRIPT PROGRAM ENCODING SETTING ARGUMENT...: a script around a program of a vendor, which is to be started
# with these arguments and answers in this encoding.
test_vendor() {
  local script=$1 program=$2 encoding=$3 setting=$4 key
  shift 4
  key=$(openssl rand -hex 32)
  printf '%s\n' "$@" >"$WORK/$program.arguments"
  unhex "$key" | $encoding >"$WORK/$program.answer"
  stub "$program" 0
  gives "$script" "$setting" "$key"
  stub "$program" 254
  refuses "$script, $program prints a key and fails" "own words" "$setting"
  : >"$WORK/$program.answer"
  refuses "$script, $program fails" "own words" "$setting"
  stub "$program" 0
  refuses "$script, $program prints nothing" "no key of 32 bytes" "$setting"
  printf 'ERROR: access denied\n' >"$WORK/$program.answer"
  refuses "$script, $program prints an error as its answer" "no key of 32 bytes" "$setting"
  unhex "${key:0:32}" | $encoding >"$WORK/$program.answer"
  refuses "$script, the key has 16 bytes" "no key of 32 bytes" "$setting"
  unhex "$key" | $encoding >"$WORK/$program.answer"
  echo another >>"$WORK/$program.arguments"
  refuses "$script, $program refuses its arguments" "unexpected arguments" "$setting"
  refuses "$script without arguments" "usage: " "${setting%% *}"
  rm "$WORK/bin/$program"
}

as_it_is() { cat; }
without_line_end() { base64 --wrap=0; }

test_vendors() {
  local file="$WORK/ciphertext" key_name=projects/p/locations/l/keyRings/r/cryptoKeys/k
  local key_id=https://example.vault.azure.net/keys/token-vault/0123456789abcdef
  printf 'Y2lwaGVydGV4dA==\n' >"$file"
  test_vendor aws-kms aws base64 "$HERE/aws-kms alias/token_vault $file" \
    kms decrypt --key-id alias/token_vault --ciphertext-blob "fileb://$file" --query Plaintext --output text
  test_vendor gcp-kms gcloud as_it_is "$HERE/gcp-kms $key_name $file" \
    kms decrypt --quiet "--key=$key_name" "--ciphertext-file=$file" --plaintext-file=-
  test_vendor azure-key-vault az base64 "$HERE/azure-key-vault $key_id $file" \
    keyvault key decrypt --id "$key_id" --algorithm RSA-OAEP-256 --value Y2lwaGVydGV4dA== --data-type base64 \
    --query result --output tsv --only-show-errors
  test_vendor hashicorp-vault vault without_line_end "$HERE/hashicorp-vault transit/decrypt/token_vault $file" \
    write -field=plaintext transit/decrypt/token_vault "ciphertext=@$file"
}

# A program that would be content, and credentials where they should not be.
test_credentials_in_environment() {
  local case script program encoding name
  for case in aws-kms:aws:base64:AWS_SECRET_ACCESS_KEY aws-kms:aws:base64:AWS_SESSION_TOKEN \
    gcp-kms:gcloud:as_it_is:CLOUDSDK_AUTH_ACCESS_TOKEN hashicorp-vault:vault:base64:VAULT_TOKEN; do
    IFS=: read -r script program encoding name <<<"$case"
    rm -f "$WORK/$program.arguments"
    openssl rand 32 | $encoding >"$WORK/$program.answer"
    stub "$program" 0
    ask "$HERE/$script name $WORK/ciphertext"
    check "$script without $name succeeds" succeeded
    refuses "$script with $name in the environment" "$name is set" "$HERE/$script name $WORK/ciphertext" "$name=secret"
    rm "$WORK/bin/$program"
  done
}

# --- PKCS#11 ----------------------------------------------------------------------------------------------------------

make_token() {
  export SOFTHSM2_CONF="$WORK/softhsm2.conf"
  printf 'directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n' "$WORK/tokens" >"$SOFTHSM2_CONF"
  softhsm2-util --init-token --free --label token_vault --so-pin "$SO_PIN" --pin "$PIN"
  token --login --pin "$PIN" --keypairgen --key-type rsa:2048 --label master-key --id 01 --usage-decrypt
  token --read-object --type pubkey --label master-key --output-file "$WORK/public.der"
}

token() { pkcs11-tool --module "$SOFTHSM" --token-label token_vault "$@"; }

# encrypt FILE: for the token, with the hash that SoftHSM2 has.
encrypt() {
  openssl pkeyutl -encrypt -pubin -keyform DER -inkey "$WORK/public.der" -pkeyopt rsa_padding_mode:oaep \
    -pkeyopt rsa_oaep_md:sha1 -pkeyopt rsa_mgf1_md:sha1 -out "$1"
}

test_pkcs11() {
  local key options="--module $SOFTHSM --token token_vault --key master-key --oaep-hash sha1"
  local pin="--pin-file $WORK/pin" ciphertext="--ciphertext $WORK/wrapped"
  make_token >"$WORK/err" 2>&1
  key=$(openssl rand -hex 32)
  unhex "$key" | encrypt "$WORK/wrapped"
  printf '%s\n' "$PIN" >"$WORK/pin"
  gives pkcs11 "$HERE/pkcs11 $options $pin $ciphertext" "$key"

  refuses "pkcs11 without arguments" "usage: " "$HERE/pkcs11"
  refuses "pkcs11, no PIN file" "No such file" "$HERE/pkcs11 $options --pin-file $WORK/missing $ciphertext"
  chmod 640 "$WORK/pin"
  refuses "pkcs11, PIN file readable by the group" "have mode 600" "$HERE/pkcs11 $options $pin $ciphertext"
  chmod 600 "$WORK/pin"
  : >"$WORK/empty"
  refuses "pkcs11, empty PIN file" "is empty" "$HERE/pkcs11 $options --pin-file $WORK/empty $ciphertext"
  refuses "pkcs11, no such token" "0 tokens" "$HERE/pkcs11 ${options/token_vault/another} $pin $ciphertext"
  refuses "pkcs11, no such key" "0 private keys" "$HERE/pkcs11 ${options/master-key/another} $pin $ciphertext"
  # The library that is to load it prints to standard output.
  refuses "pkcs11, no such library" "pkcs11: Load" "$HERE/pkcs11 ${options/$SOFTHSM/$WORK/missing.so} $pin $ciphertext"
  refuses "pkcs11, another hash" "CKR_ARGUMENTS_BAD" "$HERE/pkcs11 ${options/sha1/sha256} $pin $ciphertext"
  openssl rand 256 >"$WORK/damaged"
  refuses "pkcs11, damaged ciphertext" "pkcs11: CKR_" "$HERE/pkcs11 $options $pin --ciphertext $WORK/damaged"
  openssl rand 16 | encrypt "$WORK/short"
  refuses "pkcs11, the key has 16 bytes" "16 bytes" "$HERE/pkcs11 $options $pin --ciphertext $WORK/short"

  echo 'pin of nobody' >"$WORK/wrong"
  refuses "pkcs11, wrong PIN" "CKR_PIN_INCORRECT" "$HERE/pkcs11 $options --pin-file $WORK/wrong $ciphertext"
  refuses "pkcs11, no further try after a wrong PIN" "by hand" "$HERE/pkcs11 $options $pin $ciphertext"
  token --login --pin "$PIN" --list-objects >"$WORK/err" 2>&1
  ask "$HERE/pkcs11 $options $pin $ciphertext"
  check "pkcs11 goes on after a login by hand" is_printed "$key"
}

test_style
test_the_trace
test_argon2id
test_pbkdf2
test_vendors
test_credentials_in_environment
test_pkcs11

[ "$failures" -eq 0 ] || { echo "$failures checks have failed" >&2; exit 1; }
