//! Storing tokens.

use pgrx::datum::TimestampWithTimeZone;
use pgrx::{default, pg_extern};
use token_vault_core::oauth::{self, Expiry, Provider, ResponseError, TokenResponse};
use token_vault_core::secret::{AccessToken, IdToken, RefreshToken};

use crate::error::{Error, OrRaise, Result};
use crate::pg::jsonb::Jsonb;
use crate::pg::{fault, report, time};
use crate::sqlfn::arguments;
use crate::store::access::{self, Privilege};
use crate::store::audit;
use crate::store::token::{self, ClientOf, TokenKey};
use crate::store::{client, keyring, provider};
use crate::worker::request;

/// No token lives longer than this; a larger number is a unit error.
const MAX_LIFETIME_SECONDS: i64 = 100 * 366 * 86_400;
const MAX_SCOPE_BYTES: usize = 64 * 1024;

#[pg_extern(schema = "vault", volatile, parallel_unsafe)]
#[allow(clippy::too_many_arguments)]
fn store_token(
    provider: Option<&str>,
    subject: Option<&str>,
    access_token: Option<&str>,
    refresh_token: default!(Option<&str>, "NULL"),
    expires_in: default!(Option<i64>, "NULL"),
    scope: default!(Option<&str>, "NULL"),
    token_type: default!(Option<&str>, "NULL"),
    id_token: default!(Option<&str>, "NULL"),
    expires_at: default!(Option<TimestampWithTimeZone>, "NULL"),
    refresh_token_expires_in: default!(Option<i64>, "NULL"),
    tenant: default!(Option<&str>, "NULL"),
    label: default!(Option<&str>, "''"),
    client: default!(Option<&str>, "NULL"),
    metadata: default!(Option<Jsonb>, "NULL"),
) {
    let store = || -> Result<()> {
        let key = arguments::token_key(tenant, provider, subject, label)?;
        access::require(Privilege::Write, &key.resource())?;
        let access_token = arguments::credential(
            "access_token",
            arguments::required("access_token", access_token)?,
        )?;
        let refresh_token = refresh_token
            .map(|token| arguments::credential("refresh_token", token))
            .transpose()?;
        let id_token = id_token
            .map(|token| arguments::credential("id_token", token))
            .transpose()?;
        arguments::limit("scope", scope.unwrap_or_default(), MAX_SCOPE_BYTES)?;
        arguments::limit(
            "token_type",
            token_type.unwrap_or_default(),
            MAX_SCOPE_BYTES,
        )?;
        let provider = provider::find(&key.provider)?;
        let response = TokenResponse {
            access_token: AccessToken::new(access_token.to_owned()),
            refresh_token: refresh_token.map(|token| RefreshToken::new(token.to_owned())),
            id_token: id_token.map(|token| IdToken::new(token.to_owned())),
            token_type: token_type.map(str::to_owned),
            scope: scope.map(str::to_owned),
            expiry: expiry(&provider, expires_in, expires_at)?,
            refresh_token_expiry: match lifetime(
                "refresh_token_expires_in",
                refresh_token_expires_in,
            )? {
                Some(seconds) => Expiry::In(seconds),
                None => Expiry::Unknown,
            },
            extra: serde_json::Map::new(),
            ignored_fields: Vec::new(),
        };
        store(&key, &provider, client, &response, metadata)
    };
    store().or_raise();
}

#[pg_extern(schema = "vault", volatile, parallel_unsafe)]
fn store_token_response(
    provider: Option<&str>,
    subject: Option<&str>,
    response: Option<Jsonb>,
    tenant: default!(Option<&str>, "NULL"),
    label: default!(Option<&str>, "''"),
    client: default!(Option<&str>, "NULL"),
    metadata: default!(Option<Jsonb>, "NULL"),
) {
    let store = || -> Result<()> {
        let key = arguments::token_key(tenant, provider, subject, label)?;
        access::require(Privilege::Write, &key.resource())?;
        let provider = provider::find(&key.provider)?;
        let response = parse(&provider, &arguments::required("response", response)?)?;
        store(&key, &provider, client, &response, metadata)
    };
    store().or_raise();
}

fn parse(provider: &Provider, response: &Jsonb) -> Result<TokenResponse> {
    let invalid = |problem: String| Error::InvalidResponse(problem);
    let mut answer = response
        .parse()
        .map_err(|_| invalid("it can't be read".into()))?;
    let parsed = oauth::parse_token_response(provider, &answer);
    oauth::wipe_json(&mut answer);
    parsed.map_err(|error| {
        invalid(match error {
            ResponseError::MissingAccessToken => "it has no access_token".into(),
            ResponseError::Invalid(field) => format!("it has an invalid {field}"),
        })
    })
}

fn store(
    key: &TokenKey,
    provider: &Provider,
    client_name: Option<&str>,
    response: &TokenResponse,
    metadata: Option<Jsonb>,
) -> Result<()> {
    let metadata = arguments::object("metadata", metadata)?;
    keyring::require_key(&key.tenant)?;
    let client = client(key, client_name)?;
    let stored = token::store(key, provider, client, response, metadata, time::now())?;
    audit::changed("stored", key.into(), None);
    fault::point("token_stored");
    if stored.refreshable && !stored.has_client {
        report::warn(
            format!(
                "the token is stored, but can't be refreshed: provider \"{}\" has no client",
                key.provider
            ),
            "Register the client that obtained it with vault.register_client().",
        );
    }
    if let Some((lane, due_at)) = stored.due {
        request::schedule_changed(lane, due_at);
    }
    Ok(())
}

/// The client named; else the one an earlier token here was obtained with; else the only one there is.
fn client(key: &TokenKey, name: Option<&str>) -> Result<ClientOf> {
    if let Some(name) = name {
        let client = client::named(
            &key.provider,
            &key.tenant,
            arguments::name("client", Some(name))?,
        )?;
        return Ok(ClientOf::Named(client.id));
    }
    match client::only_id(&key.provider, &key.tenant) {
        Ok(only) => Ok(ClientOf::Default(only)),
        // The choice matters only where an earlier token has not made it.
        Err(ambiguous) => token::client(key)
            .map(|id| ClientOf::Default(Some(id)))
            .ok_or(ambiguous),
    }
}

fn expiry(
    provider: &Provider,
    expires_in: Option<i64>,
    expires_at: Option<TimestampWithTimeZone>,
) -> Result<Expiry> {
    match (
        lifetime("expires_in", expires_in)?,
        expires_at,
        provider.default_expires_in,
    ) {
        (Some(_), Some(_), _) => Err(Error::InvalidArgument {
            name: "expires_at",
            problem: "expires_in was given as well".into(),
        }),
        (Some(seconds), None, _) | (None, None, Some(seconds)) => Ok(Expiry::In(seconds)),
        (None, Some(time), _) => Ok(time::finite(time).map_or(Expiry::Never, Expiry::At)),
        (None, None, None) => Ok(Expiry::Unknown),
    }
}

fn lifetime(argument: &'static str, seconds: Option<i64>) -> Result<Option<i64>> {
    match seconds {
        Some(seconds) if seconds < 0 => Err(Error::InvalidArgument {
            name: argument,
            problem: "it is negative".into(),
        }),
        Some(seconds) if seconds > MAX_LIFETIME_SECONDS => Err(Error::InvalidArgument {
            name: argument,
            problem: "it is more than a hundred years; the unit is seconds".into(),
        }),
        seconds => Ok(seconds),
    }
}
