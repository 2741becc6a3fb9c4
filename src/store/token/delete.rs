//! Deleting tokens; their schedule and usage go with them.

use super::TokenKey;
use crate::pg::spi::BuiltinOid::TEXTOID;
use crate::pg::spi::{self, Statement};

/// Whether there was such a token.
pub fn delete(key: &TokenKey) -> bool {
    static DELETE: Statement = Statement::new(
        "DELETE FROM vault.token WHERE tenant = $1 AND provider = $2 AND subject = $3 AND label = $4",
        &[TEXTOID, TEXTOID, TEXTOID, TEXTOID],
    );
    let names = [&key.tenant, &key.provider, &key.subject, &key.label];
    spi::session(|session| session.run(&DELETE, &names.map(|name| name.as_str().into()))) > 0
}

/// Deletes every token of a subject; returns their number.
pub fn delete_subject(tenant: &str, subject: &str) -> i64 {
    static DELETE: Statement = Statement::new(
        "DELETE FROM vault.token WHERE tenant = $1 AND subject = $2",
        &[TEXTOID, TEXTOID],
    );
    spi::session(|session| session.run(&DELETE, &[tenant.into(), subject.into()])) as i64
}

/// Deletes every token of a tenant; returns their number.
pub fn delete_tenant(tenant: &str) -> i64 {
    static DELETE: Statement =
        Statement::new("DELETE FROM vault.token WHERE tenant = $1", &[TEXTOID]);
    spi::session(|session| session.run(&DELETE, &[tenant.into()])) as i64
}
