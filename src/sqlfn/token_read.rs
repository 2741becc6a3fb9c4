//! Handing out an access token, and telling how it is.

use pgrx::datum::{Interval, TimestampWithTimeZone};
use pgrx::iter::TableIterator;
use pgrx::{default, name, pg_extern};

use crate::error::{OrRaise, Result};
use crate::pg::time;
use crate::sqlfn::arguments;
use crate::sqlfn::serving::{self, Served, Terms};
use crate::store::token::{State, StoredToken};

#[pg_extern(schema = "vault", volatile, parallel_unsafe)]
fn get_token(
    provider: Option<&str>,
    subject: Option<&str>,
    tenant: default!(Option<&str>, "NULL"),
    label: default!(Option<&str>, "''"),
    min_validity: default!(Option<Interval>, "NULL"),
    auto_refresh: default!(Option<bool>, "true"),
) -> Option<String> {
    served(tenant, provider, subject, label, min_validity, auto_refresh)
        .or_raise()
        .map(|served| served.access_token.expose().to_owned())
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
    served(tenant, provider, subject, label, min_validity, auto_refresh)
        .or_raise()
        .map(|served| format!("Bearer {}", served.access_token.expose()))
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
    let served = served(tenant, provider, subject, label, min_validity, auto_refresh).or_raise();
    TableIterator::new(served.into_iter().map(|served| {
        let token = served.token;
        (
            served.access_token.expose().to_owned(),
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
    found(tenant, provider, subject, label).or_raise().is_some()
}

#[pg_extern(schema = "vault", volatile, parallel_unsafe)]
fn is_valid(
    provider: Option<&str>,
    subject: Option<&str>,
    tenant: default!(Option<&str>, "NULL"),
    label: default!(Option<&str>, "''"),
    min_validity: default!(Option<Interval>, "NULL"),
) -> bool {
    let until = serving::valid_until(min_validity).or_raise();
    found(tenant, provider, subject, label)
        .or_raise()
        .is_some_and(|token| token.is_valid_until(until))
}

#[pg_extern(schema = "vault", volatile, parallel_unsafe)]
fn token_status(
    provider: Option<&str>,
    subject: Option<&str>,
    tenant: default!(Option<&str>, "NULL"),
    label: default!(Option<&str>, "''"),
) -> Option<&'static str> {
    let token = found(tenant, provider, subject, label).or_raise()?;
    Some(match token.state {
        State::ReauthorizationRequired => "reauthorization_required",
        State::Active if token.is_valid_until(time::now()) => "valid",
        State::Active => "expired",
    })
}

fn found(
    tenant: Option<&str>,
    provider: Option<&str>,
    subject: Option<&str>,
    label: Option<&str>,
) -> Result<Option<StoredToken>> {
    serving::look_up(&arguments::token_key(tenant, provider, subject, label)?)
}

fn served(
    tenant: Option<&str>,
    provider: Option<&str>,
    subject: Option<&str>,
    label: Option<&str>,
    min_validity: Option<Interval>,
    auto_refresh: Option<bool>,
) -> Result<Option<Served>> {
    let terms = Terms::new(min_validity, auto_refresh)?;
    let key = arguments::token_key(tenant, provider, subject, label)?;
    serving::serve(&key, &terms)
}
