//! The dialects of all providers in `catalogue/providers.csv`, read from its columns, and from `dialects.json` where it
//! has only prose. Nothing here looks at the rows that the extension ships: those are what is tested.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Answer, Basic, Body, Dialect, Parameters};

const PROVIDERS: &str = include_str!("../../../../catalogue/providers.csv");
const DIALECTS: &str = include_str!("../../dialects.json");

/// A provider, as the catalogue describes it.
pub struct Provider {
    pub name: String,
    /// The columns of the CSV.
    pub columns: BTreeMap<String, String>,
    /// Values for the placeholders of the columns and of the dialect.
    pub metadata: Map<String, Value>,
    /// Where a refresh goes, with the placeholders filled.
    pub refresh_url: String,
    /// Whether its tokens can be refreshed.
    pub refreshable: bool,
    /// Whether a refresh spends the refresh token.
    pub rotates: bool,
    pub dialect: Dialect,
    /// Bodies of successes in other shapes.
    pub other_successes: Vec<Answer>,
    pub errors: Vec<ErrorAnswer>,
}

/// An error answer, and what has to be concluded from it: the name of a verdict.
#[derive(Deserialize)]
pub struct ErrorAnswer {
    pub status: u16,
    pub body: Value,
    pub verdict: String,
}

#[derive(Deserialize)]
struct Dialects {
    samples: Map<String, Value>,
    providers: BTreeMap<String, Prose>,
}

/// What differs from what the columns imply.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Prose {
    metadata: Map<String, Value>,
    refreshable: bool,
    rotates: Option<String>,
    body: Option<Body>,
    query: Option<Parameters>,
    parameters: Option<Parameters>,
    basic: Option<Basic>,
    headers: BTreeMap<String, String>,
    success: Option<Answer>,
    other_successes: Vec<Value>,
    grant_refused: Option<Answer>,
    client_refused: Option<Answer>,
    errors: Vec<ErrorAnswer>,
}

/// All providers, in the order of the CSV.
///
/// # Panics
/// Where the files are not what they should be.
pub fn providers() -> Vec<Provider> {
    let Dialects {
        samples,
        mut providers,
    } = serde_json::from_str(DIALECTS).expect("dialects.json");
    let mut lines = csv(PROVIDERS).into_iter();
    let header = lines.next().expect("a header");
    let result = lines
        .map(|line| {
            assert_eq!(line.len(), header.len(), "ragged line: {line:?}");
            let columns: BTreeMap<_, _> = header.iter().cloned().zip(line).collect();
            let prose = providers.remove(&columns["name"]).unwrap_or_default();
            provider(columns, prose, &samples)
        })
        .collect();
    assert!(
        providers.is_empty(),
        "unknown: {:?}",
        providers.keys().collect::<Vec<_>>()
    );
    result
}

fn provider(
    columns: BTreeMap<String, String>,
    prose: Prose,
    samples: &Map<String, Value>,
) -> Provider {
    let column = |name: &str| columns[name].as_str();
    let mut metadata = prose.metadata.clone();
    for name in column("placeholders").split_whitespace() {
        let sample = || samples.get(name).expect("a sample for each placeholder");
        metadata.entry(name).or_insert_with(|| sample().clone());
    }
    let endpoint = match column("refresh_endpoint") {
        "" => column("token_endpoint"),
        endpoint => endpoint,
    };
    let refresh_url = fill_text(endpoint, &metadata);
    let refreshable = prose.refreshable
        || column("grant_types")
            .split(' ')
            .any(|kind| kind == "refresh_token");
    let rotates = prose
        .rotates
        .as_deref()
        .unwrap_or(column("rotates_refresh_token"))
        != "no";
    let other_successes = prose.other_successes.iter();
    Provider {
        name: column("name").to_owned(),
        other_successes: other_successes
            .map(|body| Answer::new(200, fill_json(body, &metadata)))
            .collect(),
        dialect: dialect(&columns, &prose, &refresh_url, refreshable, &metadata),
        errors: prose.errors,
        metadata,
        refresh_url,
        refreshable,
        rotates,
        columns,
    }
}

