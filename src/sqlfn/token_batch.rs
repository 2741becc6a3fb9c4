//! Handing out many access tokens in one round trip.

use pgrx::datum::{Array, Interval, TimestampWithTimeZone};
use pgrx::iter::TableIterator;
use pgrx::{default, name, pg_extern};

use crate::error::{Error, OrRaise, Result};
use crate::pg::time;
use crate::sqlfn::arguments;
use crate::sqlfn::serving::{self, Served, Terms};
use crate::store::token::TokenKey;

/// Tokens of one call, at most.
const MAX_TOKENS: usize = 1000;

#[pg_extern(schema = "vault", volatile, parallel_unsafe)]
#[allow(clippy::type_complexity)]
fn get_tokens(
    provider: Option<&str>,
    subjects: Option<Array<&str>>,
    tenant: default!(Option<&str>, "NULL"),
    label: default!(Option<&str>, "''"),
    min_validity: default!(Option<Interval>, "NULL"),
    auto_refresh: default!(Option<bool>, "true"),
) -> TableIterator<
    'static,
    (
        name!(subject, String),
        name!(access_token, Option<String>),
        name!(expires_at, Option<TimestampWithTimeZone>),
        name!(error_code, Option<&'static str>),
        name!(error, Option<String>),
    ),
> {
    let serve = || -> Result<(Vec<TokenKey>, Vec<Result<Option<Served>>>)> {
        let terms = Terms::new(min_validity, auto_refresh)?;
        let keys = keys(provider, subjects, tenant, label)?;
        let served = serving::serve_each(&keys, &terms)?;
        Ok((keys, served))
    };
    let (keys, served) = serve().or_raise();
    TableIterator::new(keys.into_iter().zip(served).map(|(key, served)| {
        let subject = key.subject;
        match served {
            Ok(Some(served)) => {
                let expires_at = served.token.expires_at.map(time::to_sql);
                let access_token = served.access_token.expose().to_owned();
                (subject, Some(access_token), expires_at, None, None)
            }
            Ok(None) => (subject, None, None, None, None),
            Err(error) => {
                let (code, message) = error.code_and_message();
                (subject, None, None, Some(code), Some(message))
            }
        }
    }))
}

fn keys(
    provider: Option<&str>,
    subjects: Option<Array<&str>>,
    tenant: Option<&str>,
    label: Option<&str>,
) -> Result<Vec<TokenKey>> {
    let subjects = arguments::required("subjects", subjects)?;
    if subjects.len() > MAX_TOKENS {
        return Err(Error::InvalidArgument {
            name: "subjects",
            problem: format!("it has more than {MAX_TOKENS}"),
        });
    }
    subjects
        .iter()
        .map(|subject| arguments::token_key(tenant, provider, subject, label))
        .collect()
}
