//! The outbound policy: which addresses a token endpoint may have.
//!
//! A provider row with an internal address would turn the database server into a way into its own network (SSRF), so
//! only globally reachable unicast addresses are allowed, and what the owner names explicitly. The tables follow the
//! IANA special-purpose address registries (RFC 6890) plus the fixed addresses of cloud metadata services.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// The policy with its exceptions.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    allowed: Vec<IpNet>,
}

impl Policy {
    /// A policy that allows the addresses of `allowed` although [`is_forbidden`] holds for them.
    pub fn new(allowed: Vec<IpNet>) -> Self {
        Self { allowed }
    }

    /// Why `address` may not be connected to, or `None` where it may.
    pub fn refuses(&self, address: IpAddr) -> Option<&'static str> {
        // An IPv4-mapped address reaches the IPv4 host, so the IPv4 exceptions hold for it.
        let real = address.to_canonical();
        if self.allowed.iter().any(|network| network.contains(&real)) {
            return None;
        }
        is_forbidden(real)
    }
}

/// The kind of network that makes `address` forbidden, or `None` for a globally reachable unicast address.
pub fn is_forbidden(address: IpAddr) -> Option<&'static str> {
    match address.to_canonical() {
        IpAddr::V4(v4) => forbidden_v4(v4),
        IpAddr::V6(v6) => forbidden_v6(v6),
    }
}

/// Reads a list such as `127.0.0.0/8, ::1`: networks or single addresses, separated by commas.
///
/// # Errors
///
/// Names the entry that is not a network.
pub fn parse_networks(list: &str) -> Result<Vec<IpNet>, NetworkError> {
    list.split(',')
        .map(str::trim)
        .filter(|entry| !entry.is_empty())
        .map(parse_network)
        .collect()
}

/// An entry of a network list that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkError {
    /// The entry as written.
    pub entry: String,
    /// What is wrong with it.
    pub problem: &'static str,
}

impl fmt::Display for NetworkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "invalid network \"{}\": {}", self.entry, self.problem)
    }
}

impl std::error::Error for NetworkError {}

fn parse_network(entry: &str) -> Result<IpNet, NetworkError> {
    let error = |problem| NetworkError {
        entry: entry.to_owned(),
        problem,
    };
    let (address, prefix) = match entry.split_once('/') {
        Some((address, prefix)) => (address, Some(prefix)),
        None => (entry, None),
    };
    let address: IpAddr = address.parse().map_err(|_| error("not an IP address"))?;
    let Some(prefix) = prefix else {
        return Ok(IpNet::from(address));
    };
    let network = prefix
        .parse()
        .ok()
        .and_then(|prefix| IpNet::new(address, prefix).ok())
        .ok_or_else(|| error("prefix length out of range"))?;
    if network.addr() != network.network() {
        return Err(error("address has bits set to the right of the prefix"));
    }
    Ok(network)
}

const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6(a: u16, b: u16, c: u16, prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0), prefix)
}

const FORBIDDEN_V4: &[(Ipv4Net, &str)] = &[
    (v4(0, 0, 0, 0, 8), "unspecified address"),
    (v4(10, 0, 0, 0, 8), "private network"),
    (v4(100, 64, 0, 0, 10), "carrier-grade NAT"),
    (v4(127, 0, 0, 0, 8), "loopback"),
    (v4(169, 254, 169, 254, 32), "cloud metadata service"),
    (v4(169, 254, 0, 0, 16), "link-local"),
    (v4(168, 63, 129, 16, 32), "cloud metadata service"),
    (v4(172, 16, 0, 0, 12), "private network"),
    (v4(192, 0, 0, 0, 24), "protocol assignments"),
    (v4(192, 0, 2, 0, 24), "documentation"),
    (v4(192, 88, 99, 0, 24), "6to4 relay"),
    (v4(192, 168, 0, 0, 16), "private network"),
    (v4(198, 18, 0, 0, 15), "benchmarking"),
    (v4(198, 51, 100, 0, 24), "documentation"),
    (v4(203, 0, 113, 0, 24), "documentation"),
    (v4(224, 0, 0, 0, 4), "multicast"),
    (v4(255, 255, 255, 255, 32), "broadcast"),
    (v4(240, 0, 0, 0, 4), "reserved"),
];

/// Only 2000::/3 is global unicast; the kinds outside it are named where that helps the reader of an error.
const FORBIDDEN_V6: &[(Ipv6Net, &str)] = &[
    (
        Ipv6Net::new_assert(Ipv6Addr::UNSPECIFIED, 128),
        "unspecified address",
    ),
    (Ipv6Net::new_assert(Ipv6Addr::LOCALHOST, 128), "loopback"),
    (v6(0x64, 0xff9b, 1, 48), "local-use NAT64"),
    (v6(0x100, 0, 0, 64), "discard only"),
    (v6(0x2001, 0, 0, 32), "Teredo"),
    (v6(0x2001, 0, 0, 23), "protocol assignments"),
    (v6(0x2001, 0xdb8, 0, 32), "documentation"),
    (v6(0x3fff, 0, 0, 20), "documentation"),
    (v6(0xfc00, 0, 0, 7), "private network"),
    (v6(0xfe80, 0, 0, 10), "link-local"),
    (v6(0xfec0, 0, 0, 10), "site-local"),
    (v6(0xff00, 0, 0, 8), "multicast"),
];

const GLOBAL_UNICAST: Ipv6Net = v6(0x2000, 0, 0, 3);
/// RFC 6052: the IPv4 destination is in the last 32 bits.
const NAT64: Ipv6Net = v6(0x64, 0xff9b, 0, 96);
/// RFC 3056: the IPv4 destination follows the first 16 bits.
const SIX_TO_FOUR: Ipv6Net = v6(0x2002, 0, 0, 16);

fn forbidden_v4(address: Ipv4Addr) -> Option<&'static str> {
    FORBIDDEN_V4
        .iter()
        .find(|(network, _)| network.contains(&address))
        .map(|(_, kind)| *kind)
}

fn forbidden_v6(address: Ipv6Addr) -> Option<&'static str> {
    let [.., a, b, c, d] = address.octets();
    if NAT64.contains(&address) {
        return forbidden_v4(Ipv4Addr::new(a, b, c, d));
    }
    if SIX_TO_FOUR.contains(&address) {
        let [_, _, a, b, c, d, ..] = address.octets();
        return forbidden_v4(Ipv4Addr::new(a, b, c, d));
    }
    FORBIDDEN_V6
        .iter()
        .find(|(network, _)| network.contains(&address))
        .map(|(_, kind)| *kind)
        .or_else(|| (!GLOBAL_UNICAST.contains(&address)).then_some("reserved"))
}

#[cfg(test)]
#[path = "policy_tests.rs"]
mod tests;
