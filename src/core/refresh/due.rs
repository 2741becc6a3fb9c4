//! When a token is refreshed: well before it expires, but not so early that the provider refuses; and before its
//! refresh token dies of disuse.

use crate::oauth::{Provider, RefreshCredential};

const MICROS: i64 = 1_000_000;
/// Smallest time before expiry that leaves room for failures and clock differences.
const LEEWAY: i64 = 300 * MICROS;
/// The window is a fifth of the lifetime …
const LIFETIME_SHARE: i64 = 5;
/// … never more than half of it, so that a short-lived token is not refreshed all the time …
const MAX_LIFETIME_SHARE: i64 = 2;
/// … and a tenth of the window is spread out by chance, so that tokens issued together do not come back together.
const JITTER_SHARE: i64 = 10;

/// The times of a token, in microseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// When it was issued.
    pub issued_at: i64,
    /// When its access token expires; `None` where it does not, or does not say.
    pub expires_at: Option<i64>,
    /// When its refresh token dies if it is not used; `None` where that is not known.
    pub refresh_token_expires_at: Option<i64>,
}

/// When a token is due, and why.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Due {
    /// Its access token is about to expire.
    pub refresh_after: Option<i64>,
    /// Its refresh token is about to die of disuse.
    pub keep_alive_at: Option<i64>,
}

impl Due {
    /// The earlier of both.
    pub fn at(self) -> Option<i64> {
        match (self.refresh_after, self.keep_alive_at) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        }
    }
}

/// When a token is due for a refresh; never, where there is nothing to refresh it with.
///
/// The window before expiry is the larger of 300 s and 20 % of the lifetime, at most 50 % of the lifetime, at most the
/// provider's `max_refresh_window_seconds`. The refresh falls, by `random`, into the first tenth of that window.
///
/// * `has_credential` — whether there is something to refresh with: a refresh token, say.
pub fn due(provider: &Provider, times: Times, has_credential: bool, random: u64) -> Due {
    if !has_credential || provider.refresh_credential == RefreshCredential::None {
        return Due::default();
    }
    let limit = provider
        .max_refresh_window_seconds
        .map_or(i64::MAX, |seconds| seconds.max(0).saturating_mul(MICROS));
    Due {
        refresh_after: times
            .expires_at
            .map(|expires_at| before(times.issued_at, expires_at, limit, random)),
        keep_alive_at: times
            .refresh_token_expires_at
            .filter(|_| provider.refresh_credential == RefreshCredential::RefreshToken)
            .map(|expires_at| keep_alive_at(times.issued_at, expires_at, random)),
    }
}

/// When a refresh token that was used at `used_at` is used again lest it die at `expires_at`.
pub fn keep_alive_at(used_at: i64, expires_at: i64, random: u64) -> i64 {
    before(used_at, expires_at, i64::MAX, random)
}

