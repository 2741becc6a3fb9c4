//! What is compared: the vault, the same values in a plain table, and encrypted in the ways that applications know.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};

use postgres::Client;
use token_vault_cluster::wait::wait_for_sql;
use token_vault_cluster::{Cluster, Result};

use crate::beside::{LIMIT, refresher};
use crate::measure::wait_until_quiet;
use crate::wire::Parameters;

/// A JWT's usual size.
pub const TOKEN_BYTES: usize = 1200;

/// The plain counterpart: the same key columns, the value as text, as much room for updates as the vault's table has.
const PLAIN_TABLE: &str = "
    CREATE TABLE plain (
        tenant text, provider text, subject text, label text,
        value text NOT NULL,
        expires_at timestamptz,
        updated_at timestamptz NOT NULL,
        PRIMARY KEY (tenant, provider, subject, label)
    ) WITH (fillfactor = 70)";

/// The subject of row `number`.
pub fn subject(number: u32) -> String {
    format!("user-{number}")
}

/// A token's plaintext; hexadecimal digits do not compress below the limit at which PostgreSQL would try.
pub fn access_token(number: u32) -> String {
    hexadecimal(u64::from(number) + 1, TOKEN_BYTES)
}

/// So many hexadecimal digits, a multiple of 16.
pub fn hexadecimal(mut state: u64, digits: usize) -> String {
    let mut text = String::with_capacity(digits);
    while text.len() < digits {
        text.push_str(&format!("{:016x}", next_random(&mut state)));
    }
    text
}

/// Where a sequence of random numbers begins that nobody has seen before.
pub fn seed() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// Cheap pseudo-random numbers (SplitMix64): the choice of rows must cost nothing.
pub fn next_random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// The parameters of a statement about one row.
pub fn by_subject() -> Parameters {
    Box::new(|number| Ok(vec![subject(number).into_bytes()]))
}

/// A database with a vault and a provider in it, and beside it the same tokens in the table `plain`.
pub fn create(cluster: &Cluster, database: &str, rows: u32) -> Result<Client> {
    eprintln!("loading {rows} tokens");
    let mut admin = cluster.create_vault(database)?;
    admin.batch_execute(PLAIN_TABLE)?;
    admin.batch_execute(REGISTER)?;
    let plain = admin.prepare(UPSERT)?;
    let mut transaction = admin.transaction()?;
    for number in 0..rows {
        transaction.execute(&plain, &[&subject(number), &access_token(number)])?;
    }
    transaction.batch_execute(
        "SELECT count(vault.store_token('bench', subject, value, expires_in => 86400)) FROM plain",
    )?;
    transaction.commit()?;
    settle(&mut admin, &["plain", "vault.token"])?;
    Ok(admin)
}

/// Nothing that loading has left to do shall be done while something is measured.
pub fn settle(admin: &mut Client, tables: &[&str]) -> Result<()> {
    wait_until_sealed(admin)?;
    for table in tables {
        admin.batch_execute(&format!("VACUUM ANALYZE {table}"))?;
    }
    Ok(admin.batch_execute("CHECKPOINT")?)
}

/// Waits until the refresher has sealed the audit entries of all that was stored, and has no other work left.
pub fn wait_until_sealed(admin: &mut Client) -> Result<()> {
    let sealed = "SELECT NOT EXISTS (SELECT FROM vault.audit_unsealed)";
    wait_for_sql(admin, sealed, LIMIT)?;
    wait_until_quiet(refresher(admin)?)
}

/// The provider of all tokens.
pub const REGISTER: &str =
    "SELECT vault.register_provider('bench', token_endpoint => 'https://bench.example/token')";

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
