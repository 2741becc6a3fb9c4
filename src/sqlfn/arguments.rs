//! From what SQL passes to what the rest may rely on.

use serde_json::{Map, Value};
use token_vault_core::oauth::MAX_TOKEN;

use crate::error::{Error, Result};
use crate::pg::jsonb::Jsonb;
use crate::pg::tenant as session;
use crate::store::access::{BadPattern, Pattern, Reach};
use crate::store::audit::{self, About};
use crate::store::token::TokenKey;

/// Tenant, provider, subject and label together fit a B-tree entry.
const MAX_NAME_BYTES: usize = 512;
const DEFAULT_TENANT: &str = "default";

/// An argument that must be given.
pub fn required<T>(name: &'static str, value: Option<T>) -> Result<T> {
    value.ok_or(Error::MissingArgument(name))
}

/// A name that must be given, is not empty, and fits its index.
pub fn name<'a>(argument: &'static str, value: Option<&'a str>) -> Result<&'a str> {
    let value = required(argument, value)?;
    if value.is_empty() {
        return Err(Error::InvalidArgument {
            name: argument,
            problem: "it is empty".into(),
        });
    }
    limit(argument, value, MAX_NAME_BYTES)?;
    Ok(value)
}

/// A text that may be empty, within a limit.
pub fn limit(argument: &'static str, value: &str, limit: usize) -> Result<()> {
    if value.len() > limit {
        return Err(Error::TooLong {
            name: argument,
            bytes: value.len(),
            limit,
        });
    }
    Ok(())
}

/// A credential: not empty, not larger than any provider issues, and without control characters, which no
/// header and no form could carry (RFC 6749, appendix A).
pub fn credential<'a>(argument: &'static str, value: &'a str) -> Result<&'a str> {
    if value.is_empty() {
        return Err(Error::InvalidArgument {
            name: argument,
            problem: "it is empty".into(),
        });
    }
    if value.chars().any(char::is_control) {
        return Err(Error::InvalidArgument {
            name: argument,
            problem: "it has control characters".into(),
        });
    }
    limit(argument, value, MAX_TOKEN)?;
    Ok(value)
}

/// The tenant a call is about: the session's where it is bound to one, and no other.
pub fn tenant(argument: Option<&str>) -> Result<String> {
    let asked = argument
        .map(|tenant| name("tenant", Some(tenant)))
        .transpose()?;
    let bound = session::bound();
    limit(
        "token_vault.tenant",
        bound.as_deref().unwrap_or_default(),
        MAX_NAME_BYTES,
    )?;
    match (asked, bound) {
        (None, None) => Ok(DEFAULT_TENANT.to_owned()),
        (Some(asked), None) => Ok(asked.to_owned()),
        (None, Some(bound)) => Ok(bound),
        (Some(asked), Some(bound)) if asked == bound => Ok(bound),
        (Some(asked), Some(bound)) => {
            let facts = [("problem", "another tenant".into())];
            audit::refused("denied", About::tenant(Some(asked)), audit::detail(facts));
            Err(Error::TenantMismatch {
                call: format!("tenant \"{asked}\""),
                bound,
            })
        }
    }
}

/// The tenant of a client: None stands for a client that all tenants share, except in a session that is
/// bound to a tenant.
pub fn client_tenant(argument: Option<&str>) -> Result<Option<String>> {
    match (argument, session::bound()) {
        (None, None) => Ok(None),
        _ => tenant(argument).map(Some),
    }
}

/// What a rule with these patterns reaches.
pub fn reach(tenant: &str, provider: &str, subject: &str) -> Result<Reach> {
    Ok(Reach {
        tenant: pattern("tenant", tenant)?,
        provider: pattern("provider", provider)?,
        subject: pattern("subject", subject)?,
    })
}

fn pattern(argument: &'static str, text: &str) -> Result<Pattern> {
    Pattern::parse(text).map_err(|problem| Error::InvalidArgument {
        name: argument,
        problem: match problem {
            BadPattern::LoneBackslash => "it ends with a backslash".into(),
            BadPattern::Nul => "it has a NUL".into(),
        },
    })
}

/// A JSON object that may be left out.
pub fn object(argument: &'static str, value: Option<Jsonb>) -> Result<Option<Map<String, Value>>> {
    let Some(value) = value else { return Ok(None) };
    let invalid = |problem: &str| Error::InvalidArgument {
        name: argument,
        problem: problem.to_owned(),
    };
    match value.parse_object() {
        Ok(Some(members)) => Ok(Some(members)),
        Ok(None) => Err(invalid("it is not a JSON object")),
        Err(_) => Err(invalid(
            "it has a number that is too large, or is nested too deeply",
        )),
    }
}

/// What names a token.
pub fn token_key(
    tenant: Option<&str>,
    provider: Option<&str>,
    subject: Option<&str>,
    label: Option<&str>,
) -> Result<TokenKey> {
    let label = label.unwrap_or_default();
    limit("label", label, MAX_NAME_BYTES)?;
    Ok(TokenKey {
        tenant: self::tenant(tenant)?,
        provider: name("provider", provider)?.to_owned(),
        subject: name("subject", subject)?.to_owned(),
        label: label.to_owned(),
    })
}
