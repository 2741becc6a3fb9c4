//! The refresh tokens in a vault's table. No SQL function gives one away: a test opens them with the master key.

use std::collections::HashMap;

use token_vault_cluster::Result;
use token_vault_core::envelope::{self, Context, KeyId, TokenField};
use token_vault_core::keys::{DataKey, MasterKey, parse_key_file};
use token_vault_oauth_server::handle;

use crate::provider::Vault;

/// A row of `vault.token`.
#[derive(Debug)]
pub struct Row {
    pub subject: String,
    pub state: String,
    pub last_error: String,
    /// The handle under which the provider's journal speaks of it.
    pub refresh_token: String,
}

/// All rows of provider `acme`.
pub fn rows(vault: &mut Vault) -> Result<Vec<Row>> {
    let keys = data_keys(vault)?;
    let rows = vault.db.query(
        "SELECT subject, state, coalesce(last_error, ''), refresh_token FROM vault.token",
        &[],
    )?;
    rows.into_iter()
        .map(|row| {
            let subject: String = row.get(0);
            let refresh_token = open(&keys, &subject, row.get(3))?;
            Ok(Row {
                state: row.get(1),
                last_error: row.get(2),
                refresh_token: handle(&refresh_token),
                subject,
            })
        })
        .collect()
}

fn data_keys(vault: &mut Vault) -> Result<HashMap<i64, DataKey>> {
    let file = std::fs::read(vault.cluster.master_key_file())?;
    let master_key: MasterKey = parse_key_file(&file).map_err(|error| format!("{error:?}"))?;
    let rows = vault.db.query(
        "SELECT id, coalesce(tenant, ''), wrapped_key FROM vault.key WHERE state <> 'destroyed'",
        &[],
    )?;
    rows.into_iter()
        .map(|row| {
            let id: i64 = row.get(0);
            let key = master_key.unwrap(KeyId(id), row.get(1), row.get(2))?;
            Ok((id, key))
        })
        .collect()
}

fn open(keys: &HashMap<i64, DataKey>, subject: &str, sealed: &[u8]) -> Result<String> {
    let context = Context::Token {
        tenant: "default",
        provider: "acme",
        subject,
        label: "",
        field: TokenField::RefreshToken,
    };
    let key = keys
        .get(&envelope::key_id(sealed)?.0)
        .ok_or("an unknown key")?;
    let opened = envelope::open(key.cipher(), &context, sealed)?;
    Ok(String::from_utf8(opened.expose().to_vec())?)
}
