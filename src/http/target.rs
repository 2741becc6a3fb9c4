//! Where a request may go, as far as its URL shows. What a name resolves to is judged by the [resolver](crate::resolver).

use http::Uri;
use http::header::HeaderValue;
use http::uri::PathAndQuery;

use crate::error::NotSent;
use crate::policy::Policy;

const HTTPS: u16 = 443;
/// Names of this machine that need no name server, beside those that end in `.localhost` (RFC 6761 §6.3).
const LOOPBACK_NAMES: [&str; 4] = ["localhost", "localdomain", "ip6-localhost", "ip6-loopback"];
/// Services that hand out a cloud machine's credentials have a name of these …
const METADATA_NAMES: [&str; 2] = ["metadata", "instance-data"];
/// … alone, or below one of these.
const METADATA_DOMAINS: [&str; 2] = ["internal", "goog"];

/// Where a request goes.
pub(crate) struct Target {
    /// A name, or an address without brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) host_header: HeaderValue,
    pub(crate) path_and_query: PathAndQuery,
}

impl Target {
    /// Refuses what is no plain https URL, and everything that two parsers could read differently.
    pub(crate) fn parse(url: &str) -> Result<Self, NotSent> {
        let uri: Uri = url.parse().map_err(|_| NotSent::InvalidRequest)?;
        if uri.scheme_str() != Some("https") {
            return Err(NotSent::NotHttps);
        }
        let authority = uri.authority().ok_or(NotSent::InvalidRequest)?.as_str();
        // Also "https://known.example@other.example/": it is misread by people, and no token endpoint needs it.
        let (host, port) = host_and_port(authority, HTTPS).ok_or(NotSent::InvalidRequest)?;
        let root = || PathAndQuery::from_static("/");
        Ok(Self {
            host,
            port,
            host_header: HeaderValue::from_str(authority).map_err(|_| NotSent::InvalidRequest)?,
            path_and_query: uri.path_and_query().cloned().unwrap_or_else(root),
        })
    }

    /// Host and port as they stand in a URL.
    pub(crate) fn authority(&self) -> String {
        match self.host.contains(':') {
            true => format!("[{}]:{}", self.host, self.port),
            false => format!("{}:{}", self.host, self.port),
        }
    }
}

/// A proxy resolves the name, so only what is recognisably an address can be judged here.
pub(crate) fn check_name(host: &str, policy: &Policy) -> Result<(), NotSent> {
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

/// Host, without brackets, and port of an authority; None where two parsers could read it differently.
pub(crate) fn host_and_port(authority: &str, default_port: u16) -> Option<(String, u16)> {
    let (host, port) = split(authority);
    if !is_host(host) {
        return None;
    }
    let host = host.trim_start_matches('[').trim_end_matches(']');
    Some((host.to_owned(), port.map_or(Some(default_port), number)?))
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

/// Another parser may take what is no port for the default one.
fn number(port: &str) -> Option<u16> {
    let is_plain = port.bytes().all(|byte| byte.is_ascii_digit());
    port.parse().ok().filter(|port| is_plain && *port > 0)
}
