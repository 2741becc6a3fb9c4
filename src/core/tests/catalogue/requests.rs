//! The refresh request of every row is exactly in its provider's dialect.

use std::collections::BTreeSet;

use serde_json::Value;
use token_vault_core::oauth::{Method, Misconfigured, TokenRequest};
use token_vault_oauth_server::dialect::{Credential, RefreshRequest, Refusal};

use super::{ACCESS_TOKEN, CLIENT_ID, CLIENT_SECRET, Pair, REFRESH_TOKEN, build, pairs};

/// The request with the catalogue's samples, which only an administrator may choose where a host depends on them.
fn request(pair: &Pair, client_secret: Option<&str>) -> Result<TokenRequest, Misconfigured> {
    let metadata = Value::Object(pair.said.metadata.clone());
    build(&pair.provider, &metadata, &Value::Null, client_secret)
}

/// What the strict counterpart makes of it.
fn check(pair: &Pair, request: &TokenRequest) -> Result<Credential, Refusal> {
    let url = request.url.expose();
    let rest = url.strip_prefix("https://").expect("https");
    let (path, query) = match rest[rest.find('/').expect("a path")..].split_once('?') {
        None => (&rest[rest.find('/').unwrap()..], None),
        Some((path, query)) => (path, Some(query)),
    };
    let headers = request.headers.iter();
    let headers = headers.map(|(name, value)| (name.as_str(), value.expose()));
    pair.said.dialect.check(
        &RefreshRequest {
            method: match request.method {
                Method::Get => "GET",
                Method::Post => "POST",
            },
            path,
            query,
            headers: headers.collect(),
            body: request.body.expose(),
        },
        CLIENT_ID,
        &[CLIENT_SECRET.to_owned()],
    )
}

#[test]
fn every_row_makes_the_request_that_its_provider_wants() {
    let mut refreshable = 0;
    for pair in pairs() {
        let name = &pair.said.name;
        let built = request(&pair, Some(CLIENT_SECRET));
        if !pair.said.refreshable {
            assert_eq!(built.unwrap_err(), Misconfigured::NotRefreshable, "{name}");
            continue;
        }
        let built = built.unwrap_or_else(|problem| panic!("{name}: {problem}"));
        let url = built.url.expose();
        let (expected, _) = pair
            .said
            .refresh_url
            .split_once('?')
            .unwrap_or((&pair.said.refresh_url, ""));
        assert_eq!(url.split('?').next(), Some(expected), "{name}");
        let credential =
            check(&pair, &built).unwrap_or_else(|refusal| panic!("{name}: {refusal:?}"));
        let of_the_user = match pair.said.columns["grant_types"].as_str() {
            "client_credentials" => Credential::Client,
            "authorization_code" => Credential::AccessToken(ACCESS_TOKEN.to_owned()),
            _ => Credential::RefreshToken(REFRESH_TOKEN.to_owned()),
        };
        // OAuth Apps have no refresh token, user tokens of GitHub Apps have; one row serves both.
        if pair.said.dialect.parameters.contains_key("refresh_token") {
            assert_eq!(
                credential,
                Credential::RefreshToken(REFRESH_TOKEN.to_owned()),
                "{name}"
            );
        } else {
            assert_eq!(credential, of_the_user, "{name}");
        }
        refreshable += 1;
    }
    assert!(refreshable >= 130, "{refreshable}");
}

