//! Answers of token endpoints, case by case: `vectors/answers.json` holds a provider row and an answer beside what has
//! to be read from it.

use serde_json::{Map, Value, json};
use token_vault_core::oauth::{
    Answer, Expiry, Failure, MAX_TOKEN, Provider, ResponseError, TokenResponse,
    parse_token_response, read_answer, wipe_json,
};
use token_vault_core::refresh::classify;

#[test]
fn every_shape_of_answer() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("vectors/answers.json")).unwrap();
    assert!(cases.len() >= 60);
    for case in cases {
        let name = case["name"].as_str().unwrap();
        let provider = provider(case["provider"].clone());
        let status = case["status"]
            .as_u64()
            .map_or(200, |status| u16::try_from(status).unwrap());
        match read_answer(
            &provider,
            status,
            case["content_type"].as_str(),
            &body(&case),
        ) {
            Answer::Success(response) => {
                assert_eq!(shown(&response), expected_success(&case), "{name}")
            }
            Answer::Extended(expiry) => {
                assert_eq!(json!(format!("{expiry:?}")), case["extended"], "{name}")
            }
            Answer::Failure(failure) => {
                assert_eq!(failure, expected_failure(&case, status), "{name}");
                assert_eq!(
                    json!(format!("{:?}", classify(&provider, &failure))),
                    case["verdict"],
                    "{name}"
                );
            }
            Answer::Unreadable(unreadable) => {
                assert_eq!(
                    json!(format!("{:?}", unreadable.reason)),
                    case["unreadable"],
                    "{name}"
                );
                assert_eq!(
                    json!(unreadable.resembles_tokens),
                    *case.get("resembles_tokens").unwrap_or(&json!(false)),
                    "{name}"
                );
                assert_eq!(
                    json!(unreadable.may_hold_tokens()),
                    case["may_hold_tokens"],
                    "{name}"
                );
            }
        }
    }
}

#[test]
fn descriptions_are_not_kept() {
    let body = br#"{"error":"invalid_grant rt-secret","error_description":"rt-secret","error_uri":"rt-secret"}"#;
    let answer = read_answer(&provider(Value::Null), 400, None, body);
    assert!(matches!(answer, Answer::Failure(_)));
    assert!(!format!("{answer:?}").contains("rt-secret"));
}

#[test]
fn tokens_are_not_shown() {
    let body =
        br#"{"access_token":"at-secret","refresh_token":"rt-secret","id_token":"id-secret"}"#;
    let answer = read_answer(&provider(Value::Null), 200, None, body);
    assert!(matches!(answer, Answer::Success(_)));
    assert!(!format!("{answer:?}").contains("-secret"));
}

#[test]
fn what_an_application_stores_is_read_strictly() {
    let invalid = [
        json!(-1),
        json!("-5"),
        json!(3_162_240_001_i64),
        json!(1e300),
        json!("NaN"),
        json!("inf"),
        json!("soon"),
        json!(true),
        json!([3600]),
        json!({}),
        json!("1:00:00"),
    ];
    for value in invalid {
        let error = parse_token_response(
            &provider(Value::Null),
            &json!({"access_token": "at", "expires_in": value}),
        );
        assert_eq!(
            error.unwrap_err(),
            ResponseError::Invalid("expires_in"),
            "{value}"
        );
    }
    let absolute = [
        json!(-1),
        json!(0),
        json!("yesterday"),
        json!("1969-12-31T00:00:00Z"),
        json!(1e300),
        json!(true),
    ];
    for value in absolute {
        let error = parse_token_response(
            &provider(Value::Null),
            &json!({"access_token": "at", "expires_at": value}),
        );
        assert_eq!(
            error.unwrap_err(),
            ResponseError::Invalid("expires_at"),
            "{value}"
        );
    }
    for value in [
        "1:2",
        "1:24:00",
        "1:00:60",
        "1:00:00:00",
        "a:00:00",
        "-1:00:00",
        "",
    ] {
        let provider =
            provider(json!({"expires_format": "duration", "zero_expires_means_never": true}));
        let read = parse_token_response(
            &provider,
            &json!({"access_token": "at", "expires_in": value}),
        );
        assert_eq!(read.is_ok(), value.is_empty(), "{value}");
    }
    let error = parse_token_response(&provider(Value::Null), &json!({"token": "at"})).unwrap_err();
    assert_eq!(error.to_string(), "token response has no access_token");
}

