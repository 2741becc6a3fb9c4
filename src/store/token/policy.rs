//! When a token is refreshed, where it is to be otherwise than its client's others.

use token_vault_core::refresh::RefreshPolicy;

use super::TokenKey;
use crate::pg::spi::BuiltinOid::TEXTOID;
use crate::pg::spi::{self, Statement};
use crate::store::schedule;

/// Sets the policy of a token (None: its client's); whether there is such a token.
pub fn set_refresh_policy(key: &TokenKey, policy: Option<RefreshPolicy>) -> bool {
    static SET: Statement = Statement::new(
        "UPDATE vault.token SET refresh_policy = $5, updated_at = statement_timestamp()
         WHERE tenant = $1 AND provider = $2 AND subject = $3 AND label = $4 RETURNING id",
        &[TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID],
    );
    let names = [&key.tenant, &key.provider, &key.subject, &key.label];
    let [tenant, provider, subject, label] = names.map(|name| name.as_str().into());
    let arguments = [
        tenant,
        provider,
        subject,
        label,
        policy.map(RefreshPolicy::name).into(),
    ];
    let token =
        spi::session(|session| session.write(&SET, &arguments, |row| row.required(1)).pop());
    if token.is_some() {
        schedule::follow_policy(token, None);
    }
    token.is_some()
}
