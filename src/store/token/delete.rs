//! Deleting tokens; their schedule and usage go with them.

use super::TokenKey;
use crate::pg::role::Role;
use crate::pg::spi::BuiltinOid::{OIDOID, TEXTOID};
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

/// Deletes every token of a subject that `role` may write; returns their number.
pub fn delete_subject(tenant: &str, subject: &str, role: Role) -> i64 {
    static DELETE: Statement = Statement::new(
        "DELETE FROM vault.token AS t
         WHERE t.tenant = $1 AND t.subject = $2 AND vault.role_can($3, 'write', t.tenant, t.provider, t.subject)",
        &[TEXTOID, TEXTOID, OIDOID],
    );
    let arguments = [tenant.into(), subject.into(), role.oid().into()];
    spi::session(|session| session.run(&DELETE, &arguments)) as i64
}

/// Deletes every token of a tenant; returns their number.
pub fn delete_tenant(tenant: &str) -> i64 {
    static DELETE: Statement =
        Statement::new("DELETE FROM vault.token WHERE tenant = $1", &[TEXTOID]);
    spi::session(|session| session.run(&DELETE, &[tenant.into()])) as i64
}
