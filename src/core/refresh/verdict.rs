//! What a failure means: try again, give up this token, wait for the client, or wait for a person.

use crate::oauth::{Failure, Provider};
use serde::Deserialize;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// What a failed refresh means for the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Try again later; says nothing about token or client.
    Transient,
    /// The user has to authorize again; never try this token again.
    GrantDead,
    /// The client's credentials are wrong: all its tokens wait, none is condemned.
    ClientBroken,
    /// Something else an administrator has to mend; the token is not condemned.
    Misconfigured,
}

/// Judges a failure: the provider's own dialect first, then RFC 6749 §5.2, then the HTTP status.
///
/// 429 is always [`Verdict::Transient`], and so is 5xx unless the provider's row names the code: a server in trouble
/// is no judge of a grant.
pub fn classify(provider: &Provider, failure: &Failure) -> Verdict {
    if failure.status == 429 {
        return Verdict::Transient;
    }
    if let Some(verdict) = failure
        .sub_codes
        .iter()
        .find_map(|key| provider.error_verdicts.get(key))
    {
        return *verdict;
    }
    if failure.status >= 500 {
        return Verdict::Transient;
    }
    failure
        .error
        .as_deref()
        .and_then(standard)
        .unwrap_or_else(|| by_status(failure))
}

/// RFC 6749 §5.2, RFC 8707 §2, RFC 9449 §5 and §8, OpenID Connect Core §3.1.2.6.
fn standard(error: &str) -> Option<Verdict> {
    Some(match error {
        "invalid_grant" | "interaction_required" | "login_required" | "consent_required" => {
            Verdict::GrantDead
        }
        "invalid_client" | "unauthorized_client" => Verdict::ClientBroken,
        "invalid_request"
        | "unsupported_grant_type"
        | "invalid_scope"
        | "invalid_target"
        | "invalid_dpop_proof"
        | "use_dpop_nonce" => Verdict::Misconfigured,
        "server_error" | "temporarily_unavailable" | "slow_down" => Verdict::Transient,
        _ => return None,
    })
}

/// A refusal without a code that anybody knows. A body that is neither JSON nor a form is not the token endpoint's own
/// word (a gateway's page, a firewall's), except where the endpoint has moved for good. A readable refusal is: repeating
/// it helps nobody, and condemning the token could be wrong, so a person has to look.
fn by_status(failure: &Failure) -> Verdict {
    match failure.status {
        301 | 308 => Verdict::Misconfigured,
        300..400 | 408 | 409 | 423 | 425 => Verdict::Transient,
        _ if !failure.readable => Verdict::Transient,
        _ => Verdict::Misconfigured,
    }
}

/// The keys of a provider's verdicts that an answer contains, the longest first: those that equal one of its codes, and
/// those that stand in a code or description as whole words. A key of digits only has to equal a code, because any
/// description may hold the same number.
pub(crate) fn matching_keys(
    verdicts: &BTreeMap<String, Verdict>,
    codes: &[String],
    descriptions: &[String],
) -> Vec<String> {
    let is_number = |key: &str| key.bytes().all(|byte| byte.is_ascii_digit());
    let matches = |key: &str| match is_number(key) {
        true => codes.iter().any(|code| code == key),
        false => codes
            .iter()
            .chain(descriptions)
            .any(|text| contains_words(text, key)),
    };
    let mut keys: Vec<_> = verdicts
        .keys()
        .filter(|key| matches(key))
        .cloned()
        .collect();
    keys.sort_by_key(|key| Reverse(key.len()));
    keys
}

fn contains_words(text: &str, words: &str) -> bool {
    let is_word = |letter: Option<char>| {
        letter.is_some_and(|letter| letter.is_alphanumeric() || letter == '_')
    };
    text.match_indices(words).any(|(at, _)| {
        let (before, after) = (&text[..at], &text[at + words.len()..]);
        !is_word(before.chars().next_back()) && !is_word(after.chars().next())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn verdict(status: u16, error: Option<&str>) -> Verdict {
        let row = json!({"name": "p", "token_endpoint": "https://p.test/token"});
        let failure = Failure {
            status,
            error: error.map(str::to_string),
            sub_codes: Vec::new(),
            readable: true,
        };
        classify(&serde_json::from_value(row).unwrap(), &failure)
    }

    #[test]
    fn standard_codes_have_standard_meanings() {
        use Verdict::{ClientBroken, GrantDead, Misconfigured, Transient};
        let cases = [
            ("invalid_grant", GrantDead),
            ("interaction_required", GrantDead),
            ("login_required", GrantDead),
            ("consent_required", GrantDead),
            ("invalid_client", ClientBroken),
            ("unauthorized_client", ClientBroken),
            ("invalid_request", Misconfigured),
            ("unsupported_grant_type", Misconfigured),
            ("invalid_scope", Misconfigured),
            ("invalid_target", Misconfigured),
            ("invalid_dpop_proof", Misconfigured),
            ("use_dpop_nonce", Misconfigured),
            ("server_error", Transient),
            ("temporarily_unavailable", Transient),
            ("slow_down", Transient),
            ("INVALID_GRANT", Misconfigured),
        ];
        for (error, expected) in cases {
            for status in [200, 400, 401, 403] {
                assert_eq!(verdict(status, Some(error)), expected, "{status} {error}");
            }
            for status in [429, 500, 502, 503, 504, 599] {
                assert_eq!(
                    verdict(status, Some(error)),
                    Verdict::Transient,
                    "{status} {error}"
                );
            }
        }
    }

    #[test]
    fn a_readable_refusal_without_a_code_goes_by_its_status() {
        for status in [300, 302, 303, 307, 408, 409, 423, 425, 429, 500, 503] {
            assert_eq!(verdict(status, None), Verdict::Transient, "{status}");
        }
        for status in [200, 301, 308, 400, 401, 403, 404, 405, 410, 422] {
            assert_eq!(verdict(status, None), Verdict::Misconfigured, "{status}");
        }
    }

    #[test]
    fn keys_match_codes_and_whole_words() {
        let keys = ["401", "AADSTS50", "bad token", "x", "", "token"];
        let verdicts = keys.map(|key| (key.to_string(), Verdict::GrantDead)).into();
        let matching = |code: &str, description: &str| {
            matching_keys(&verdicts, &[code.to_string()], &[description.to_string()])
        };
        assert_eq!(matching("401", ""), ["401"]);
        assert_eq!(matching("4011", "status 401"), [""; 0]);
        assert_eq!(
            matching("e", "AADSTS50: a bad token"),
            ["bad token", "AADSTS50", "token"]
        );
        assert_eq!(
            matching("AADSTS500", "a_bad token_ tokens xx ütoken"),
            [""; 0]
        );
        assert_eq!(matching("über/x", "bad  token."), ["token", "x"]);
    }
}
