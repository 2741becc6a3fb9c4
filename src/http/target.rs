//! Where a request may go, as far as its URL shows. What a name resolves to is judged by the [resolver](crate::resolver).

use ureq::http::Uri;

use crate::error::NotSent;
use crate::policy::Policy;

/// Names of this machine that need no name server, beside those that end in `.localhost` (RFC 6761 §6.3).
const LOOPBACK_NAMES: [&str; 4] = ["localhost", "localdomain", "ip6-localhost", "ip6-loopback"];
/// Services that hand out a cloud machine's credentials have a name of these …
const METADATA_NAMES: [&str; 2] = ["metadata", "instance-data"];
/// … alone, or below one of these.
const METADATA_DOMAINS: [&str; 2] = ["internal", "goog"];

/// Refuses what is no plain https URL, and everything that two parsers could read differently.
pub(crate) fn check(uri: &Uri) -> Result<(), NotSent> {
    if uri.scheme_str() != Some("https") {
        return Err(NotSent::NotHttps);
    }
    let authority = uri.authority().ok_or(NotSent::InvalidRequest)?;
    // Also "https://known.example@other.example/": it is misread by people, and no token endpoint needs it.
    let (host, port) = split(authority.as_str());
    if is_host(host) && port.is_none_or(is_port) {
        Ok(())
    } else {
        Err(NotSent::InvalidRequest)
    }
}

/// A proxy resolves the name, so only what is recognisably an address can be judged here.
pub(crate) fn check_name(uri: &Uri, policy: &Policy) -> Result<(), NotSent> {
    let host = uri.host().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let kind = match host.parse() {
        Ok(address) => policy.refuses(address),
        Err(_) => refused_name(&host.trim_end_matches('.').to_ascii_lowercase()),
    };
    match kind {
        Some(kind) => Err(NotSent::Forbidden(kind)),
        None => Ok(()),
    }
}

fn refused_name(name: &str) -> Option<&'static str> {
    let last = name.rsplit('.').next().unwrap_or_default();
    // No top-level domain starts with a digit: this is an address in an odd spelling (0x7f.1).
    if last.starts_with(|c: char| c.is_ascii_digit()) {
        return Some("ambiguous spelling of an address");
    }
    if LOOPBACK_NAMES.contains(&last) {
        return Some("loopback");
    }
    let first = name.split('.').next().unwrap_or_default();
    let is_metadata =
        METADATA_NAMES.contains(&first) && (name == first || METADATA_DOMAINS.contains(&last));
    is_metadata.then_some("cloud metadata service")
}

/// Host and port of an authority, unchecked.
fn split(authority: &str) -> (&str, Option<&str>) {
    let end_of_literal = authority.find(']').map_or(0, |bracket| bracket + 1);
    match authority[end_of_literal..].find(':') {
        Some(colon) => {
            let (host, port) = authority.split_at(end_of_literal + colon);
            (host, Some(&port[1..]))
        }
        None => (authority, None),
    }
}

/// A literal IPv6 address in brackets and without zone, or letters, digits, hyphens, underscores and dots.
fn is_host(host: &str) -> bool {
    match host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
    {
        Some(literal) => literal.parse::<std::net::Ipv6Addr>().is_ok(),
        None => {
            let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
            !host.is_empty() && host.bytes().all(is_letter)
        }
    }
}

/// The HTTP library takes what is no port for the default one.
fn is_port(port: &str) -> bool {
    port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0)
}