/// The checker that the other test trusts does see what is wrong.
#[test]
fn a_request_in_another_dialect_is_refused() {
    let pairs = pairs();
    let of = |name: &str| {
        pairs
            .iter()
            .find(|pair| pair.said.name == name)
            .expect("a name of the catalogue")
    };
    let refused = |reason: &str| Err(Refusal::NotInDialect(reason.to_owned()));
    let to_another = |name: &str, to: &str| {
        let built = request(of(name), Some(CLIENT_SECRET)).expect("a request");
        check(of(to), &built)
    };
    assert_eq!(to_another("google", "figma"), refused("POST /token"));
    assert_eq!(
        to_another("spotify", "instagram"),
        refused("POST /api/token")
    );

    let built = request(of("google"), Some(CLIENT_SECRET)).expect("a request");
    let dialect = of("google").said.dialect.clone();
    let secrets = [CLIENT_SECRET.to_owned()];
    let sent = |query, headers| RefreshRequest {
        method: "POST",
        path: "/token",
        query,
        headers,
        body: built.body.expose(),
    };
    let form = ("content-type", "application/x-www-form-urlencoded");
    let right = sent(None, vec![form]);
    let wrong_client = Err(Refusal::WrongClient);
    assert!(dialect.check(&right, CLIENT_ID, &secrets).is_ok());
    assert_eq!(dialect.check(&right, "other", &secrets), wrong_client);
    assert_eq!(dialect.check(&right, CLIENT_ID, &[]), wrong_client);
    assert_eq!(
        dialect.check(
            &sent(Some("request=token"), vec![form]),
            CLIENT_ID,
            &secrets
        ),
        refused("request does not belong into the query")
    );
    assert_eq!(
        dialect.check(
            &sent(None, vec![form, ("Authorization", "Basic eDp5")]),
            CLIENT_ID,
            &secrets
        ),
        refused("Authorization is not wanted")
    );
    assert_eq!(
        dialect.check(
            &sent(None, vec![("content-type", "application/json")]),
            CLIENT_ID,
            &secrets
        ),
        refused("a body of type Some(\"application/json\")")
    );
    let mut more = dialect.clone();
    more.parameters
        .insert("action".to_owned(), "requesttoken".into());
    assert_eq!(
        more.check(&right, CLIENT_ID, &secrets),
        refused("action is missing in the body")
    );
    let mut less = dialect;
    less.parameters.remove("grant_type");
    assert_eq!(
        less.check(&right, CLIENT_ID, &secrets),
        refused("grant_type does not belong into the body")
    );
}

/// Providers whose notes say that clients without a secret name themselves in the body.
#[test]
fn public_clients_name_themselves_in_the_body() {
    let mut count = 0;
    for pair in pairs().iter().filter(|pair| pair.provider.public_clients) {
        let built =
            request(pair, None).unwrap_or_else(|problem| panic!("{}: {problem}", pair.said.name));
        assert!(
            built
                .headers
                .iter()
                .all(|(name, _)| name != "Authorization"),
            "{}",
            pair.said.name
        );
        let body = String::from_utf8(built.body.expose().to_vec()).unwrap();
        assert!(
            body.contains("client_id") && !body.contains("client_secret"),
            "{body}"
        );
        count += 1;
    }
    let says = |pair: &&Pair| {
        let notes = &pair.said.columns["notes"];
        [
            "ublic clients",
            "PKCE apps",
            "without a secret send",
            "PKCE flow",
        ]
        .iter()
        .any(|said| notes.contains(said))
    };
    for pair in pairs().iter().filter(says) {
        assert!(pair.provider.public_clients, "{}", pair.said.name);
    }
    assert!(count >= 6, "{count}");
}

#[test]
fn placeholders_are_all_named_and_all_used() {
    const STANDARD: [&str; 5] = [
        "client_id",
        "client_secret",
        "refresh_token",
        "access_token",
        "scope",
    ];
    for pair in pairs() {
        let mut row = pair.row.clone();
        let names = |value: Option<Value>| -> BTreeSet<String> {
            let names = value
                .unwrap_or_default()
                .as_array()
                .cloned()
                .unwrap_or_default();
            names
                .iter()
                .filter_map(|name| name.as_str().map(str::to_owned))
                .collect()
        };
        let named = names(row.remove("placeholders"));
        row.remove("notes");
        let text = Value::Object(row).to_string();
        let word = |inside: &str| {
            inside
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
                && !inside.is_empty()
        };
        let used: BTreeSet<String> = text
            .split('{')
            .filter_map(|part| {
                part.split_once('}')
                    .map(|(inside, _)| inside.trim_end_matches('?'))
            })
            .filter(|inside| word(inside) && !STANDARD.contains(inside))
            .map(str::to_owned)
            .collect();
        assert_eq!(named, used, "{}", pair.said.name);
        let csv = pair.said.columns["placeholders"]
            .split_whitespace()
            .map(str::to_owned);
        assert!(named.is_superset(&csv.collect()), "{}", pair.said.name);
    }
}
