//! Nobody who may only store a token decides where a client's secret is sent.

use serde_json::{Map, Value};
use token_vault_core::oauth::Misconfigured;

use super::{CLIENT_SECRET, build, pairs};

/// The host of a URL or of a URL template.
fn host(url: &str) -> &str {
    let rest = url.strip_prefix("https://").expect("https");
    rest.split(['/', '?', ':']).next().unwrap_or_default()
}

#[test]
fn a_tokens_metadata_does_not_choose_the_domain() {
    let mut templated = 0;
    for pair in pairs().iter().filter(|pair| pair.said.refreshable) {
        let name = &pair.said.name;
        let metadata = |value: &str| -> Value {
            let names = pair.row.get("placeholders").and_then(Value::as_array);
            let names = names.into_iter().flatten().filter_map(Value::as_str);
            names
                .map(|name| (name.to_owned(), Value::from(value)))
                .collect::<Map<_, _>>()
                .into()
        };
        let template = match pair.said.columns["refresh_endpoint"].as_str() {
            "" => &pair.said.columns["token_endpoint"],
            endpoint => endpoint,
        };
        let Some((_, domain)) = host(template).rsplit_once('}') else {
            continue;
        };
        templated += 1;
        // Such as ".example.com" after the last placeholder: a subdomain of the provider's at most.
        let fixed = if domain.matches('.').count() >= 2 {
            domain
        } else {
            ""
        };
        for value in [
            "evil.test",
            "evil",
            "evil.test/",
            "evil.test#",
            "user@evil.test",
            "evil.test:443",
            "evil.test\\",
        ] {
            match build(
                &pair.provider,
                &Value::Null,
                &metadata(value),
                Some(CLIENT_SECRET),
            ) {
                Err(
                    Misconfigured::UntrustedHost(_)
                    | Misconfigured::HostNotAllowed
                    | Misconfigured::UnsafePlaceholder(_),
                ) => {}
                Err(other) => panic!("{name}: {other}"),
                Ok(request) => {
                    let host = host(request.url.expose());
                    assert!(!fixed.is_empty() && host.ends_with(fixed), "{name}: {host}");
                }
            }
        }
        // With a list of hosts the token may say which one, otherwise only the client may.
        let samples = Value::Object(pair.said.metadata.clone());
        let of_token = build(&pair.provider, &Value::Null, &samples, Some(CLIENT_SECRET));
        let may = !fixed.is_empty() || pair.row.contains_key("allowed_hosts");
        assert_eq!(of_token.is_ok(), may, "{name}: {:?}", of_token.err());
    }
    assert!(templated >= 25, "{templated}");
}

#[test]
fn allowed_hosts_contain_the_fixed_ones() {
    for pair in pairs() {
        for column in ["token_endpoint", "refresh_endpoint", "revocation_endpoint"] {
            let url = &pair.said.columns[column];
            if url.is_empty() || pair.provider.allowed_hosts.is_empty() {
                continue;
            }
            assert!(
                host(url).contains('{'),
                "{}: a list for {url}",
                pair.said.name
            );
        }
    }
}
