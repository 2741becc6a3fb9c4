//! OAuth clients.

use pgrx::{JsonB, default, pg_extern};

use crate::error::{Error, OrRaise, Result};
use crate::pg::jsonb::Jsonb;
use crate::sqlfn::arguments;
use crate::store::access::{self, Privilege, Resource};
use crate::store::audit::{self, About};
use crate::store::client::{self, Client, Position, Registration};
use crate::store::provider;
use crate::worker::request;

#[pg_extern(schema = "vault", volatile, parallel_unsafe)]
#[allow(clippy::too_many_arguments)]
fn register_client(
    name: Option<&str>,
    provider: Option<&str>,
    client_id: Option<&str>,
    client_secret: default!(Option<&str>, "NULL"),
    tenant: default!(Option<&str>, "NULL"),
    scope: default!(Option<&str>, "NULL"),
    redirect_uri: default!(Option<&str>, "NULL"),
    metadata: default!(Option<Jsonb>, "NULL"),
    settings: default!(Option<Jsonb>, "NULL"),
) {
    let register = || -> Result<()> {
        let tenant = arguments::client_tenant(tenant)?;
        let name = arguments::name("name", name)?;
        let provider_name = arguments::name("provider", provider)?;
        require(Privilege::Admin, tenant.as_deref(), provider_name)?;
        if let Ok(existing) = client::find(tenant.as_deref(), name) {
            // It may leave another provider for this one.
            require(Privilege::Admin, tenant.as_deref(), &existing.provider)?;
        }
        provider::find(provider_name)?;
        client::register(Registration {
            tenant: tenant.as_deref(),
            name,
            provider: provider_name,
            client_id: arguments::name("client_id", client_id)?,
            client_secret: client_secret
                .map(|secret| arguments::credential("client_secret", secret))
                .transpose()?,
            scope,
            redirect_uri,
            metadata: arguments::object("metadata", metadata)?
                .map(|metadata| JsonB(metadata.into())),
            settings: arguments::object("settings", settings)?,
        })?;
        let about = About {
            provider: Some(provider_name),
            ..About::tenant(tenant.as_deref())
        };
        let facts = [("client", name.into())];
        audit::changed("client_registered", about, audit::detail(facts));
        request::refresher_wanted();
        Ok(())
    };
    register().or_raise();
}

#[pg_extern(schema = "vault", volatile, parallel_unsafe)]
fn add_client_secret(
    client: Option<&str>,
    client_secret: Option<&str>,
    tenant: default!(Option<&str>, "NULL"),
    place: default!(Option<&str>, "'first'"),
) {
    let add = || -> Result<()> {
        let client = administered(client, tenant)?;
        let secret = arguments::credential(
            "client_secret",
            arguments::required("client_secret", client_secret)?,
        )?;
        let position = match arguments::required("place", place)? {
            "first" => Position::First,
            "last" => Position::Last,
            _ => {
                return Err(Error::InvalidArgument {
                    name: "place",
                    problem: "it is neither first nor last".into(),
                });
            }
        };
        client::add_secret(&client, secret, position)?;
        note("client_secret_added", &client);
        request::refresher_wanted();
        Ok(())
    };
    add().or_raise();
}

#[pg_extern(schema = "vault", volatile, parallel_unsafe)]
fn drop_client_secrets(
    client: Option<&str>,
    tenant: default!(Option<&str>, "NULL"),
    keep: default!(Option<i32>, "1"),
) -> i64 {
    let drop = || -> Result<i64> {
        let keep = arguments::required("keep", keep)?;
        if keep < 0 {
            return Err(Error::InvalidArgument {
                name: "keep",
                problem: "it is negative".into(),
            });
        }
        let client = administered(client, tenant)?;
        note("client_secrets_dropped", &client);
        Ok(client::drop_secrets(&client, keep))
    };
    drop().or_raise()
}

#[pg_extern(schema = "vault", volatile, parallel_unsafe)]
fn enable_client(client: Option<&str>, tenant: default!(Option<&str>, "NULL")) {
    administered(client, tenant)
        .map(|client| {
            client::set_active(&client, true);
            note("client_enabled", &client);
            request::refresher_wanted();
        })
        .or_raise();
}

#[pg_extern(schema = "vault", volatile, parallel_unsafe)]
fn disable_client(client: Option<&str>, tenant: default!(Option<&str>, "NULL")) {
    administered(client, tenant)
        .map(|client| {
            client::set_active(&client, false);
            note("client_disabled", &client);
        })
        .or_raise();
}

#[pg_extern(schema = "vault", volatile, parallel_unsafe)]
fn drop_client(client: Option<&str>, tenant: default!(Option<&str>, "NULL")) {
    administered(client, tenant)
        .and_then(|client| {
            client::remove(&client)?;
            note("client_dropped", &client);
            Ok(())
        })
        .or_raise();
}

/// What an entry of the audit log about a client names.
pub(super) fn about(client: &Client) -> About<'_> {
    About {
        provider: Some(&client.provider),
        ..About::tenant(client.tenant.as_deref())
    }
}

fn note(event: &str, client: &Client) {
    let facts = [("client", client.name.as_str().into())];
    audit::changed(event, about(client), audit::detail(facts));
}

/// The client named, for a caller who may change it.
fn administered(name: Option<&str>, tenant: Option<&str>) -> Result<Client> {
    permitted(Privilege::Admin, name, tenant)
}

/// The client named, for a caller who has this privilege for it. Whether there is a client, only those hear who have it for
/// all clients of the tenant.
pub(super) fn permitted(
    privilege: Privilege,
    name: Option<&str>,
    tenant: Option<&str>,
) -> Result<Client> {
    let tenant = arguments::client_tenant(tenant)?;
    let name = arguments::name("client", name)?;
    match client::find(tenant.as_deref(), name) {
        Ok(client) => {
            require(privilege, tenant.as_deref(), &client.provider)?;
            Ok(client)
        }
        Err(unknown) => {
            let all = tenant.as_deref().map_or(Resource::Vault, Resource::Tenant);
            access::require(privilege, &all)?;
            Err(unknown)
        }
    }
}

fn require(privilege: Privilege, tenant: Option<&str>, provider: &str) -> Result<()> {
    access::require(privilege, &Resource::Client { tenant, provider })
}
