//! Crypto-shredding: with a tenant's data keys, every value sealed with them is gone, wherever a copy of it lies.

use token_vault_core::envelope::KeyId;

use crate::error::{Error, Result};
use crate::pg::inval::{self, Topic};
use crate::pg::lock;
use crate::pg::spi::BuiltinOid::TEXTOID;
use crate::pg::spi::{self, Statement};
use crate::store::{client, event, master_key, rotation, token};

/// What was done to a tenant.
pub struct Shredded {
    pub keys: Vec<KeyId>,
    pub tokens: i64,
    pub clients: i64,
    /// Of the tokens, those that were still sealed with the key that all tenants share.
    pub tokens_under_shared_key: i64,
    /// Fingerprints of the master keys that wrapped the keys.
    pub master_keys: Vec<String>,
}

/// Destroys a tenant's data keys and deletes its tokens and clients. Waits for the transactions that have sealed
/// something for it. When this returns no session holds the keys any more, and one that needs them waits for the end of
/// this transaction.
pub fn shred(tenant: &str) -> Result<Shredded> {
    rotation::lock();
    let keys = keys_of(tenant);
    if keys.is_empty() {
        return Err(Error::NoTenantKey {
            tenant: tenant.to_owned(),
        });
    }
    keys.iter().for_each(|(id, _)| lock::hold_key(id.0));
    inval::announce_now(Topic::Keys, &other_sessions());
    let tokens_under_shared_key = under_shared_key(tenant);
    let tokens = token::delete_tenant(tenant);
    let clients = client::delete_tenant(tenant);
    let (keys, mut master_keys): (Vec<KeyId>, Vec<String>) = keys.into_iter().unzip();
    for id in &keys {
        rotation::destroy(*id);
        event::send("key_destroyed", event::of_key(id, Some(tenant)));
    }
    master_keys.sort();
    master_keys.dedup();
    Ok(Shredded {
        keys,
        tokens,
        clients,
        tokens_under_shared_key,
        master_keys,
    })
}

fn keys_of(tenant: &str) -> Vec<(KeyId, String)> {
    static KEYS: Statement = Statement::new(
        "SELECT id, master_key_fingerprint FROM vault.key WHERE tenant = $1 AND state <> 'destroyed' ORDER BY id",
        &[TEXTOID],
    );
    spi::session(|session| {
        session.query(&KEYS, &[tenant.into()], |row| {
            let fingerprint: Vec<u8> = row.required(2);
            (
                KeyId(row.required(1)),
                master_key::show_fingerprint(&fingerprint),
            )
        })
    })
}

fn under_shared_key(tenant: &str) -> i64 {
    // Bytes 3 to 10 of an envelope are the id of its key.
    static COUNT: Statement = Statement::new(
        "SELECT count(*) FROM vault.token WHERE tenant = $1 AND substr(access_token, 3, 8) <> ALL
             (SELECT int8send(id) FROM vault.key WHERE tenant = $1)",
        &[TEXTOID],
    );
    spi::session(|session| session.query_one(&COUNT, &[tenant.into()], |row| row.required(1)))
        .unwrap_or(0)
}

fn other_sessions() -> Vec<i32> {
    static SESSIONS: Statement = Statement::new(
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
        &[],
    );
    spi::session(|session| session.query(&SESSIONS, &[], |row| row.required(1)))
}