fn before(issued_at: i64, expires_at: i64, limit: i64, random: u64) -> i64 {
    let lifetime = expires_at.saturating_sub(issued_at).max(0);
    let window = LEEWAY
        .max(lifetime / LIFETIME_SHARE)
        .min(lifetime / MAX_LIFETIME_SHARE)
        .min(limit);
    let jitter = random % (window / JITTER_SHARE + 1).unsigned_abs();
    expires_at - window + i64::try_from(jitter).expect("less than a window")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    const ISSUED: i64 = 1_700_000_000 * MICROS;

    fn provider(changes: Value) -> Provider {
        let mut row = json!({"name": "p", "token_endpoint": "https://p.test/token"});
        row.as_object_mut()
            .unwrap()
            .extend(changes.as_object().cloned().unwrap_or_default());
        serde_json::from_value(row).unwrap()
    }

    /// Seconds between the refresh and the expiry of a token with this lifetime.
    fn window(provider: &Provider, lifetime: i64, random: u64) -> i64 {
        let expiry = ISSUED + lifetime * MICROS;
        (expiry - refresh_at(provider, ISSUED, Some(expiry), true, random).unwrap()) / MICROS
    }

    fn refresh_at(
        provider: &Provider,
        issued_at: i64,
        expires_at: Option<i64>,
        has_credential: bool,
        random: u64,
    ) -> Option<i64> {
        let times = Times {
            issued_at,
            expires_at,
            refresh_token_expires_at: None,
        };
        let due = due(provider, times, has_credential, random);
        assert_eq!(due.at(), due.refresh_after);
        due.at()
    }

    #[test]
    fn the_window_follows_the_lifetime() {
        let plain = provider(Value::Null);
        for (lifetime, expected) in [
            (10, 5),
            (300, 150),
            (600, 300),
            (1500, 300),
            (3600, 720),
            (86_400, 17_280),
        ] {
            assert_eq!(window(&plain, lifetime, 0), expected, "{lifetime}");
        }
    }

    #[test]
    fn a_provider_may_want_a_smaller_window() {
        let late = provider(json!({"max_refresh_window_seconds": 30}));
        assert_eq!(window(&late, 600, 0), 30);
        assert_eq!(window(&late, 40, 0), 20, "half of the lifetime is less");
        assert_eq!(
            window(&provider(json!({"max_refresh_window_seconds": -5})), 600, 0),
            0
        );
    }

    #[test]
    fn what_cannot_be_refreshed_is_never_due() {
        let expiry = Some(ISSUED + MICROS);
        assert_eq!(
            refresh_at(&provider(Value::Null), ISSUED, None, true, 0),
            None
        );
        assert_eq!(
            refresh_at(&provider(Value::Null), ISSUED, expiry, false, 0),
            None
        );
        assert_eq!(
            refresh_at(
                &provider(json!({"refresh_credential": "none"})),
                ISSUED,
                expiry,
                true,
                0
            ),
            None
        );
    }

    #[test]
    fn an_expired_token_is_due_at_its_expiry() {
        assert_eq!(
            refresh_at(&provider(Value::Null), ISSUED, Some(ISSUED - 5), true, 7),
            Some(ISSUED - 5)
        );
    }

    #[test]
    fn tokens_issued_together_come_back_spread_out() {
        let plain = provider(Value::Null);
        let due: std::collections::BTreeSet<_> = (0..72)
            .map(|step| window(&plain, 3600, step * 1_000_000))
            .collect();
        assert_eq!(due.len(), 72);
        assert_eq!((due.first(), due.last()), (Some(&649), Some(&720)));
    }

    #[test]
    fn d4_a_refresh_token_is_used_before_it_dies_of_disuse() {
        let day = 86_400 * MICROS;
        let mut times = Times {
            issued_at: ISSUED,
            expires_at: None,
            refresh_token_expires_at: Some(ISSUED + 60 * day),
        };
        let plain = provider(Value::Null);
        let never_expiring = due(&plain, times, true, 0);
        assert_eq!(never_expiring.at(), Some(ISSUED + 48 * day));
        assert_eq!(never_expiring.refresh_after, None);
        times.expires_at = Some(ISSUED + day);
        let daily = due(&plain, times, true, 0);
        assert_eq!(daily.at(), daily.refresh_after);
        assert_eq!(due(&plain, times, false, 0), Due::default());
        let self_renewing = provider(json!({"refresh_credential": "access_token"}));
        assert_eq!(due(&self_renewing, times, true, 0).keep_alive_at, None);
    }

    proptest! {
        #[test]
        fn the_refresh_falls_into_the_first_tenth_of_the_window(lifetime in 0..10_000_000i64, random: u64) {
            let plain = provider(Value::Null);
            let (expiry, earliest) = (ISSUED + lifetime * MICROS, window(&plain, lifetime, 0) * MICROS);
            let due = refresh_at(&plain, ISSUED, Some(expiry), true, random).unwrap();
            prop_assert!(due >= ISSUED + lifetime * MICROS / 2);
            prop_assert!(due <= expiry - earliest + earliest / 10 + MICROS);
            prop_assert!(due <= expiry);
        }

        #[test]
        fn no_time_overflows(issued: i64, expiry: i64, random: u64) {
            let due = refresh_at(&provider(Value::Null), issued, Some(expiry), true, random);
            prop_assert!(due.unwrap() <= expiry);
        }
    }
}
