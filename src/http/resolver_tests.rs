//! The resolver with name servers that lie.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

fn resolve(resolver: &PolicyResolver, url: &str) -> Result<Vec<String>, Error> {
    let addresses = resolver.resolve(
        &url.parse().expect(url),
        &Config::default(),
        NextTimeout::default(),
    )?;
    Ok(addresses.iter().map(SocketAddr::to_string).collect())
}

fn answering(addresses: &'static [&'static str]) -> PolicyResolver {
    PolicyResolver::with_lookup(Some(Policy::default()), move |_| {
        Ok(addresses
            .iter()
            .map(|a| a.parse().expect("address"))
            .collect())
    })
}

fn refusal(result: Result<Vec<String>, Error>) -> Option<&'static str> {
    match result {
        Err(Error::Other(e)) => e.downcast_ref::<Refused>().map(|refused| refused.0),
        _ => None,
    }
}

#[test]
fn one_forbidden_address_refuses_the_name() {
    let mixed = answering(&["8.8.8.8:443", "10.0.0.1:443"]);
    assert_eq!(
        refusal(resolve(&mixed, "https://example.com/")),
        Some("private network")
    );
    let public = answering(&["8.8.8.8:443", "[2606:4700::1]:443"]);
    assert_eq!(
        resolve(&public, "https://example.com/").expect("public"),
        ["8.8.8.8:443", "[2606:4700::1]:443"]
    );
}

#[test]
fn a_name_that_changes_its_address_gets_only_checked_ones() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = asked.clone();
    let resolver = PolicyResolver::with_lookup(Some(Policy::default()), move |_| {
        let first = counter.fetch_add(1, Ordering::SeqCst) == 0;
        let address = if first {
            "8.8.8.8:443"
        } else {
            "127.0.0.1:443"
        };
        Ok(vec![address.parse().expect("address")])
    });
    assert_eq!(
        resolve(&resolver, "https://example.com/").expect("public"),
        ["8.8.8.8:443"]
    );
    assert_eq!(
        resolve(&resolver, "https://example.com/").expect("remembered"),
        ["8.8.8.8:443"]
    );
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    assert_eq!(
        refusal(resolve(&resolver, "https://example.com:8443/")),
        Some("loopback")
    );
}

#[test]
fn failures_and_refusals_are_not_remembered() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = asked.clone();
    let resolver = PolicyResolver::with_lookup(Some(Policy::default()), move |_| {
        match counter.fetch_add(1, Ordering::SeqCst) {
            0 => Err(io::ErrorKind::Other.into()),
            1 => Ok(vec![]),
            2 => Ok(vec!["127.0.0.1:443".parse().expect("address")]),
            _ => Ok(vec!["8.8.8.8:443".parse().expect("address")]),
        }
    });
    let url = "https://example.com/";
    assert!(matches!(resolve(&resolver, url), Err(Error::HostNotFound)));
    assert!(matches!(resolve(&resolver, url), Err(Error::HostNotFound)));
    assert_eq!(refusal(resolve(&resolver, url)), Some("loopback"));
    assert!(resolve(&resolver, url).is_ok());
}

#[test]
fn remembers_a_bounded_number_of_names() {
    let resolver = answering(&["8.8.8.8:443"]);
    for n in 0..(2 * MAX_NAMES + 1) {
        resolve(&resolver, &format!("https://host{n}.example/")).expect("public");
        assert!(resolver.known.lock().expect("lock").len() <= MAX_NAMES);
    }
}

#[test]
fn a_slow_answer_past_the_limit_is_a_timeout() {
    let resolver = PolicyResolver::with_lookup(Some(Policy::default()), |_| {
        let started = Instant::now();
        while started.elapsed() < Duration::from_millis(5) {
            std::thread::yield_now();
        }
        Ok(vec!["8.8.8.8:443".parse().expect("address")])
    });
    let limit = NextTimeout {
        after: ureq::unversioned::transport::time::Duration::from_millis(1),
        ..NextTimeout::default()
    };
    let result = resolver.resolve(
        &"https://example.com/".parse().expect("url"),
        &Config::default(),
        limit,
    );
    assert!(matches!(result, Err(Error::Timeout(Timeout::Resolve))));
}
