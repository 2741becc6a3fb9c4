//! NIST's CAVP vectors for GCM with a 256-bit key: a sample of those with a 96-bit IV and a 128-bit tag, in
//! `vectors/nist_cavp_aes_256_gcm.json`, which names the files they are from.

use super::Message;
use serde_json::Value;
use std::collections::BTreeSet;

#[test]
fn sampled_vectors() {
    let vectors: Value =
        serde_json::from_str(include_str!("../vectors/nist_cavp_aes_256_gcm.json")).unwrap();
    let (mut passing, mut failing) = (0, 0);
    let mut lengths = BTreeSet::new();
    for (file, cases) in vectors["files"].as_object().unwrap() {
        for case in cases.as_array().unwrap() {
            let message = message(file, case);
            lengths.insert((message.ciphertext.len(), message.associated_data.len()));
            // NIST prints FAIL in the place of the plaintext.
            if case.get("plaintext").is_some() {
                message.assert_stands_for(&bytes(case, "plaintext"));
                passing += 1;
            } else {
                message.assert_refused();
                failing += 1;
            }
        }
    }
    assert_eq!((passing, failing), (75, 50));
    assert_eq!(
        lengths.len(),
        25,
        "five lengths of plaintext with five of associated data"
    );
}

fn message(file: &str, case: &Value) -> Message {
    Message {
        name: format!("{file}: {case}"),
        key: bytes(case, "key"),
        nonce: bytes(case, "iv"),
        associated_data: bytes(case, "associated_data"),
        ciphertext: bytes(case, "ciphertext"),
        tag: bytes(case, "tag"),
    }
}

fn bytes(case: &Value, name: &str) -> Vec<u8> {
    hex::decode(case[name].as_str().unwrap()).unwrap()
}
