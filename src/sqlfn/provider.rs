//! Providers.

use pgrx::{default, pg_extern};
use serde_json::Value;

use crate::error::{Error, OrRaise, Result};
use crate::pg::jsonb::Jsonb;
use crate::sqlfn::arguments;
use crate::store::access::{self, Privilege, Resource};
use crate::store::audit::{self, About};
use crate::store::provider;
use crate::worker::request;

#[pg_extern(schema = "vault", volatile, parallel_unsafe)]
#[allow(clippy::too_many_arguments)]
fn register_provider(
    name: Option<&str>,
    token_endpoint: Option<&str>,
    authorization_endpoint: default!(Option<&str>, "NULL"),
    revocation_endpoint: default!(Option<&str>, "NULL"),
    token_endpoint_auth_method: default!(Option<&str>, "NULL"),
    issuer: default!(Option<&str>, "NULL"),
    display_name: default!(Option<&str>, "NULL"),
    settings: default!(Option<Jsonb>, "NULL"),
) {
    let register = || -> Result<()> {
        access::require(Privilege::Admin, &Resource::Vault)?;
        let mut columns = arguments::object("settings", settings)?.unwrap_or_default();
        // As an argument that is left out, null stands for the default.
        columns.retain(|_, value| !value.is_null());
        let given = [
            ("name", Some(arguments::name("name", name)?)),
            (
                "token_endpoint",
                Some(arguments::required("token_endpoint", token_endpoint)?),
            ),
            ("authorization_endpoint", authorization_endpoint),
            ("revocation_endpoint", revocation_endpoint),
            ("token_endpoint_auth_method", token_endpoint_auth_method),
            ("issuer", issuer),
            ("display_name", display_name),
        ];
        for (column, value) in given {
            if let Some(value) = value {
                columns.insert(column.to_owned(), value.into());
            }
        }
        for endpoint in ENDPOINTS {
            if let Some(url) = columns.get(endpoint).and_then(Value::as_str) {
                require_https(endpoint, url)?;
            }
        }
        provider::write(&columns)?;
        note("provider_registered", name);
        request::refresher_wanted();
        Ok(())
    };
    register().or_raise();
}

/// Columns that hold a URL template.
const ENDPOINTS: [&str; 7] = [
    "authorization_endpoint",
    "token_endpoint",
    "refresh_endpoint",
    "revocation_endpoint",
    "introspection_endpoint",
    "device_authorization_endpoint",
    "userinfo_endpoint",
];

/// Secrets are sent there: nothing but TLS will do.
fn require_https(argument: &'static str, url: &str) -> Result<()> {
    let invalid = |problem: &str| {
        Err(Error::InvalidArgument {
            name: argument,
            problem: problem.to_owned(),
        })
    };
    let Some(rest) = url.strip_prefix("https://") else {
        return invalid("it does not begin with https://");
    };
    if rest.is_empty() || rest.starts_with(['/', '?', '#', ':']) {
        return invalid("it has no host");
    }
    let is_balanced = url.matches('{').count() == url.matches('}').count();
    if !is_balanced
        || url
            .chars()
            .any(|character| character.is_whitespace() || character.is_control())
    {
        return invalid("it is not a URL");
    }
    Ok(())
}

#[pg_extern(schema = "vault", volatile, parallel_unsafe)]
fn drop_provider(name: Option<&str>) {
    let remove = || -> Result<()> {
        access::require(Privilege::Admin, &Resource::Vault)?;
        provider::remove(arguments::name("name", name)?)?;
        note("provider_dropped", name);
        Ok(())
    };
    remove().or_raise();
}

fn note(event: &str, provider: Option<&str>) {
    let about = About {
        provider,
        ..About::VAULT
    };
    audit::changed(event, about, None);
}
