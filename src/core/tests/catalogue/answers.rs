//! Every row reads the answers of its provider: the first one, those to a refresh, and the errors.

use serde_json::{Value, json};
use token_vault_core::oauth::{Answer, Expiry, TokenResponse, parse_token_response, read_answer};
use token_vault_core::refresh::{Verdict, classify};
use token_vault_oauth_server::dialect::{self, Issued};

use super::{ACCESS_TOKEN, Pair, REFRESH_TOKEN, pairs};

const NOW: u64 = 1_800_000_000;
const LIFETIME: u64 = 3600;
const REFRESH_LIFETIME: u64 = 30 * 86_400;

fn issued() -> Issued {
    Issued {
        access_token: ACCESS_TOKEN.to_owned(),
        refresh_token: Some(REFRESH_TOKEN.to_owned()),
        scope: "read write".to_owned(),
        expires_in: LIFETIME,
        now: NOW,
    }
}

fn body(pair: &Pair, template: &dialect::Answer) -> Value {
    let mut body = template.fill(&issued());
    // What the server issues for a provider without refresh tokens.
    if !template.body.to_string().contains("{refresh_token}") {
        assert!(
            !body.to_string().contains(REFRESH_TOKEN),
            "{}",
            pair.said.name
        );
    }
    body.as_object_mut().expect("an object");
    body
}

fn seconds_from_now(expiry: Expiry) -> Option<u64> {
    let at = expiry.expires_at((NOW * 1_000_000).cast_signed())?;
    Some(u64::try_from(at).unwrap() / 1_000_000 - NOW)
}

fn assert_read(pair: &Pair, template: &dialect::Answer, response: &TokenResponse) {
    let name = &pair.said.name;
    let text = template.body.to_string();
    assert_eq!(response.access_token.expose(), ACCESS_TOKEN, "{name}");
    let refresh_token = response.refresh_token.as_ref().map(|token| token.expose());
    assert_eq!(
        refresh_token,
        text.contains("{refresh_token}").then_some(REFRESH_TOKEN),
        "{name}"
    );
    let default = pair.said.columns["default_expires_in_seconds"].parse().ok();
    let lifetime = if text.contains("{expires_") {
        Some(LIFETIME)
    } else {
        default
    };
    assert_eq!(seconds_from_now(response.expiry), lifetime, "{name}");
    let refresh_lifetime = text
        .contains("{refresh_expires_")
        .then_some(REFRESH_LIFETIME);
    assert_eq!(
        seconds_from_now(response.refresh_token_expiry),
        refresh_lifetime,
        "{name}"
    );
    let separator = match pair.said.columns["scope_separator"].as_str() {
        "comma" => ",",
        _ => " ",
    };
    let scope = match (text.contains("{scope}"), text.contains("{scope:list}")) {
        (true, _) => Some("read write".to_owned()),
        (_, true) => Some(["read", "write"].join(separator)),
        _ => None,
    };
    assert!(
        scope.is_none() || response.scope == scope,
        "{name}: {:?}",
        response.scope
    );
    assert!(response.ignored_fields.is_empty(), "{name}");
    let extra = Value::Object(response.extra.clone()).to_string();
    assert!(
        !extra.contains(ACCESS_TOKEN) && !extra.contains(REFRESH_TOKEN),
        "{name}"
    );
}

#[test]
fn every_row_reads_its_providers_answers() {
    for pair in pairs() {
        let name = &pair.said.name;
        let others = pair.said.other_successes.iter();
        for template in others.chain([&pair.said.dialect.success]) {
            let json = body(&pair, template);
            let first = parse_token_response(&pair.provider, &json)
                .unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_read(&pair, template, &first);
            match read_answer(
                &pair.provider,
                template.status,
                None,
                json.to_string().as_bytes(),
            ) {
                Answer::Success(response) => assert_read(&pair, template, &response),
                other => panic!("{name}: {other:?}"),
            }
        }
    }
}

#[test]
fn form_encoded_answers_are_read_by_every_row_with_flat_ones() {
    let body = b"access_token=at&refresh_token=rt&expires_in=3600&scope=a+b&token_type=bearer";
    for pair in pairs()
        .iter()
        .filter(|pair| pair.said.columns["access_token_path"].is_empty())
    {
        let media_type = Some("application/x-www-form-urlencoded");
        let read = read_answer(&pair.provider, 200, media_type, body);
        assert!(
            matches!(read, Answer::Success(_)),
            "{}: {read:?}",
            pair.said.name
        );
    }
}

#[test]
fn errors_mean_what_the_provider_means() {
    let mut in_200 = 0;
    for pair in pairs() {
        let judge = |status: u16, body: &Value| match read_answer(
            &pair.provider,
            status,
            None,
            body.to_string().as_bytes(),
        ) {
            Answer::Failure(failure) => classify(&pair.provider, &failure),
            other => panic!("{}: {body}: {other:?}", pair.said.name),
        };
        let dialect = &pair.said.dialect;
        let refused = [
            (&dialect.grant_refused, Verdict::GrantDead),
            (&dialect.client_refused, Verdict::ClientBroken),
        ];
        // Nothing is ever sent for tokens that can't be refreshed.
        for (answer, verdict) in refused.into_iter().filter(|_| pair.said.refreshable) {
            assert_eq!(
                judge(answer.status, &answer.body),
                verdict,
                "{}",
                pair.said.name
            );
            in_200 += usize::from(answer.status == 200);
        }
        for error in &pair.said.errors {
            let verdict: Verdict = serde_json::from_value(json!(error.verdict)).unwrap();
            assert_eq!(
                judge(error.status, &error.body),
                verdict,
                "{}: {}",
                pair.said.name,
                error.body
            );
            in_200 += usize::from(error.status == 200);
        }
        // Whatever the dialect, a server in trouble condemns nobody.
        assert_eq!(
            judge(503, &json!({"message": "later"})),
            Verdict::Transient,
            "{}",
            pair.said.name
        );
    }
    assert!(in_200 >= 20, "{in_200}");
}

/// The CSV says of which providers errors come with status 200.
#[test]
fn every_error_in_200_has_a_sample() {
    for pair in pairs() {
        if pair.said.columns["error_in_200"].is_empty() {
            continue;
        }
        let dialect = &pair.said.dialect;
        let errors = pair.said.errors.iter().map(|error| error.status);
        let mut statuses = errors.chain([dialect.grant_refused.status]);
        assert!(statuses.any(|status| status == 200), "{}", pair.said.name);
    }
}

#[test]
fn a_success_with_an_error_code_of_zero_is_a_success() {
    for (name, body) in [
        (
            "wechat",
            json!({"errcode": 0, "access_token": "at", "expires_in": 7200}),
        ),
        (
            "withings",
            json!({"status": 0, "error": "", "body": {"access_token": "at"}}),
        ),
        (
            "slack",
            json!({"ok": true, "error": null, "access_token": "at"}),
        ),
        (
            "tiktok_ads",
            json!({"code": 0, "message": "OK", "data": {"access_token": "at"}}),
        ),
    ] {
        let pairs = pairs();
        let pair = pairs.iter().find(|pair| pair.said.name == name).unwrap();
        let read = read_answer(&pair.provider, 200, None, body.to_string().as_bytes());
        assert!(matches!(read, Answer::Success(_)), "{name}: {read:?}");
    }
}
