//! When a token expires, in the many ways providers say it.

use super::pointer::is_said;
use super::provider::Provider;
use super::quirks::{ExpiresFormat, ResponseField};
use super::response::{Fields, ResponseError};
use jiff::Timestamp;
use jiff::civil::DateTime;
use serde_json::Value;

const MICROS: f64 = 1e6;
/// No token lives a hundred years; a larger number is another unit or a fault.
const MAX_LIFETIME_SECONDS: f64 = 100.0 * 366.0 * 86_400.0;
/// The end of the year 9999, which some providers use for "never".
const MAX_EPOCH_SECONDS: f64 = 253_402_300_799.0;
/// Seconds this large lie after the year 5000, milliseconds after 1973: so it is milliseconds.
const EPOCH_MILLISECONDS_FROM: f64 = 1e11;

/// What is known about when a token expires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// The answer does not say, and the provider has no default.
    Unknown,
    /// The provider says that it does not expire.
    Never,
    /// So many seconds after it was issued.
    In(i64),
    /// At this point in time, in microseconds since 1970.
    At(i64),
}

impl Expiry {
    /// The point in time for a token issued at `issued_at` (both in microseconds since 1970); `None` where it is not
    /// known or never comes.
    pub fn expires_at(self, issued_at: i64) -> Option<i64> {
        match self {
            Self::Unknown | Self::Never => None,
            Self::In(seconds) => Some(issued_at.saturating_add(seconds.saturating_mul(1_000_000))),
            Self::At(time) => Some(time),
        }
    }
}

/// When the access token expires. `expires_in` goes before `expires_at`, because it needs no agreement about clocks.
pub(super) fn access_token_expiry(
    provider: &Provider,
    fields: &Fields,
) -> Result<Expiry, ResponseError> {
    let format = provider.expires_format;
    let said = if let Some(value) = fields.find(ResponseField::ExpiresIn) {
        read(value, format).ok_or(ResponseError::Invalid("expires_in"))?
    } else if let Some(value) = fields.find(ResponseField::ExpiresAt) {
        let parsed = if is_absolute(format) {
            read(value, format)
        } else {
            read_absolute(value)
        };
        parsed.ok_or(ResponseError::Invalid("expires_at"))?
    } else {
        return Ok(default_expiry(provider));
    };
    match said {
        Expiry::In(0) | Expiry::At(0) if provider.zero_expires_means_never => Ok(Expiry::Never),
        Expiry::At(0) => Err(ResponseError::Invalid("expires_at")),
        said => Ok(said),
    }
}

/// What holds for an access token whose expiry is not said.
pub(super) fn default_expiry(provider: &Provider) -> Expiry {
    provider
        .default_expires_in
        .map_or(Expiry::Unknown, Expiry::In)
}

/// When the refresh token expires, if the answer says so. 0 means never: nobody issues a dead refresh token.
pub(super) fn refresh_token_expiry(fields: &Fields) -> Result<Expiry, ResponseError> {
    let said = if let Some(value) = fields.find(ResponseField::RefreshTokenExpiresIn) {
        read(value, ExpiresFormat::Seconds)
            .ok_or(ResponseError::Invalid("refresh_token_expires_in"))?
    } else if let Some(value) = fields.find(ResponseField::RefreshTokenExpiresAt) {
        read_absolute(value).ok_or(ResponseError::Invalid("refresh_token_expires_at"))?
    } else {
        return Ok(Expiry::Unknown);
    };
    Ok(if matches!(said, Expiry::In(0) | Expiry::At(0)) {
        Expiry::Never
    } else {
        said
    })
}

fn is_absolute(format: ExpiresFormat) -> bool {
    matches!(
        format,
        ExpiresFormat::Epoch | ExpiresFormat::EpochMilliseconds | ExpiresFormat::Iso8601
    )
}

fn read(value: &Value, format: ExpiresFormat) -> Option<Expiry> {
    match format {
        ExpiresFormat::Seconds => lifetime(number(value)?),
        ExpiresFormat::Minutes => lifetime(number(value)? * 60.0),
        ExpiresFormat::Milliseconds => lifetime(number(value)? / 1000.0),
        ExpiresFormat::Duration => lifetime(duration_seconds(value.as_str()?)?),
        ExpiresFormat::Epoch => epoch(number(value)?),
        ExpiresFormat::EpochMilliseconds => epoch(number(value)? / 1000.0),
        ExpiresFormat::Iso8601 => iso8601(value.as_str()?),
    }
}

/// A point in time whose notation the row does not name.
fn read_absolute(value: &Value) -> Option<Expiry> {
    match number(value) {
        Some(number) if number >= EPOCH_MILLISECONDS_FROM => epoch(number / 1000.0),
        Some(number) => epoch(number),
        None => iso8601(value.as_str()?),
    }
}

/// A JSON number, or a text that holds one.
fn number(value: &Value) -> Option<f64> {
    debug_assert!(
        is_said(value),
        "null and empty texts are filtered where fields are found"
    );
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn lifetime(seconds: f64) -> Option<Expiry> {
    (0.0..=MAX_LIFETIME_SECONDS)
        .contains(&seconds)
        .then_some(Expiry::In(seconds as i64))
}

fn epoch(seconds: f64) -> Option<Expiry> {
    (0.0..=MAX_EPOCH_SECONDS)
        .contains(&seconds)
        .then_some(Expiry::At((seconds * MICROS) as i64))
}

/// "D:HH:MM"
fn duration_seconds(text: &str) -> Option<f64> {
    let mut parts = text.split(':').map(|part| part.parse::<u32>().ok());
    let (days, hours, minutes) = (parts.next()??, parts.next()??, parts.next()??);
    let fits = parts.next().is_none() && hours < 24 && minutes < 60;
    fits.then(|| f64::from(days) * 86_400.0 + f64::from(hours * 3600 + minutes * 60))
}

/// With an offset, or in UTC where none is written.
fn iso8601(text: &str) -> Option<Expiry> {
    let text = text.trim();
    let time = match text.parse::<Timestamp>() {
        Ok(time) => time.as_microsecond(),
        Err(_) => utc(text)?,
    };
    (time >= 0).then_some(Expiry::At(time))
}

/// Counted from 1970 by hand: the end of the year 9999, which some providers use for "never", is no `Timestamp`.
fn utc(text: &str) -> Option<i64> {
    let time: DateTime = text.trim_end_matches(['Z', 'z']).parse().ok()?;
    let since_1970 = time.duration_since(DateTime::constant(1970, 1, 1, 0, 0, 0, 0));
    i64::try_from(since_1970.as_micros()).ok()
}