#[test]
fn tokens_have_a_limit() {
    for (length, fits) in [(MAX_TOKEN, true), (MAX_TOKEN + 1, false)] {
        let read = parse_token_response(
            &provider(Value::Null),
            &json!({"access_token": "a".repeat(length)}),
        );
        assert_eq!(read.is_ok(), fits, "{length}");
    }
}

#[test]
fn an_answer_can_be_wiped_after_reading() {
    let mut answer = json!({"access_token": "at"});
    let response = parse_token_response(&provider(Value::Null), &answer).unwrap();
    wipe_json(&mut answer);
    assert_eq!(response.access_token.expose(), "at");
    assert!(answer.is_null());
}

#[test]
fn expiries_become_points_in_time() {
    let issued_at = 1_000_000;
    assert_eq!(Expiry::In(5).expires_at(issued_at), Some(6_000_000));
    assert_eq!(Expiry::In(i64::MAX).expires_at(issued_at), Some(i64::MAX));
    assert_eq!(Expiry::At(7).expires_at(issued_at), Some(7));
    assert_eq!(
        [Expiry::Never, Expiry::Unknown].map(|expiry| expiry.expires_at(issued_at)),
        [None, None]
    );
}

fn provider(row: Value) -> Provider {
    let mut row = row.as_object().cloned().unwrap_or_default();
    row.insert("name".to_string(), json!("p"));
    row.insert("token_endpoint".to_string(), json!("https://p.test/token"));
    serde_json::from_value(Value::Object(row)).unwrap()
}

fn body(case: &Value) -> Vec<u8> {
    let repeated = &case["repeat"];
    match (
        case["body_text"].as_str(),
        case["body_hex"].as_str(),
        repeated["times"].as_u64(),
    ) {
        (Some(text), ..) => text.into(),
        (_, Some(digits), _) => hex::decode(digits).unwrap(),
        (.., Some(times)) => repeated["text"]
            .as_str()
            .unwrap()
            .repeat(times.try_into().unwrap())
            .into(),
        _ => case["body"].to_string().into(),
    }
}

fn expected_success(case: &Value) -> Value {
    let mut expected = json!({
        "access_token": null, "refresh_token": null, "id_token": null, "token_type": null, "scope": null,
        "expiry": null, "refresh_token_expiry": "Unknown", "extra": {}, "ignored": [],
    });
    let said = case["success"].as_object().cloned().unwrap_or_default();
    expected.as_object_mut().unwrap().extend(said);
    expected
}

fn shown(response: &TokenResponse) -> Value {
    json!({
        "access_token": response.access_token.expose(),
        "refresh_token": response.refresh_token.as_ref().map(|token| token.expose()),
        "id_token": response.id_token.as_ref().map(|token| token.expose()),
        "token_type": response.token_type,
        "scope": response.scope,
        "expiry": format!("{:?}", response.expiry),
        "refresh_token_expiry": format!("{:?}", response.refresh_token_expiry),
        "extra": Map::clone(&response.extra),
        "ignored": response.ignored_fields,
    })
}

fn expected_failure(case: &Value, status: u16) -> Failure {
    let expected = &case["failure"];
    let sub_codes = expected["sub_codes"].as_array().into_iter().flatten();
    Failure {
        status,
        error: expected["error"].as_str().map(str::to_string),
        sub_codes: sub_codes
            .map(|key| key.as_str().unwrap().to_string())
            .collect(),
        readable: expected["readable"].as_bool().unwrap_or(true),
    }
}
