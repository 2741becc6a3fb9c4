//! Handing out access tokens, and telling how they are.

use pgrx::datum::{Interval, TimestampWithTimeZone};
use pgrx::iter::TableIterator;
use pgrx::{default, name, pg_extern};
use token_vault_core::refresh::RefreshPolicy;
use token_vault_core::secret::SecretString;

use crate::error::{Error, Obstacle, OrRaise, Result};
use crate::pg::{server, settings, time};
use crate::sqlfn::arguments;
use crate::store::access::{self, Privilege};
use crate::store::audit::About;
use crate::store::disclosure::{self, Kind};
use crate::store::provider;
use crate::store::token::{self, State, StoredToken, TokenKey};
use crate::worker::{board, request, usage};

#[pg_extern(schema = "vault", volatile, parallel_unsafe)]
fn get_token(
    provider: Option<&str>,
    subject: Option<&str>,
    tenant: default!(Option<&str>, "NULL"),
    label: default!(Option<&str>, "''"),
    min_validity: default!(Option<Interval>, "NULL"),
    auto_refresh: default!(Option<bool>, "true"),
) -> Option<String> {
    hand_out(tenant, provider, subject, label, min_validity, auto_refresh)
        .or_raise()
        .map(|(_, access_token)| access_token.expose().to_owned())
}

#[pg_extern(schema = "vault", volatile, parallel_unsafe)]
fn authorization_header(
    provider: Option<&str>,
    subject: Option<&str>,
    tenant: default!(Option<&str>, "NULL"),
    label: default!(Option<&str>, "''"),
    min_validity: default!(Option<Interval>, "NULL"),
    auto_refresh: default!(Option<bool>, "true"),
) -> Option<String> {
    hand_out(tenant, provider, subject, label, min_validity, auto_refresh)
        .or_raise()
        .map(|(_, access_token)| format!("Bearer {}", access_token.expose()))
}

#[pg_extern(schema = "vault", volatile, parallel_unsafe)]
#[allow(clippy::type_complexity)]
fn get_token_set(
    provider: Option<&str>,
    subject: Option<&str>,
    tenant: default!(Option<&str>, "NULL"),
    label: default!(Option<&str>, "''"),
    min_validity: default!(Option<Interval>, "NULL"),
    auto_refresh: default!(Option<bool>, "true"),
) -> TableIterator<
    'static,
    (
        name!(access_token, String),
        name!(token_type, Option<String>),
        name!(scope, Option<String>),
        name!(issued_at, TimestampWithTimeZone),
        name!(expires_at, Option<TimestampWithTimeZone>),
    ),
> {
    let found = hand_out(tenant, provider, subject, label, min_validity, auto_refresh).or_raise();
    TableIterator::new(found.into_iter().map(|(token, access_token)| {
        (
            access_token.expose().to_owned(),
            token.token_type,
            token.scope,
            time::to_sql(token.issued_at),
            token.expires_at.map(time::to_sql),
        )
    }))
}

#[pg_extern(schema = "vault", volatile, parallel_unsafe)]
fn has_token(
    provider: Option<&str>,
    subject: Option<&str>,
    tenant: default!(Option<&str>, "NULL"),
    label: default!(Option<&str>, "''"),
) -> bool {
    look_up(tenant, provider, subject, label)
        .or_raise()
        .1
        .is_some()
}

#[pg_extern(schema = "vault", volatile, parallel_unsafe)]
fn is_valid(
    provider: Option<&str>,
    subject: Option<&str>,
    tenant: default!(Option<&str>, "NULL"),
    label: default!(Option<&str>, "''"),
    min_validity: default!(Option<Interval>, "NULL"),
) -> bool {
    let until = valid_until(min_validity).or_raise();
    look_up(tenant, provider, subject, label)
        .or_raise()
        .1
        .is_some_and(|token| token.is_valid_until(until))
}

#[pg_extern(schema = "vault", volatile, parallel_unsafe)]
fn token_status(
    provider: Option<&str>,
    subject: Option<&str>,
    tenant: default!(Option<&str>, "NULL"),
    label: default!(Option<&str>, "''"),
) -> Option<&'static str> {
    let token = look_up(tenant, provider, subject, label).or_raise().1?;
    Some(match token.state {
        State::ReauthorizationRequired => "reauthorization_required",
        State::Active if token.is_valid_until(time::now()) => "valid",
        State::Active => "expired",
    })
}

