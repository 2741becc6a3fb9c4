//! Keys.

use pgrx::pg_extern;
use token_vault_core::keys::MasterKey;

use crate::error::{Error, OrRaise, Result};
use crate::pg::random;
use crate::store::access::{self, Privilege};
use crate::store::{installation, keyring, master_key};
use crate::worker::request;

/// Returns the new key's fingerprint.
#[pg_extern(schema = "vault", volatile, parallel_unsafe)]
fn create_master_key() -> String {
    create().or_raise()
}

fn create() -> Result<String> {
    access::require(Privilege::Admin)?;
    keyring::lock();
    if let Some(fingerprint) = keyring::wanted_fingerprint() {
        return Err(Error::MasterKeyExists {
            fingerprint: keyring::show_fingerprint(&fingerprint),
        });
    }
    // A file that is there was put there on purpose, by configuration management or by an earlier call whose
    // transaction was rolled back: its key is used. A file is never overwritten.
    let master = match master_key::file_exists()? {
        true => master_key::load()?,
        false => {
            let key = MasterKey::from_bytes(random::bytes());
            master_key::create(&key)?;
            key
        }
    };
    keyring::create_data_key(&master);
    installation::adopt();
    request::refresher_wanted();
    Ok(keyring::show_fingerprint(&master.fingerprint()))
}
