//! The two tables that are compared: the vault, and what it replaces without encryption.

use postgres::Client;
use token_vault_cluster::Result;

/// A JWT's usual size.
const TOKEN_BYTES: u32 = 1200;

/// The plain counterpart: the same key columns, the value as text.
const PLAIN_TABLE: &str = "
    CREATE TABLE plain (
        tenant text, provider text, subject text, label text,
        value text NOT NULL,
        expires_at timestamptz,
        updated_at timestamptz NOT NULL,
        PRIMARY KEY (tenant, provider, subject, label)
    ) WITH (fillfactor = 50)";

/// The subject of row `number`.
pub fn subject(number: u32) -> String {
    format!("user-{number}")
}

/// A token's plaintext; hexadecimal digits do not compress below the limit at which PostgreSQL would try.
pub fn access_token(number: u32) -> String {
    let mut text = String::new();
    let mut state = u64::from(number) + 1;
    while text.len() < TOKEN_BYTES as usize {
        text.push_str(&format!("{:016x}", next_random(&mut state)));
    }
    text
}

/// Cheap pseudo-random numbers (SplitMix64): the choice of rows must cost nothing.
pub fn next_random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// Fills both tables with the same values.
pub fn load(admin: &mut Client, rows: u32) -> Result<()> {
    admin.batch_execute(PLAIN_TABLE)?;
    admin.batch_execute(
        "SELECT vault.register_provider('bench', token_endpoint => 'https://bench.example/token')",
    )?;
    let plain = admin.prepare(UPSERT)?;
    let vault = admin.prepare(STORE_TOKEN)?;
    let mut transaction = admin.transaction()?;
    for number in 0..rows {
        let (subject, token) = (subject(number), access_token(number));
        transaction.execute(&plain, &[&subject, &token])?;
        transaction.execute(&vault, &[&subject, &token])?;
    }
    transaction.commit()?;
    for statement in [
        "VACUUM ANALYZE plain",
        "VACUUM ANALYZE vault.token",
        "CHECKPOINT",
    ] {
        admin.batch_execute(statement)?;
    }
    Ok(())
}

/// One row by its key.
pub const SELECT: &str = "
    SELECT value FROM plain
    WHERE tenant = 'default' AND provider = 'bench' AND subject = $1 AND label = ''";

/// The same from the vault.
pub const GET_TOKEN: &str = "SELECT vault.get_token('bench', $1)";

/// One row written by its key.
pub const UPSERT: &str = "
    INSERT INTO plain
    VALUES ('default', 'bench', $1, '', $2, now() + interval '1 day', now())
    ON CONFLICT (tenant, provider, subject, label) DO UPDATE
    SET value = excluded.value, expires_at = excluded.expires_at, updated_at = excluded.updated_at";

/// The same into the vault.
pub const STORE_TOKEN: &str = "SELECT vault.store_token('bench', $1, $2, expires_in => 86400)";
