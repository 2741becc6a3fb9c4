//! Serving valid access tokens, in whatever form they are handed out: looked up, refreshed first where they have to be,
//! opened, and noted.

use pgrx::datum::Interval;
use token_vault_core::refresh::RefreshPolicy;
use token_vault_core::secret::SecretString;

use crate::error::{Error, Obstacle, Result};
use crate::pg::{server, settings, time};
use crate::sqlfn::arguments;
use crate::store::access::{self, Privilege};
use crate::store::audit::About;
use crate::store::disclosure::{self, Kind};
use crate::store::provider;
use crate::store::token::{self, State, StoredToken, Target, TokenKey};
use crate::worker::{board, request, usage};

/// What a caller demands of a token.
pub struct Terms {
    valid_until: time::UnixMicros,
    auto_refresh: bool,
}

impl Terms {
    pub fn new(min_validity: Option<Interval>, auto_refresh: Option<bool>) -> Result<Terms> {
        Ok(Terms {
            auto_refresh: arguments::required("auto_refresh", auto_refresh)?,
            valid_until: valid_until(min_validity)?,
        })
    }
}

/// The time until which a token must be valid.
pub fn valid_until(min_validity: Option<Interval>) -> Result<time::UnixMicros> {
    let least = min_validity.as_ref().map_or(0, time::interval_micros);
    if least < 0 {
        return Err(Error::InvalidArgument {
            name: "min_validity",
            problem: "it is negative".into(),
        });
    }
    Ok(time::now().saturating_add(least))
}

/// A token that is handed out.
pub struct Served {
    pub token: StoredToken,
    pub access_token: SecretString,
}

/// The row, if there is one and the caller may read it. A provider that does not exist is a typing error and says so.
pub fn look_up(key: &TokenKey) -> Result<Option<StoredToken>> {
    access::require(Privilege::Read, &key.resource())?;
    let token = token::find(key);
    if token.is_none() {
        provider::find(&key.provider)?;
    }
    Ok(token)
}

/// A valid access token; None where there is no such token.
pub fn serve(key: &TokenKey, terms: &Terms) -> Result<Option<Served>> {
    let Some(token) = look_up(key)? else {
        return Ok(None);
    };
    disclosure::permit(About::from(key))?;
    let token = match assess(key, token, terms)? {
        Assessed::Valid(token) => token,
        Assessed::Replaced => find_again(key)?,
        Assessed::Stale(target) => {
            request::refresh(&target)?;
            find_again(key)?
        }
    };
    let served = open(key, token)?;
    note(key, &served)?;
    Ok(Some(served))
}

/// The same for many, which are refreshed at the same time where they have to be. What is wrong with one of them is said in
/// its place; what the caller may not do fails for all.
pub fn serve_each(keys: &[TokenKey], terms: &Terms) -> Result<Vec<Result<Option<Served>>>> {
    for key in keys {
        access::require(Privilege::Read, &key.resource())?;
    }
    let tokens = token::find_each(keys);
    for (key, token) in keys.iter().zip(&tokens) {
        match token {
            Some(_) => disclosure::permit(About::from(key))?,
            None => drop(provider::find(&key.provider)?),
        }
    }
    let assess = |(key, token): (&TokenKey, Option<StoredToken>)| {
        token.map(|token| assess(key, token, terms)).transpose()
    };
    let mut found: Vec<_> = keys.iter().zip(tokens).map(assess).collect();
    refresh_stale(&mut found);
    keys.iter()
        .zip(found)
        .map(|(key, found)| {
            let served = match found {
                Ok(None) => return Ok(Ok(None)),
                Ok(Some(Assessed::Valid(token))) => open(key, token),
                Ok(Some(_)) => find_again(key).and_then(|token| open(key, token)),
                Err(error) => Err(error),
            };
            if let Ok(served) = &served {
                note(key, served)?;
            }
            Ok(served.map(Some))
        })
        .collect()
}

/// Has refreshed what is stale; what fails is replaced by its error.
fn refresh_stale(found: &mut [Result<Option<Assessed>>]) {
    let stale: Vec<Target> = found
        .iter()
        .filter_map(|found| match found {
            Ok(Some(Assessed::Stale(target))) => Some(target.clone()),
            _ => None,
        })
        .collect();
    if stale.is_empty() {
        return;
    }
    let outcomes = request::refresh_each(&stale.iter().collect::<Vec<_>>());
    let places = found
        .iter_mut()
        .filter(|found| matches!(found, Ok(Some(Assessed::Stale(_)))));
    for (place, outcome) in places.zip(outcomes) {
        *place = outcome.map(|_| Some(Assessed::Replaced));
    }
}

/// How a token stands.
enum Assessed {
    /// It meets the terms.
    Valid(StoredToken),
    /// A newer one has taken its place since it was looked up.
    Replaced,
    /// It has to be refreshed first.
    Stale(Target),
}

fn assess(key: &TokenKey, token: StoredToken, terms: &Terms) -> Result<Assessed> {
    if token.is_valid_until(terms.valid_until) {
        return Ok(Assessed::Valid(token));
    }
    if lives_shorter(&token, terms.valid_until) {
        return Err(Error::ValidityTooLong);
    }
    if token.state == State::ReauthorizationRequired {
        return Err(Error::ReauthorizationRequired {
            error: token.last_error,
        });
    }
    if !provider::can_refresh(&*provider::find(&key.provider)?, token.has_refresh_token) {
        return Err(Error::TokenExpired(Some(Obstacle::Credential)));
    }
    let target = token::target(token.id).ok_or(Error::NoSuchToken)?;
    if target.policy == RefreshPolicy::Never {
        return Err(Error::TokenExpired(Some(Obstacle::Policy)));
    }
    if !terms.auto_refresh {
        return Err(Error::TokenExpired(None));
    }
    request::require_possible()?;
    if !is_retried_in_time(&target) {
        // An application that asks in a loop must not undo the pauses between failures.
        return Err(Error::RefreshFailed {
            error: target.last_error,
        });
    }
    Ok(match target.generation == token.generation {
        true => Assessed::Stale(target),
        false => Assessed::Replaced,
    })
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

/// Whether the pause after a failure, if there is one, ends before the caller would give up.
fn is_retried_in_time(target: &Target) -> bool {
    let patience = i64::try_from(settings::refresh_wait().as_micros()).unwrap_or(i64::MAX);
    let latest = time::now().saturating_add(patience);
    target.backs_off_until.is_none_or(|until| until <= latest)
}

/// The token that has taken the place of a stale one.
fn find_again(key: &TokenKey) -> Result<StoredToken> {
    let fresh = token::find(key).ok_or(Error::NoSuchToken)?;
    if !fresh.is_valid_until(time::now()) {
        return Err(Error::RefreshFailed {
            error: fresh.last_error,
        });
    }
    Ok(fresh)
}

fn open(key: &TokenKey, token: StoredToken) -> Result<Served> {
    let plaintext = token.access_token(key)?;
    let access_token = SecretString::try_from(plaintext).map_err(|_| Error::Undecryptable {
        what: "the access token",
    })?;
    Ok(Served {
        token,
        access_token,
    })
}

/// That it is handed out now: for the audit log, its usage, and whoever refreshes it.
fn note(key: &TokenKey, served: &Served) -> Result<()> {
    disclosure::note(Kind::Token, About::from(key), None)?;
    let (token, now) = (&served.token, time::now());
    usage::note(token.id, now);
    if token.refresh_after.is_some_and(|time| time <= now) && token.state == State::Active {
        board::require_refresher(server::database());
    }
    Ok(())
}