fn dialect(
    columns: &BTreeMap<String, String>,
    prose: &Prose,
    refresh_url: &str,
    refreshable: bool,
    metadata: &Map<String, Value>,
) -> Dialect {
    let (path, url_query) = path_and_query(refresh_url);
    let method = columns["token_endpoint_auth_method"].as_str();
    let mut query: Parameters = prose.query.clone().unwrap_or_default();
    query.extend(
        form_urlencoded::parse(url_query.as_bytes())
            .map(|(name, value)| (name.into_owned(), Value::from(value.into_owned()))),
    );
    let body = match columns["token_request_format"].as_str() {
        "json" => Body::Json,
        _ => Body::Form,
    };
    let fill = |parameters: Parameters| {
        let filled = parameters
            .iter()
            .map(|(name, value)| (name.clone(), fill_json(value, metadata)));
        filled.collect::<Parameters>()
    };
    let headers = prose.headers.iter();
    let success = prose
        .success
        .clone()
        .unwrap_or_else(|| success(columns, refreshable));
    let error = |code: &str| json!({ "error": code, "error_description": "refused" });
    Dialect {
        path: path.to_owned(),
        query: fill(query),
        body: prose.body.unwrap_or(body),
        parameters: fill(
            prose
                .parameters
                .clone()
                .unwrap_or_else(|| parameters(method)),
        ),
        basic: prose.basic.clone().or_else(|| basic(method)),
        headers: headers
            .map(|(name, value)| (name.clone(), fill_text(value, metadata)))
            .collect(),
        success: Answer {
            body: fill_json(&success.body, metadata),
            ..success
        },
        grant_refused: prose
            .grant_refused
            .clone()
            .unwrap_or_else(|| Answer::new(400, error("invalid_grant"))),
        client_refused: prose
            .client_refused
            .clone()
            .unwrap_or_else(|| Answer::new(401, error("invalid_client"))),
    }
}

/// The parameters of RFC 6749 §6, and the client's credentials where they go with them.
fn parameters(method: &str) -> Parameters {
    let mut names = vec![
        ("grant_type", "refresh_token"),
        ("refresh_token", "{refresh_token}"),
    ];
    match method {
        "client_secret_basic" => {}
        "client_secret_post" => names.extend([
            ("client_id", "{client_id}"),
            ("client_secret", "{client_secret}"),
        ]),
        "none" => names.push(("client_id", "{client_id}")),
        other => panic!("authentication method {other}"),
    }
    names
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.into()))
        .collect()
}

fn basic(method: &str) -> Option<Basic> {
    (method == "client_secret_basic").then(|| Basic {
        username: "{client_id}".to_owned(),
        password: "{client_secret}".to_owned(),
        form_encoded: true,
    })
}

/// The answer of RFC 6749 §5.1 with what the columns say about it.
fn success(columns: &BTreeMap<String, String>, refreshable: bool) -> Answer {
    let mut body =
        json!({"access_token": "{access_token}", "token_type": "Bearer", "scope": "{scope}"});
    if refreshable {
        body["refresh_token"] = "{refresh_token}".into();
        // A default is there because the answers do not say.
        if columns["default_expires_in_seconds"].is_empty() {
            body["expires_in"] = "{expires_in}".into();
        }
    }
    Answer::new(200, body)
}

fn path_and_query(url: &str) -> (&str, &str) {
    let rest = url.strip_prefix("https://").expect("an https URL");
    let path = &rest[rest.find('/').expect("a path")..];
    path.split_once('?').unwrap_or((path, ""))
}

/// Replaces the placeholders that `metadata` has values for.
fn fill_text(text: &str, metadata: &Map<String, Value>) -> String {
    metadata
        .iter()
        .fold(text.to_owned(), |text, (name, value)| {
            text.replace(&format!("{{{name}}}"), value.as_str().unwrap_or_default())
        })
}

fn fill_json(template: &Value, metadata: &Map<String, Value>) -> Value {
    match template {
        Value::String(text) => fill_text(text, metadata).into(),
        Value::Array(items) => items.iter().map(|item| fill_json(item, metadata)).collect(),
        Value::Object(members) => members
            .iter()
            .map(|(name, member)| (name.clone(), fill_json(member, metadata)))
            .collect(),
        other => other.clone(),
    }
}

/// Comma-separated values (RFC 4180).
fn csv(text: &str) -> Vec<Vec<String>> {
    let (mut lines, mut line, mut field) = (Vec::new(), Vec::new(), String::new());
    let (mut quoted, mut characters) = (false, text.chars().peekable());
    while let Some(character) = characters.next() {
        match character {
            '"' if quoted && characters.peek() == Some(&'"') => {
                characters.next();
                field.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => line.push(std::mem::take(&mut field)),
            '\n' if !quoted => {
                line.push(std::mem::take(&mut field));
                lines.push(std::mem::take(&mut line));
            }
            '\r' if !quoted => {}
            other => field.push(other),
        }
    }
    lines
}
