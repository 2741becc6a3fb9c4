//! What the views show to whom. A view's functions run with the rights of the role that asks.

use pgrx::{default, pg_extern};

use crate::pg::Oid;
use crate::pg::role::{self, Role};
use crate::sqlfn::arguments;
use crate::store::access::{self, Privilege, Resource};

/// A view shows its rows to those who may read or administer what they are about.
const SHOWN_TO: [Privilege; 2] = [Privilege::Read, Privilege::Admin];

/// Whether the calling role may see a row about this. A token has all three; a client has no subject, and no tenant
/// where all tenants share it.
#[pg_extern(schema = "vault", stable, parallel_restricted)]
fn can_see(
    tenant: default!(Option<&str>, "NULL"),
    provider: default!(Option<&str>, "NULL"),
    subject: default!(Option<&str>, "NULL"),
) -> bool {
    let resource = match (tenant, provider, subject) {
        (Some(tenant), Some(provider), Some(subject)) => Resource::Token {
            tenant,
            provider,
            subject,
        },
        (tenant, Some(provider), None) => Resource::Client { tenant, provider },
        (Some(tenant), None, None) => Resource::Tenant(tenant),
        _ => Resource::Vault,
    };
    let role = role::current();
    SHOWN_TO
        .iter()
        .any(|privilege| access::allows(role, *privilege, &resource))
}

/// Whether the calling role may see every row, so that the views need not ask for each.
#[pg_extern(schema = "vault", stable, parallel_restricted)]
fn can_see_all() -> bool {
    let role = role::current();
    SHOWN_TO
        .iter()
        .any(|privilege| access::allows_everything(role, *privilege))
}

/// Whether the calling role may administer the vault.
#[pg_extern(schema = "vault", stable, parallel_restricted)]
fn can_administer() -> bool {
    access::allows(role::current(), Privilege::Admin, &Resource::Vault)
}

/// Whether the calling role may grant and revoke a rule with these patterns.
#[pg_extern(schema = "vault", stable, strict, parallel_restricted)]
fn can_grant(tenant: &str, provider: &str, subject: &str) -> bool {
    arguments::reach(tenant, provider, subject).is_ok_and(|reach| {
        access::allows(role::current(), Privilege::Admin, &Resource::Rule(&reach))
    })
}

/// Whether a role has a privilege for a token. For statements that act on sets of tokens, which run as the vault's owner.
#[pg_extern(schema = "vault", stable, strict, parallel_restricted)]
fn role_can(role: Oid, privilege: &str, tenant: &str, provider: &str, subject: &str) -> bool {
    let token = Resource::Token {
        tenant,
        provider,
        subject,
    };
    Privilege::by_name(privilege)
        .is_some_and(|privilege| access::allows(Role::from_oid(role), privilege, &token))
}
