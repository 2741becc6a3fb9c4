//! Deleting tokens.

use pgrx::{default, pg_extern};

use crate::error::{OrRaise, Result};
use crate::pg::role;
use crate::sqlfn::arguments;
use crate::store::access::{self, Privilege, Resource};
use crate::store::audit::{self, About};
use crate::store::token;

#[pg_extern(schema = "vault", volatile, parallel_unsafe)]
fn delete_token(
    provider: Option<&str>,
    subject: Option<&str>,
    tenant: default!(Option<&str>, "NULL"),
    label: default!(Option<&str>, "''"),
) -> bool {
    let delete = || -> Result<bool> {
        let key = arguments::token_key(tenant, provider, subject, label)?;
        access::require(Privilege::Write, &key.resource())?;
        let exists = token::delete(&key);
        if exists {
            audit::changed("deleted", About::from(&key), None);
        }
        Ok(exists)
    };
    delete().or_raise()
}

#[pg_extern(schema = "vault", volatile, parallel_unsafe)]
fn delete_subject(subject: Option<&str>, tenant: default!(Option<&str>, "NULL")) -> i64 {
    let delete = || -> Result<i64> {
        let subject = arguments::name("subject", subject)?;
        let tenant = &arguments::tenant(tenant)?;
        access::require(Privilege::Write, &Resource::Subject { tenant, subject })?;
        let tokens = token::delete_subject(tenant, subject, role::current());
        let about = About {
            subject: Some(subject),
            ..About::tenant(Some(tenant))
        };
        note_all(about, tokens);
        Ok(tokens)
    };
    delete().or_raise()
}

#[pg_extern(schema = "vault", volatile, parallel_unsafe)]
fn delete_tenant(tenant: Option<&str>) -> i64 {
    let delete = || -> Result<i64> {
        let tenant = arguments::name("tenant", tenant)?;
        access::require(Privilege::Admin, &Resource::Tenant(tenant))?;
        let tokens = token::delete_tenant(tenant);
        note_all(About::tenant(Some(tenant)), tokens);
        Ok(tokens)
    };
    delete().or_raise()
}

fn note_all(about: About, tokens: i64) {
    audit::changed("deleted", about, audit::detail([("tokens", tokens.into())]));
}
