//! The outbound policy against the special-purpose registries.

use super::*;

fn kind(address: &str) -> Option<&'static str> {
    is_forbidden(address.parse().expect(address))
}

#[test]
fn special_addresses_are_forbidden() {
    for (address, expected) in [
        ("0.0.0.0", "unspecified address"),
        ("0.1.2.3", "unspecified address"),
        ("10.0.0.1", "private network"),
        ("10.255.255.255", "private network"),
        ("100.64.0.1", "carrier-grade NAT"),
        ("100.100.100.200", "carrier-grade NAT"),
        ("100.127.255.255", "carrier-grade NAT"),
        ("127.0.0.1", "loopback"),
        ("127.255.255.254", "loopback"),
        ("168.63.129.16", "cloud metadata service"),
        ("169.254.169.254", "cloud metadata service"),
        ("169.254.170.2", "link-local"),
        ("172.16.0.1", "private network"),
        ("172.31.255.255", "private network"),
        ("192.0.0.192", "protocol assignments"),
        ("192.0.2.1", "documentation"),
        ("192.88.99.1", "6to4 relay"),
        ("192.168.1.1", "private network"),
        ("198.18.0.1", "benchmarking"),
        ("198.19.255.255", "benchmarking"),
        ("198.51.100.7", "documentation"),
        ("203.0.113.7", "documentation"),
        ("224.0.0.1", "multicast"),
        ("239.255.255.255", "multicast"),
        ("240.0.0.1", "reserved"),
        ("255.255.255.255", "broadcast"),
        ("::", "unspecified address"),
        ("::1", "loopback"),
        ("::127.0.0.1", "reserved"),
        ("::ffff:127.0.0.1", "loopback"),
        ("::ffff:169.254.169.254", "cloud metadata service"),
        ("::ffff:0:10.0.0.1", "reserved"),
        ("64:ff9b::10.0.0.1", "private network"),
        ("64:ff9b::169.254.169.254", "cloud metadata service"),
        ("64:ff9b:1::1", "local-use NAT64"),
        ("100::1", "discard only"),
        ("2001::1", "Teredo"),
        ("2001:2::1", "protocol assignments"),
        ("2001:10::1", "protocol assignments"),
        ("2001:db8::1", "documentation"),
        ("2002:7f00:1::", "loopback"),
        ("2002:c0a8:101::1", "private network"),
        ("3fff::1", "documentation"),
        ("4000::1", "reserved"),
        ("5f00::1", "reserved"),
        ("fc00::1", "private network"),
        ("fd00:ec2::254", "private network"),
        ("fe80::1", "link-local"),
        ("febf::1", "link-local"),
        ("fec0::1", "site-local"),
        ("ff02::1", "multicast"),
    ] {
        assert_eq!(kind(address), Some(expected), "{address}");
    }
}

#[test]
fn neighbours_of_special_networks_are_not() {
    for address in [
        "1.1.1.1",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.0",
        "168.63.129.15",
        "169.253.255.255",
        "169.255.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "192.0.1.0",
        "192.0.3.0",
        "192.167.255.255",
        "192.169.0.0",
        "198.17.255.255",
        "198.20.0.0",
        "223.255.255.255",
        "2606:4700::1111",
        "2001:200::1",
        "2001:4860:4860::8888",
        "2a00:1450::1",
        "64:ff9b::8.8.8.8",
        "2002:808:808::1",
        "::ffff:8.8.8.8",
    ] {
        assert_eq!(kind(address), None, "{address}");
    }
}

#[test]
fn exceptions_hold_for_their_network_only() {
    let policy = Policy::new(parse_networks("127.0.0.0/8, ::1").expect("valid list"));
    for (address, allowed) in [
        ("127.0.0.1", true),
        ("::ffff:127.0.0.1", true),
        ("::1", true),
        ("64:ff9b::127.0.0.1", false),
        ("10.0.0.1", false),
        ("::", false),
        ("fe80::1", false),
        ("8.8.8.8", true),
    ] {
        let refused = policy.refuses(address.parse().expect(address));
        assert_eq!(refused.is_none(), allowed, "{address}: {refused:?}");
    }
}

#[test]
fn network_lists_are_read_strictly() {
    let shown =
        |list| parse_networks(list).map(|n| n.iter().map(IpNet::to_string).collect::<Vec<_>>());
    assert_eq!(shown(""), Ok(vec![]));
    assert_eq!(
        shown(" 127.0.0.0/8 ,::1, "),
        Ok(vec!["127.0.0.0/8".into(), "::1/128".into()])
    );
    for (list, message) in [
        (
            "localhost",
            "invalid network \"localhost\": not an IP address",
        ),
        (
            "10.0.0.0/33",
            "invalid network \"10.0.0.0/33\": prefix length out of range",
        ),
        (
            "10.0.0.0/",
            "invalid network \"10.0.0.0/\": prefix length out of range",
        ),
        ("::1, 10/8", "invalid network \"10/8\": not an IP address"),
        (
            "10.0.0.1/8",
            "invalid network \"10.0.0.1/8\": address has bits set to the right of the prefix",
        ),
    ] {
        assert_eq!(parse_networks(list).expect_err(list).to_string(), message);
    }
}
