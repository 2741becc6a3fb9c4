//! Providers.

use pgrx::{JsonB, default, pg_extern};
use serde_json::{Map, Value};

use crate::error::{Error, OrRaise, Result};
use crate::sqlfn::arguments;
use crate::store::access::{self, Privilege};
use crate::store::provider;

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
    settings: default!(Option<JsonB>, "NULL"),
) {
    let register = || -> Result<()> {
        access::require(Privilege::Admin)?;
        let mut columns = match settings {
            None => Map::new(),
            Some(JsonB(Value::Object(columns))) => columns,
            Some(_) => {
                return Err(Error::InvalidArgument { name: "settings", problem: "it is not a JSON object".into() });
            }
        };
        let given = [
            ("name", Some(arguments::name("name", name)?)),
            ("token_endpoint", Some(https("token_endpoint", arguments::name("token_endpoint", token_endpoint)?)?)),
            ("authorization_endpoint", authorization_endpoint),
            ("revocation_endpoint", revocation_endpoint.map(|url| https("revocation_endpoint", url)).transpose()?),
            ("token_endpoint_auth_method", token_endpoint_auth_method),
            ("issuer", issuer),
            ("display_name", display_name),
        ];
        for (column, value) in given {
            if let Some(value) = value {
                columns.insert(column.to_owned(), value.into());
            }
        }
        if let Some(url) = columns.get("refresh_endpoint").and_then(Value::as_str) {
            https("refresh_endpoint", url)?;
        }
        provider::write(&columns)
    };
    register().or_raise();
}

/// Secrets are sent there: nothing but TLS will do.
fn https<'a>(argument: &'static str, url: &'a str) -> Result<&'a str> {
    match url.starts_with("https://") {
        true => Ok(url),
        false => Err(Error::InvalidArgument { name: argument, problem: "it does not begin with https://".into() }),
    }
}

#[pg_extern(schema = "vault", volatile, parallel_unsafe)]
fn drop_provider(name: Option<&str>) {
    let remove = || -> Result<()> {
        access::require(Privilege::Admin)?;
        provider::remove(arguments::name("name", name)?)
    };
    remove().or_raise();
}
