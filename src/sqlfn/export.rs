//! Handing out what otherwise never leaves: refresh tokens and client secrets.

use pgrx::datum::TimestampWithTimeZone;
use pgrx::iter::TableIterator;
use pgrx::{default, name, pg_extern};
use token_vault_core::secret::{ClientSecret, SecretString};

use crate::error::{OrRaise, Result};
use crate::pg::time;
use crate::sqlfn::{arguments, client as clients};
use crate::store::access::{self, Privilege};
use crate::store::audit::{self, About};
use crate::store::disclosure::{self, Kind};
use crate::store::token::{self, ExportedToken};
use crate::store::{client, provider};

#[pg_extern(schema = "vault", volatile, parallel_unsafe)]
#[allow(clippy::type_complexity)]
fn export_token_set(
    provider: Option<&str>,
    subject: Option<&str>,
    tenant: default!(Option<&str>, "NULL"),
    label: default!(Option<&str>, "''"),
) -> TableIterator<
    'static,
    (
        name!(access_token, String),
        name!(refresh_token, Option<String>),
        name!(id_token, Option<String>),
        name!(token_type, Option<String>),
        name!(scope, Option<String>),
        name!(issued_at, TimestampWithTimeZone),
        name!(expires_at, Option<TimestampWithTimeZone>),
        name!(refresh_token_expires_at, Option<TimestampWithTimeZone>),
    ),
> {
    let export = || -> Result<Option<ExportedToken>> {
        let key = arguments::token_key(tenant, provider, subject, label)?;
        access::require(Privilege::Export, &key.resource())?;
        disclosure::permit(About::from(&key))?;
        let token = token::export(&key)?;
        match token {
            Some(_) => disclosure::note(Kind::Export, About::from(&key), None)?,
            None => provider::find(&key.provider).map(drop)?,
        }
        Ok(token)
    };
    let plaintext = |secret: SecretString| secret.expose().to_owned();
    TableIterator::new(export().or_raise().into_iter().map(move |token| {
        (
            plaintext(token.access_token),
            token.refresh_token.map(plaintext),
            token.id_token.map(plaintext),
            token.token_type,
            token.scope,
            time::to_sql(token.issued_at),
            token.expires_at.map(time::to_sql),
            token.refresh_token_expires_at.map(time::to_sql),
        )
    }))
}

/// In the order in which they are tried.
#[pg_extern(schema = "vault", volatile, parallel_unsafe)]
fn export_client_secrets(
    client: Option<&str>,
    tenant: default!(Option<&str>, "NULL"),
) -> TableIterator<'static, (name!(place, i64), name!(client_secret, String))> {
    let export = || -> Result<Vec<ClientSecret>> {
        let client = clients::permitted(Privilege::Export, client, tenant)?;
        let about = clients::about(&client);
        disclosure::permit(about)?;
        let secrets = client::secrets(&client)?;
        let facts = [("client", client.name.as_str().into())];
        disclosure::note(Kind::Export, about, audit::detail(facts))?;
        Ok(secrets)
    };
    let secrets = export().or_raise();
    TableIterator::new(
        (1..)
            .zip(secrets)
            .map(|(place, secret)| (place, secret.expose().to_owned())),
    )
}