/// The row, if there is one. A provider that does not exist is a typing error and says so.
fn look_up(
    tenant: Option<&str>,
    provider: Option<&str>,
    subject: Option<&str>,
    label: Option<&str>,
) -> Result<(TokenKey, Option<StoredToken>)> {
    let key = arguments::token_key(tenant, provider, subject, label)?;
    access::require(Privilege::Read, &key.resource())?;
    let token = token::find(&key);
    if token.is_none() {
        provider::find(&key.provider)?;
    }
    Ok((key, token))
}

fn valid_until(min_validity: Option<Interval>) -> Result<time::UnixMicros> {
    let least = min_validity.as_ref().map_or(0, time::interval_micros);
    if least < 0 {
        return Err(Error::InvalidArgument {
            name: "min_validity",
            problem: "it is negative".into(),
        });
    }
    Ok(time::now().saturating_add(least))
}

/// A valid access token, refreshed first if it has to be.
fn hand_out(
    tenant: Option<&str>,
    provider: Option<&str>,
    subject: Option<&str>,
    label: Option<&str>,
    min_validity: Option<Interval>,
    auto_refresh: Option<bool>,
) -> Result<Option<(StoredToken, SecretString)>> {
    let auto_refresh = arguments::required("auto_refresh", auto_refresh)?;
    let valid_until = valid_until(min_validity)?;
    let (key, token) = look_up(tenant, provider, subject, label)?;
    let Some(token) = token else { return Ok(None) };
    let about = About::from(&key);
    disclosure::permit(about)?;
    let token = match token.is_valid_until(valid_until) {
        true => token,
        false if lives_shorter(&token, valid_until) => return Err(Error::ValidityTooLong),
        false => refreshed(&key, &token, auto_refresh)?,
    };
    let plaintext = token.access_token(&key)?;
    let access_token = SecretString::try_from(plaintext).map_err(|_| Error::Undecryptable {
        what: "the access token",
    })?;
    disclosure::note(Kind::Token, about, None)?;
    let now = time::now();
    usage::note(token.id, now);
    if token.refresh_after.is_some_and(|time| time <= now) && token.state == State::Active {
        board::require_refresher(server::database());
    }
    Ok(Some((token, access_token)))
}

/// A refresh would bring a token that lives as long as this one, so it can't help either. (It would be asked
/// for again with every call, and rotate the refresh token each time.)
fn lives_shorter(token: &StoredToken, valid_until: time::UnixMicros) -> bool {
    let now = time::now();
    token.is_valid_until(now)
        && token
            .expires_at
            .is_some_and(|expires_at| expires_at - token.issued_at <= valid_until - now)
}

fn refreshed(key: &TokenKey, token: &StoredToken, auto_refresh: bool) -> Result<StoredToken> {
    if token.state == State::ReauthorizationRequired {
        return Err(Error::ReauthorizationRequired {
            error: token.last_error.clone(),
        });
    }
    if !provider::can_refresh(&*provider::find(&key.provider)?, token.has_refresh_token) {
        return Err(Error::TokenExpired(Some(Obstacle::Credential)));
    }
    let target = token::target(token.id).ok_or(Error::NoSuchToken)?;
    if target.policy == RefreshPolicy::Never {
        return Err(Error::TokenExpired(Some(Obstacle::Policy)));
    }
    if !auto_refresh {
        return Err(Error::TokenExpired(None));
    }
    request::require_possible()?;
    let patience = i64::try_from(settings::refresh_wait().as_micros()).unwrap_or(i64::MAX);
    let is_patient_enough = |until| until <= time::now().saturating_add(patience);
    if !target.backs_off_until.is_none_or(is_patient_enough) {
        // An application that asks in a loop must not undo the pauses between failures.
        return Err(Error::RefreshFailed {
            error: target.last_error,
        });
    }
    if target.generation == token.generation {
        request::refresh(&target)?;
    }
    let fresh = token::find(key).ok_or(Error::NoSuchToken)?;
    if !fresh.is_valid_until(time::now()) {
        return Err(Error::RefreshFailed {
            error: fresh.last_error,
        });
    }
    Ok(fresh)
}
