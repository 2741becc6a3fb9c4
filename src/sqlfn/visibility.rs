//! What the views show to whom. A view's functions run with the rights of the role that asks.

use pgrx::{default, pg_extern};

use crate::pg::settings;
use crate::store::access::{self, Privilege};

/// Whether the calling role may see rows of a tenant (None: shared by all).
#[pg_extern(schema = "vault", stable, parallel_restricted)]
fn can_see(tenant: default!(Option<&str>, "NULL")) -> bool {
    let may_read = access::has(Privilege::Read) || access::has(Privilege::Admin);
    let is_bound_elsewhere =
        settings::tenant().is_some_and(|bound| tenant.is_some_and(|tenant| tenant != bound));
    may_read && !is_bound_elsewhere
}

/// Whether the calling role may administer the vault.
#[pg_extern(schema = "vault", stable, parallel_restricted)]
fn can_administer() -> bool {
    access::has(Privilege::Admin)
}
