//! The resolver with name servers that lie.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

const HOST: &str = "example.com";

fn resolve(resolver: &PolicyResolver, host: &str, port: u16) -> Result<Vec<String>, NotSent> {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let addresses = runtime
        .expect("runtime")
        .block_on(resolver.resolve(host, port))?;
    Ok(addresses.iter().map(SocketAddr::to_string).collect())
}

fn answering(addresses: &'static [&'static str]) -> PolicyResolver {
    PolicyResolver::with_lookup(Policy::default(), move |_| {
        Ok(addresses
            .iter()
            .map(|a| a.parse().expect("address"))
            .collect())
    })
}

#[test]
fn one_forbidden_address_refuses_the_name() {
    let mixed = answering(&["8.8.8.8:443", "10.0.0.1:443"]);
    assert_eq!(
        resolve(&mixed, HOST, 443),
        Err(NotSent::Forbidden("private network"))
    );
    let public = answering(&["8.8.8.8:443", "[2606:4700::1]:443"]);
    assert_eq!(
        resolve(&public, HOST, 443).expect("public"),
        ["8.8.8.8:443", "[2606:4700::1]:443"]
    );
}

#[test]
fn a_name_that_changes_its_address_gets_only_checked_ones() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = asked.clone();
    let resolver = PolicyResolver::with_lookup(Policy::default(), move |_| {
        let first = counter.fetch_add(1, Ordering::SeqCst) == 0;
        let address = if first {
            "8.8.8.8:443"
        } else {
            "127.0.0.1:443"
        };
        Ok(vec![address.parse().expect("address")])
    });
    assert_eq!(
        resolve(&resolver, HOST, 443).expect("public"),
        ["8.8.8.8:443"]
    );
    assert_eq!(
        resolve(&resolver, HOST, 443).expect("remembered"),
        ["8.8.8.8:443"]
    );
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    assert_eq!(
        resolve(&resolver, HOST, 8443),
        Err(NotSent::Forbidden("loopback"))
    );
}

#[test]
fn failures_and_refusals_are_not_remembered() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = asked.clone();
    let resolver = PolicyResolver::with_lookup(Policy::default(), move |_| {
        match counter.fetch_add(1, Ordering::SeqCst) {
            0 => Err(io::ErrorKind::Other.into()),
            1 => Ok(vec![]),
            2 => Ok(vec!["127.0.0.1:443".parse().expect("address")]),
            _ => Ok(vec!["8.8.8.8:443".parse().expect("address")]),
        }
    });
    assert_eq!(resolve(&resolver, HOST, 443), Err(NotSent::NameResolution));
    assert_eq!(resolve(&resolver, HOST, 443), Err(NotSent::NameResolution));
    assert_eq!(
        resolve(&resolver, HOST, 443),
        Err(NotSent::Forbidden("loopback"))
    );
    assert!(resolve(&resolver, HOST, 443).is_ok());
}

#[test]
fn remembers_a_bounded_number_of_names() {
    let resolver = answering(&["8.8.8.8:443"]);
    for n in 0..(2 * MAX_NAMES + 1) {
        resolve(&resolver, &format!("host{n}.example"), 443).expect("public");
        assert!(resolver.known.lock().expect("lock").len() <= MAX_NAMES);
    }
}

#[test]
fn who_asks_meanwhile_waits_for_the_same_answer() {
    for is_found in [true, false] {
        let asked = Arc::new(AtomicUsize::new(0));
        let (counter, together) = (asked.clone(), Arc::new(std::sync::Barrier::new(2)));
        let gate = together.clone();
        let resolver = PolicyResolver::with_lookup(Policy::default(), move |_| {
            counter.fetch_add(1, Ordering::SeqCst);
            gate.wait();
            match is_found {
                true => Ok(vec!["8.8.8.8:443".parse().expect("address")]),
                false => Err(io::ErrorKind::NotFound.into()),
            }
        });
        let resolver = Arc::new(resolver);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .expect("runtime");
        runtime.block_on(async {
            let ask = || {
                let resolver = resolver.clone();
                tokio::spawn(async move { resolver.resolve(HOST, 443).await.is_ok() })
            };
            let all: Vec<_> = (0..20).map(|_| ask()).collect();
            // All of them have asked once the one that came last has had its turn.
            tokio::task::yield_now().await;
            together.wait();
            for one in all {
                assert_eq!(one.await.expect("no panic"), is_found);
            }
        });
        assert_eq!(asked.load(Ordering::SeqCst), 1);
    }
}
