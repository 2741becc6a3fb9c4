//! The host of an endpoint: which domain the credentials go to, and who may decide that.
//!
//! Whoever stores a token chooses its metadata, and must not choose with it where the client's secret is sent. So a
//! placeholder that decides the registered domain takes its value from the client's metadata, which an administrator
//! writes, unless `allowed_hosts` says which hosts there may be.

use super::misconfigured::Misconfigured;
use super::template::{Piece, Values, pieces};

/// Fills the authority of an endpoint template: host and port.
pub(super) fn fill_authority(
    template: &str,
    allowed_hosts: &[String],
    values: &Values,
) -> Result<String, Misconfigured> {
    let pieces = pieces(template);
    let mut authority = String::new();
    for (at, piece) in pieces.iter().enumerate() {
        match *piece {
            Piece::Literal(text) => authority.push_str(text),
            Piece::Placeholder { name, .. } => {
                let trusted = !allowed_hosts.is_empty() || !decides_domain(&pieces[at + 1..]);
                authority.push_str(&host_value(name, trusted, values)?);
            }
        }
    }
    let host = host_of(&authority).ok_or(Misconfigured::InvalidEndpoint)?;
    if !allowed_hosts.is_empty()
        && !allowed_hosts
            .iter()
            .any(|pattern| matches_host(pattern, host))
    {
        return Err(Misconfigured::HostNotAllowed);
    }
    Ok(authority)
}

/// The value of a placeholder in the host. The administrator's word, the client's metadata, goes first here.
fn host_value(name: &str, trusted: bool, values: &Values) -> Result<String, Misconfigured> {
    let value = match values.client_metadata(name) {
        Some(value) => value,
        None if trusted => values
            .token_metadata(name)
            .ok_or_else(|| Misconfigured::MissingPlaceholder(name.to_string()))?,
        None if values.token_metadata(name).is_some() => {
            return Err(Misconfigured::UntrustedHost(name.to_string()));
        }
        None => return Err(Misconfigured::MissingPlaceholder(name.to_string())),
    };
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
    let safe = value.bytes().all(allowed) && value.split('.').all(|label| !label.is_empty());
    if safe {
        Ok(value)
    } else {
        Err(Misconfigured::UnsafePlaceholder(name.to_string()))
    }
}

/// Whether a placeholder followed by these pieces decides the registered domain: unless at least two labels, as in
/// `.example.com`, stand after it, it does.
fn decides_domain(following: &[Piece]) -> bool {
    let fixed = match following.last() {
        Some(Piece::Literal(text)) => text.split(':').next().unwrap_or_default(),
        _ => return true,
    };
    fixed.matches('.').count() < 2
}

/// The host in an authority; `None` for user information, odd characters, or no host at all.
fn host_of(authority: &str) -> Option<&str> {
    let host_end = match authority.starts_with('[') {
        true => authority.find(']')? + 1,
        false => authority.find(':').unwrap_or(authority.len()),
    };
    let (host, port) = authority.split_at(host_end);
    let port_fits = port.is_empty()
        || port
            .strip_prefix(':')
            .is_some_and(|port| port.parse::<u16>().is_ok());
    let host_byte =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'[' | b']' | b':');
    (!host.is_empty() && port_fits && host.bytes().all(host_byte)).then_some(host)
}

fn matches_host(pattern: &str, host: &str) -> bool {
    match pattern.strip_prefix("*.") {
        Some(domain) => {
            let (host, domain) = (host.to_ascii_lowercase(), domain.to_ascii_lowercase());
            host.strip_suffix(&domain)
                .is_some_and(|labels| labels.len() > 1 && labels.ends_with('.'))
        }
        None => pattern.eq_ignore_ascii_case(host),
    }
}
