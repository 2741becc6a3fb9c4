//! Deleting tokens.

use pgrx::{default, pg_extern};

use crate::error::{OrRaise, Result};
use crate::sqlfn::arguments;
use crate::store::access::{self, Privilege};
use crate::store::token;

#[pg_extern(schema = "vault", volatile, parallel_unsafe)]
fn delete_token(
    provider: Option<&str>,
    subject: Option<&str>,
    tenant: default!(Option<&str>, "NULL"),
    label: default!(Option<&str>, "''"),
) -> bool {
    let delete = || -> Result<bool> {
        access::require(Privilege::Write)?;
        Ok(token::delete(&arguments::token_key(
            tenant, provider, subject, label,
        )?))
    };
    delete().or_raise()
}

#[pg_extern(schema = "vault", volatile, parallel_unsafe)]
fn delete_subject(subject: Option<&str>, tenant: default!(Option<&str>, "NULL")) -> i64 {
    let delete = || -> Result<i64> {
        access::require(Privilege::Write)?;
        let subject = arguments::name("subject", subject)?;
        Ok(token::delete_subject(&arguments::tenant(tenant)?, subject))
    };
    delete().or_raise()
}

#[pg_extern(schema = "vault", volatile, parallel_unsafe)]
fn delete_tenant(tenant: Option<&str>) -> i64 {
    let delete = || -> Result<i64> {
        access::require(Privilege::Admin)?;
        arguments::name("tenant", tenant)?;
        Ok(token::delete_tenant(&arguments::tenant(tenant)?))
    };
    delete().or_raise()
}
