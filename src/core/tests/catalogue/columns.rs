//! The columns that are the same kind of fact for every provider are those of the CSV, and its prose about lifetimes
//! has become numbers.

use serde_json::{Value, json};

use super::{Pair, pairs};

const DAY: i64 = 86_400;

/// Rows that serve more than the CSV's line of the same name; what they have instead is said in quirks.json.
const WIDER: [&str; 3] = ["github", "github_app", "github_enterprise"];

#[test]
fn plain_columns_are_those_of_the_csv() {
    for pair in pairs() {
        let name = &pair.said.name;
        let csv = |column: &str| pair.said.columns[column].as_str();
        let row = |column: &str| pair.row.get(column).cloned().unwrap_or_default();
        let text = |column: &str| match csv(column) {
            "" => Value::Null,
            text => json!(text),
        };
        let endpoints = pair
            .said
            .columns
            .keys()
            .map(String::as_str)
            .filter(|column| column.ends_with("_endpoint"));
        let others = [
            "display_name",
            "issuer",
            "token_endpoint_auth_method",
            "token_request_format",
        ];
        for column in endpoints.chain(others) {
            assert_eq!(row(column), text(column), "{name}: {column}");
        }
        let separator = match csv("scope_separator") {
            "space" => " ",
            "comma" => ",",
            "plus" => "+",
            other => panic!("{name}: {other}"),
        };
        assert_eq!(row("scope_separator"), separator, "{name}");
        let default = csv("default_expires_in_seconds").parse::<i64>();
        assert_eq!(row("default_expires_in"), json!(default.ok()), "{name}");
        assert!(row("notes").is_string(), "{name}: notes");
        if WIDER.contains(&name.as_str()) {
            continue;
        }
        assert_eq!(row("pkce"), text("pkce"), "{name}");
        assert_eq!(
            row("rotates_refresh_token"),
            text("rotates_refresh_token"),
            "{name}"
        );
        let grant_types: Vec<_> = csv("grant_types").split(' ').collect();
        assert_eq!(row("grant_types"), json!(grant_types), "{name}");
    }
}

#[test]
fn parameters_of_the_first_requests_are_those_of_the_csv() {
    for pair in pairs() {
        for (column, said) in [
            ("authorization_parameters", "extra_authorize_params"),
            ("token_parameters", "extra_token_params"),
        ] {
            let parameters = pair.row.get(column).and_then(Value::as_object);
            let pairs = pair.said.columns[said]
                .split('&')
                .filter_map(|pair| pair.split_once('='));
            for (name, value) in pairs {
                let found = parameters.and_then(|parameters| parameters.get(name));
                assert_eq!(found, Some(&json!(value)), "{}: {name}", pair.said.name);
            }
        }
    }
}

/// What the prose means: days of disuse, and days from the consent.
fn days(pair: &Pair) -> (Option<i64>, Option<i64>) {
    match (
        pair.said.name.as_str(),
        pair.said.columns["refresh_token_lifetime"].as_str(),
    ) {
        // Exact figures from the providers' answers.
        ("github" | "github_app" | "github_enterprise", _) => (Some(184), None),
        // Asked for, see quirks.json.
        ("zendesk", "") => (Some(90), None),
        // Not replaced by a refresh, and nothing said about use: they count from the consent.
        ("netsuite", "7 days") => (None, Some(7)),
        ("wechat", "30 days") => (None, Some(30)),
        (_, "") => (None, None),
        (_, "90 days idle; 365 days absolute") => (Some(90), Some(365)),
        (_, "100 days rolling; 5 years absolute") => (Some(100), Some(5 * 365)),
        (_, "365 days absolute" | "365 days from first issue") => (None, Some(365)),
        (_, "60 days or one use" | "60 days" | "60 days idle") => (Some(60), None),
        (_, "60 days with continuous refresh; 1 year in the older mode") => (Some(60), None),
        (_, "6 months idle; 7 days while the consent screen is in Testing") => (Some(180), None),
        (_, "7 days") => (Some(7), None),
        (_, "14 days") => (Some(14), None),
        (_, "30 days") => (Some(30), None),
        (_, "31 days") => (Some(31), None),
        (_, "45 days") => (Some(45), None),
        (_, "100 days") => (Some(100), None),
        (_, "1 year") => (Some(365), None),
        (_, prose) if prose.starts_with("90 days") => (Some(90), None),
        (_, prose) if prose.starts_with("until ") || prose.starts_with("does not expire") => {
            (None, None)
        }
        (name, prose) => panic!("{name}: {prose}"),
    }
}

#[test]
fn lifetimes_are_those_of_the_prose() {
    for pair in pairs() {
        let name = &pair.said.name;
        if name == "ebay" {
            // 18 months, in seconds as its answers say it.
            assert_eq!(pair.provider.grant_lifetime, Some(47_304_000));
            continue;
        }
        let (disuse, absolute) = days(&pair);
        assert_eq!(
            pair.provider.refresh_token_lifetime,
            disuse.map(|days| days * DAY),
            "{name}"
        );
        assert_eq!(
            pair.provider.grant_lifetime,
            absolute.map(|days| days * DAY),
            "{name}"
        );
    }
}

#[test]
fn a_spent_refresh_token_may_be_repeated_where_that_is_known() {
    let known = [
        ("atlassian", 600),
        ("microsoft", 86_400),
        ("microsoft_tenant", 86_400),
        ("microsoft_v1", 86_400),
        ("okta", 30),
        ("okta_auth_server", 30),
        ("ringcentral", 3600),
        ("xero", 1800),
    ];
    let leeways = pairs()
        .into_iter()
        .map(|pair| (pair.said.name, pair.provider.replay_leeway_seconds));
    let leeways: Vec<_> = leeways.filter(|(_, seconds)| *seconds > 0).collect();
    let expected = known.map(|(name, seconds)| (name.to_owned(), seconds));
    assert_eq!(leeways, expected);
}
