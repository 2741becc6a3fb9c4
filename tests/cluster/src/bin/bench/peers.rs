//! How applications encrypt tokens in PostgreSQL with what comes with it: pgcrypto, in three ways.

use postgres::Client;
use token_vault_cluster::Result;

use crate::dataset;

/// 32 bytes, so AES-256, as the application hands them over with each statement …
pub const KEY: [u8; 32] = *b"0f1e2d3c4b5a69788796a5b4c3d2e1f0";
/// … or as it is set for the database.
const SETTING: &str = "app.token_key";
const PASSPHRASE: &str = "correct horse battery staple 4711";

/// One row by its key, with the key as a parameter.
pub const DECRYPT_IV: &str = "
    SELECT decrypt_iv(value, $2, iv, 'aes-cbc/pad:pkcs') FROM pgcrypto_raw
    WHERE tenant = 'default' AND provider = 'bench' AND subject = $1 AND label = ''";

/// The same with a passphrase.
pub const PGP_SYM_DECRYPT: &str = "
    SELECT pgp_sym_decrypt(value, $2) FROM pgcrypto_pgp
    WHERE tenant = 'default' AND provider = 'bench' AND subject = $1 AND label = ''";

/// A function that hides the key and the algorithm, and refuses what has expired.
pub const FUNCTION: &str = "SELECT app_get_token('bench', $1)";

/// The value of the passphrase's parameter.
pub fn passphrase() -> Vec<u8> {
    PASSPHRASE.into()
}

/// The key as a literal of SQL.
pub fn key_literal() -> String {
    format!("'\\x{}'::bytea", hex::encode(KEY))
}

/// The passphrase as a literal of SQL.
pub fn passphrase_literal() -> String {
    format!("'{PASSPHRASE}'")
}

/// Encrypts the values of `plain`.
pub fn load(admin: &mut Client) -> Result<()> {
    eprintln!("encrypting the tokens with pgcrypto");
    let columns = "tenant text, provider text, subject text, label text, value bytea NOT NULL,
        expires_at timestamptz, updated_at timestamptz NOT NULL, PRIMARY KEY (tenant, provider, subject, label)";
    let (key, passphrase) = (key_literal(), passphrase_literal());
    admin.batch_execute(&format!(
        "CREATE EXTENSION pgcrypto;
         CREATE TABLE pgcrypto_raw ({columns}, iv bytea NOT NULL);
         CREATE TABLE pgcrypto_pgp ({columns});
         INSERT INTO pgcrypto_raw
             SELECT tenant, provider, subject, label,
                    encrypt_iv(convert_to(value, 'UTF8'), {key}, iv, 'aes-cbc/pad:pkcs'), expires_at, updated_at, iv
             FROM (SELECT *, gen_random_bytes(16) AS iv FROM plain OFFSET 0) AS t;
         INSERT INTO pgcrypto_pgp
             SELECT tenant, provider, subject, label, pgp_sym_encrypt(value, {passphrase}), expires_at, updated_at
             FROM plain;
         ALTER DATABASE bench SET {SETTING} = '{}';
         SET {SETTING} = '{0}';
         CREATE FUNCTION app_get_token(asked_provider text, asked_subject text) RETURNS text
         LANGUAGE plpgsql STABLE AS $$
         DECLARE
             token pgcrypto_raw%ROWTYPE;
         BEGIN
             SELECT * INTO token FROM pgcrypto_raw
             WHERE tenant = 'default' AND provider = asked_provider AND subject = asked_subject AND label = '';
             IF NOT FOUND THEN
                 RETURN NULL;
             END IF;
             IF token.expires_at <= now() THEN
                 RAISE EXCEPTION 'the token of % has expired', asked_subject;
             END IF;
             RETURN convert_from(
                 decrypt_iv(token.value, decode(current_setting('{SETTING}'), 'hex'), token.iv, 'aes-cbc/pad:pkcs'),
                 'UTF8');
         END $$",
        hex::encode(KEY)
    ))?;
    dataset::settle(admin, &["pgcrypto_raw", "pgcrypto_pgp"])
}
