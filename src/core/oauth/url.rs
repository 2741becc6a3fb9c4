//! Endpoint URLs from templates: where credentials go is decided here, so everything doubtful is refused.

use super::encode::percent_encode;
use super::host::fill_authority;
use super::misconfigured::Misconfigured;
use super::template::{Piece, Values, concat, pieces};
use crate::secret::SecretString;

const SCHEME: &str = "https://";

/// Fills an endpoint template and appends an encoded query.
///
/// Values in the host may hold letters, digits, dots and hyphens (see [`super::host`]); values elsewhere are
/// percent-encoded.
pub(super) fn endpoint(
    template: &str,
    allowed_hosts: &[String],
    values: &Values,
    query: &SecretString,
) -> Result<SecretString, Misconfigured> {
    let rest = template
        .strip_prefix(SCHEME)
        .ok_or(Misconfigured::InvalidEndpoint)?;
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    if path.contains('#') {
        return Err(Misconfigured::InvalidEndpoint);
    }
    let authority = fill_authority(authority, allowed_hosts, values)?;
    let path = fill_path(path, values)?;
    let joint = match (query.is_empty(), path.expose().rfind(['?', '&'])) {
        (true, _) => "",
        (false, None) => "?",
        (false, Some(last)) if last + 1 == path.len() => "",
        (false, Some(_)) => "&",
    };
    let [scheme, authority, joint] =
        [SCHEME, &authority, joint].map(|text| SecretString::new(text.to_string()));
    Ok(concat(&[scheme, authority, path, joint, query.clone()]))
}

/// Fills path and query. A value cannot leave its segment: "/" is escaped, and dots alone are refused.
fn fill_path(template: &str, values: &Values) -> Result<SecretString, Misconfigured> {
    if template.bytes().any(|byte| byte <= b' ' || byte == 0x7f) {
        return Err(Misconfigured::InvalidEndpoint);
    }
    let mut parts = Vec::new();
    for piece in pieces(template) {
        match piece {
            Piece::Literal(text) => parts.push(SecretString::new(text.to_string())),
            Piece::Placeholder { name, .. } => {
                let value = values.require(name)?;
                if matches!(value.expose(), "." | "..") {
                    return Err(Misconfigured::UnsafePlaceholder(name.to_string()));
                }
                parts.push(percent_encode(value.expose()));
            }
        }
    }
    Ok(concat(&parts))
}

#[cfg(test)]
mod tests {
    use super::super::template::{Client, Grant};
    use super::*;
    use serde_json::{Value, json};

    fn build(
        template: &str,
        allowed: &[&str],
        client: Value,
        token: Value,
    ) -> Result<String, Misconfigured> {
        let client = Client {
            client_id: "id",
            client_secret: None,
            metadata: &client,
        };
        let grant = Grant {
            access_token: None,
            refresh_token: None,
            scope: None,
            metadata: &token,
        };
        let allowed: Vec<_> = allowed.iter().map(ToString::to_string).collect();
        let values = Values {
            client: &client,
            grant: &grant,
        };
        endpoint(
            template,
            &allowed,
            &values,
            &SecretString::new("q=1".to_string()),
        )
        .map(|url| url.expose().to_string())
    }

    #[test]
    fn queries_are_joined_to_what_is_there() {
        for (template, expected) in [
            ("https://p.test/t", "https://p.test/t?q=1"),
            ("https://p.test", "https://p.test?q=1"),
            ("https://p.test/t?", "https://p.test/t?q=1"),
            ("https://p.test/t?refresh", "https://p.test/t?refresh&q=1"),
            ("https://localhost:8443/t", "https://localhost:8443/t?q=1"),
            ("https://[::1]:8443/t", "https://[::1]:8443/t?q=1"),
        ] {
            assert_eq!(
                build(template, &[], Value::Null, Value::Null).unwrap(),
                expected
            );
        }
    }

