//! Keys.

use pgrx::iter::TableIterator;
use pgrx::{default, name, pg_extern};

use crate::error::{OrRaise, Result};
use crate::pg::{locked, report};
use crate::sqlfn::arguments;
use crate::sqlfn::installation::Line;
use crate::store::access::{self, Privilege, Resource};
use crate::store::audit::{self, About};
use crate::store::shred::{self, Shredded};
use crate::store::{installation, master_key, reencryption, rotation};
use crate::worker::request;

/// Returns the new key's fingerprint.
#[pg_extern(schema = "vault", volatile, parallel_unsafe)]
fn create_master_key() -> String {
    let create = || -> Result<String> {
        access::require(Privilege::Admin, &Resource::Vault)?;
        let fingerprint = rotation::create_first()?;
        let facts = [(
            "master_key_fingerprint",
            master_key::show_fingerprint(&fingerprint).into(),
        )];
        audit::changed("master_key_created", About::VAULT, audit::detail(facts));
        installation::adopt();
        request::refresher_wanted();
        Ok(master_key::show_fingerprint(&fingerprint))
    };
    locked::with_clean_stack(create).or_raise()
}

/// Returns the new key's id.
#[pg_extern(schema = "vault", volatile, parallel_unsafe)]
fn rotate_key(tenant: default!(Option<&str>, "NULL")) -> String {
    let rotate = || -> Result<String> {
        let tenant = arguments::client_tenant(tenant)?;
        let resource = tenant.as_deref().map_or(Resource::Vault, Resource::Tenant);
        access::require(Privilege::Admin, &resource)?;
        let id = rotation::rotate(tenant.as_deref())?;
        reencryption::begin();
        request::custodian_wanted();
        Ok(id.to_string())
    };
    locked::with_clean_stack(rotate).or_raise()
}

/// Returns the new key's id.
#[pg_extern(schema = "vault", volatile, parallel_unsafe)]
fn create_tenant_key(tenant: Option<&str>) -> String {
    let create = || -> Result<String> {
        let tenant = arguments::name("tenant", tenant)?;
        access::require(Privilege::Admin, &Resource::Tenant(tenant))?;
        let id = rotation::create_for(tenant)?;
        reencryption::begin();
        request::custodian_wanted();
        Ok(id.to_string())
    };
    locked::with_clean_stack(create).or_raise()
}

/// Returns the present master key's fingerprint.
#[pg_extern(schema = "vault", volatile, parallel_unsafe)]
fn rotate_master_key() -> String {
    let rotate = || -> Result<String> {
        access::require(Privilege::Admin, &Resource::Vault)?;
        let (fingerprint, replaced) = rotation::rotate_master()?;
        report::notice(
            format!(
                "this database does not need the master key {} any more",
                replaced.join(" and ")
            ),
            "Keep it as long as a backup made before now may have to be restored. Other databases of this server need it until vault.rotate_master_key() has run there.",
        );
        Ok(fingerprint)
    };
    locked::with_clean_stack(rotate).or_raise()
}

#[pg_extern(schema = "vault", volatile, parallel_unsafe)]
#[allow(clippy::type_complexity)]
fn shred_tenant(
    tenant: Option<&str>,
) -> TableIterator<
    'static,
    (
        name!(item, &'static str),
        name!(state, String),
        name!(advice, Option<String>),
    ),
> {
    let shred = || -> Result<Shredded> {
        let tenant = arguments::name("tenant", tenant)?;
        access::require(Privilege::Admin, &Resource::Tenant(tenant))?;
        let shredded = shred::shred(tenant)?;
        audit::changed("tenant_shredded", About::tenant(Some(tenant)), None);
        Ok(shredded)
    };
    TableIterator::new(describe(&shred().or_raise()))
}

fn describe(shredded: &Shredded) -> Vec<Line> {
    let ids: Vec<String> = shredded.keys.iter().map(ToString::to_string).collect();
    let under_shared = (shredded.tokens_under_shared_key > 0).then(|| {
        format!(
            "{} of them were still sealed with the key that all tenants share: what is left of them in backups and WAL is not shredded",
            shredded.tokens_under_shared_key
        )
    });
    vec![
        ("data keys destroyed", ids.join(", "), None),
        ("tokens deleted", shredded.tokens.to_string(), under_shared),
        ("clients deleted", shredded.clients.to_string(), None),
        (
            "encrypted columns",
            "values sealed with these keys can't be read any more".into(),
            None,
        ),
        (
            "older backups",
            format!(
                "backups, archived WAL and disk blocks from before now still hold these keys, wrapped by the master key {}",
                shredded.master_keys.join(" and ")
            ),
            Some(
                "shredded there too, once vault.rotate_master_key() has replaced that master key in every database of this server, and it was destroyed".into(),
            ),
        ),
    ]
}
