//! When a token is refreshed: well before it expires, but not so early that the provider refuses.

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

/// When a token is due for a refresh; `None` where it never is.
///
/// The window before expiry is the larger of 300 s and 20 % of the lifetime, at most 50 % of the lifetime, at most the
/// provider's `max_refresh_window_seconds`. The refresh falls, by `random`, into the first tenth of that window.
///
/// * `issued_at`, `expiry_at` — microseconds since 1970; `None` for a token that does not expire or does not say.
/// * `has_credential` — whether there is something to refresh with: a refresh token, say.
pub fn refresh_at(
    provider: &Provider,
    issued_at: i64,
    expiry_at: Option<i64>,
    has_credential: bool,
    random: u64,
) -> Option<i64> {
    let expiry_at = expiry_at?;
    if !has_credential || provider.refresh_credential == RefreshCredential::None {
        return None;
    }
    let lifetime = expiry_at.saturating_sub(issued_at).max(0);
    let limit = provider
        .max_refresh_window_seconds
        .map_or(i64::MAX, |seconds| seconds.max(0).saturating_mul(MICROS));
    let window = LEEWAY
        .max(lifetime / LIFETIME_SHARE)
        .min(lifetime / MAX_LIFETIME_SHARE)
        .min(limit);
    let jitter = random % (window / JITTER_SHARE + 1).unsigned_abs();
    Some(expiry_at - window + i64::try_from(jitter).expect("less than a window"))
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