    #[test]
    fn values_are_encoded_in_the_path() {
        let token = json!({"realm": "a/b c?x"});
        assert_eq!(
            build("https://p.test/{realm}/t", &[], Value::Null, token).unwrap(),
            "https://p.test/a%2Fb%20c%3Fx/t?q=1"
        );
        let up = build(
            "https://p.test/{realm}/t",
            &[],
            Value::Null,
            json!({"realm": ".."}),
        );
        assert_eq!(
            up,
            Err(Misconfigured::UnsafePlaceholder("realm".to_string()))
        );
    }

    #[test]
    fn a_token_may_fill_in_a_subdomain_but_not_the_domain() {
        let shop = "https://{shop}.shops.test/t";
        assert_eq!(
            build(shop, &[], Value::Null, json!({"shop": "acme"})).unwrap(),
            "https://acme.shops.test/t?q=1"
        );
        for template in [
            "https://{host}/t",
            "https://login.p.{host}/t",
            "https://{a}.{host}:8443/t",
            "https://{host}.test/t",
        ] {
            let metadata = json!({"host": "evil.test", "a": "a"});
            let untrusted = build(template, &[], Value::Null, metadata.clone());
            assert!(
                matches!(untrusted, Err(Misconfigured::UntrustedHost(_))),
                "{template}"
            );
            assert!(
                build(template, &[], metadata, Value::Null).is_ok(),
                "{template}: the client may"
            );
        }
        let pinned = build(
            "https://{host}/t",
            &[],
            json!({"host": "good.test"}),
            json!({"host": "evil.test"}),
        );
        assert_eq!(
            pinned.unwrap(),
            "https://good.test/t?q=1",
            "the client's value wins in the host"
        );
    }

    #[test]
    fn allowed_hosts_bind_everybody() {
        let template = "https://start.p.{tld}/t";
        let allowed = ["start.p.nl", "*.p.co.uk"];
        for (tld, fits) in [
            ("nl", true),
            ("NL", true),
            ("co.uk", true),
            ("evil.test", false),
            ("nl.evil.test", false),
        ] {
            let built = build(template, &allowed, Value::Null, json!({ "tld": tld }));
            assert_eq!(built.is_ok(), fits, "{tld}");
        }
        let bare = build(
            "https://{host}/t",
            &["*.p.co.uk"],
            Value::Null,
            json!({"host": "xp.co.uk"}),
        );
        assert_eq!(bare, Err(Misconfigured::HostNotAllowed));
        let fixed = build("https://other.test/t", &allowed, Value::Null, Value::Null);
        assert_eq!(fixed, Err(Misconfigured::HostNotAllowed));
    }

    #[test]
    fn unsafe_hosts_are_refused() {
        for value in [
            "a b", "a/b", "a@b", "a:1", "a..b", ".a", "a.", "é", "a\\b", "a%2f", "a#", "a?",
            "[::1]",
        ] {
            let built = build(
                "https://{host}.p.test/t",
                &[],
                Value::Null,
                json!({ "host": value }),
            );
            assert_eq!(
                built,
                Err(Misconfigured::UnsafePlaceholder("host".to_string())),
                "{value}"
            );
        }
        for template in [
            "http://p.test/t",
            "p.test/t",
            "https:///t",
            "https://u@p.test/t",
            "https://p.test:port/t",
            "https://p.test/t#f",
            "https://p.test/a b",
            "https://p.test\\evil/t",
            "https://{h?}.p.test/t",
            "HTTPS://p.test/t",
            "https://:8443/t",
        ] {
            let built = build(template, &[], json!({"h": "h"}), Value::Null);
            assert_eq!(built, Err(Misconfigured::InvalidEndpoint), "{template}");
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        let expected = Err(Misconfigured::MissingPlaceholder("shop".to_string()));
        assert_eq!(
            build("https://{shop}.p.test/t", &[], Value::Null, Value::Null),
            expected
        );
        assert_eq!(
            build("https://p.test/{shop}/t", &[], Value::Null, Value::Null),
            expected
        );
    }
}
