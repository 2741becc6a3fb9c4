//! What an envelope costs beside bare AES-256-GCM with a kept key: interleaved in one run, printed as
//! `ratio NAME VALUE` (median of the rounds). `cargo run --release -p token_vault_core --example envelope_ratio`

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use std::hint::black_box;
use std::time::Instant;
use token_vault_core::envelope::{CipherKey, Context, KeyId, TokenField, open, open_into, seal};

const ROUNDS: usize = 15;
const CALLS: u32 = 20_000;
const PLAINTEXT: [u8; 1200] = [b'a'; 1200];

fn main() {
    let context = Context::Token {
        tenant: "default",
        provider: "google",
        subject: "user-42",
        label: "",
        field: TokenField::AccessToken,
    };
    let (key, nonce) = (CipherKey::new(&[7; 32]), [9; 24]);
    let bare = Aes256Gcm::new(&[7; 32].into());
    let bare_nonce: Nonce<_> = [9; 12].into();
    let aad = [0; 70];
    let envelope = seal(&key, KeyId(1), &context, &nonce, &PLAINTEXT).expect("a short plaintext");
    let bare_sealed = bare
        .encrypt(
            &bare_nonce,
            Payload {
                msg: &PLAINTEXT,
                aad: &aad,
            },
        )
        .expect("a short plaintext");
    let mut buffer = [0; PLAINTEXT.len()];

    let (mut opens, mut opens_into, mut seals) = (vec![], vec![], vec![]);
    for _ in 0..ROUNDS {
        let bare_open = nanoseconds(|| {
            black_box(
                bare.decrypt(
                    &bare_nonce,
                    Payload {
                        msg: black_box(&bare_sealed),
                        aad: &aad,
                    },
                )
                .is_ok(),
            );
        });
        let bare_seal = nanoseconds(|| {
            black_box(
                bare.encrypt(
                    &bare_nonce,
                    Payload {
                        msg: black_box(&PLAINTEXT),
                        aad: &aad,
                    },
                )
                .is_ok(),
            );
        });
        opens.push(
            nanoseconds(|| drop(black_box(open(&key, &context, black_box(&envelope))))) / bare_open,
        );
        opens_into.push(
            nanoseconds(|| {
                _ = black_box(open_into(&key, &context, black_box(&envelope), &mut buffer))
            }) / bare_open,
        );
        seals.push(
            nanoseconds(|| {
                drop(black_box(seal(
                    &key,
                    KeyId(1),
                    &context,
                    &nonce,
                    black_box(&PLAINTEXT),
                )))
            }) / bare_seal,
        );
        eprintln!("bare open {bare_open:.0} ns, bare seal {bare_seal:.0} ns");
    }
    println!("ratio open {:.2}", median(opens));
    println!("ratio open_into {:.2}", median(opens_into));
    println!("ratio seal {:.2}", median(seals));
}

/// Mean time of a call in nanoseconds.
fn nanoseconds(mut call: impl FnMut()) -> f64 {
    let start = Instant::now();
    (0..CALLS).for_each(|_| call());
    start.elapsed().as_nanos() as f64 / f64::from(CALLS)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
