//! A vault's keys as bytes, in every form in which its code has them in memory: what a search of memory looks for.

use std::collections::HashSet;

use hmac::{Hmac, KeyInit, Mac};
use postgres::Client;
use sha2::Sha256;
use sha2::block_api::compress256;
use token_vault_cluster::Result;
use token_vault_cluster::canary::{Finding, Search};
use token_vault_core::envelope::{self, CipherKey, Context};

pub type Key = [u8; 32];

/// A half is enough to find the other one with patience, or what surrounds it; and code moves keys in such pieces.
const HALF: usize = 16;

/// The labels of `core::keys::derive`.
const WRAP: &[u8] = b"token_vault master key: wrap 1";
const SEAL: &[u8] = b"token_vault data key: seal 1";
const BLIND_INDEX: &[u8] = b"token_vault data key: blind index 1";

/// SHA-256 begins with it (FIPS 180-4 §5.3.3).
const INITIAL_STATE: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

/// What HMAC combines a key with, for its two hashes (RFC 2104).
const INNER: u8 = 0x36;
const OUTER: u8 = 0x5c;

/// Fewer different bytes are no key: an id, a length, an address.
const DISTINCT_BYTES: usize = 12;

/// Halves of keys and of what is as good as a key, each with a name.
#[derive(Clone, Default)]
pub struct KeyMaterial {
    names: Vec<String>,
    halves: Vec<[u8; HALF]>,
}

impl KeyMaterial {
    /// A master key and all data keys that it wraps in the vault of this session.
    pub fn of_vault(db: &mut Client, master_key: &Key) -> Result<Self> {
        let mut material = Self::default();
        material.add_master_key("master key", master_key);
        material.add_data_keys(db, master_key)?;
        Ok(material)
    }

    pub fn add_master_key(&mut self, name: &str, key: &Key) {
        self.add(name, key);
        self.add_hmac_key(name, key);
        self.add_cipher_key(&format!("{name}: wrap"), &subkey(key, WRAP));
    }

    pub fn add_data_keys(&mut self, db: &mut Client, master_key: &Key) -> Result<()> {
        let wrapping = CipherKey::new(&subkey(master_key, WRAP));
        let rows = db.query(
            "SELECT coalesce(tenant, ''), state, wrapped_key FROM vault.key WHERE state <> 'destroyed'",
            &[],
        )?;
        for row in rows {
            let (tenant, state): (&str, &str) = (row.get(0), row.get(1));
            let opened = envelope::open(&wrapping, &Context::DataKey { tenant }, row.get(2))?;
            let name = format!("{state} data key of '{tenant}'");
            self.add_data_key(&name, opened.expose().try_into()?);
        }
        Ok(())
    }

    fn add_data_key(&mut self, name: &str, key: &Key) {
        self.add(name, key);
        self.add_hmac_key(name, key);
        self.add_cipher_key(&format!("{name}: seal"), &subkey(key, SEAL));
        let blind_index = subkey(key, BLIND_INDEX);
        self.add(&format!("{name}: blind index"), &blind_index);
        self.add_hmac_key(&format!("{name}: blind index"), &blind_index);
    }

    /// All that looks like a key in the memory that a process protects.
    pub fn add_protected(&mut self, memory: &[u8]) {
        for bytes in memory.chunks_exact(HALF) {
            let bytes: [u8; HALF] = bytes.try_into().expect("chunks have this length");
            if bytes.iter().collect::<HashSet<_>>().len() >= DISTINCT_BYTES
                && !self.halves.contains(&bytes)
            {
                self.add_half("protected memory".to_owned(), bytes);
            }
        }
    }

    /// An AES key: the first two of its round keys are the key itself, any two neighbours give the rest.
    fn add_cipher_key(&mut self, name: &str, key: &Key) {
        for (number, round_key) in round_keys(key).iter().enumerate() {
            self.add_half(format!("{name}, round key {number}"), *round_key);
        }
    }

    /// A key as HMAC has it: combined with its two paddings, and hashed so far.
    fn add_hmac_key(&mut self, name: &str, key: &Key) {
        for (side, padding) in [("inner", INNER), ("outer", OUTER)] {
            let mut block = [padding; 64];
            for (byte, key) in block.iter_mut().zip(key) {
                *byte ^= key;
            }
            let padded: &Key = block.first_chunk().expect("it is longer");
            self.add(&format!("{name}, {side} HMAC block"), padded);
            let mut state = INITIAL_STATE;
            compress256(&mut state, &[block]);
            let mut bytes = [0; 32];
            for (bytes, word) in bytes.chunks_exact_mut(4).zip(state) {
                bytes.copy_from_slice(&word.to_ne_bytes());
            }
            self.add(&format!("{name}, {side} HMAC state"), &bytes);
        }
    }

    fn add(&mut self, name: &str, key: &Key) {
        for (half, bytes) in ["first half", "second half"].iter().zip(key.chunks(HALF)) {
            let bytes = bytes.try_into().expect("a key has two halves");
            self.add_half(format!("{name}, {half}"), bytes);
        }
    }

    fn add_half(&mut self, name: String, bytes: [u8; HALF]) {
        self.names.push(name);
        self.halves.push(bytes);
    }

    /// A search for all of it.
    pub fn search(&self) -> Result<Search> {
        Search::new(&self.halves)
    }

    /// What was found, without its bytes.
    pub fn describe(&self, finding: &Finding) -> String {
        format!("{} as {:?}", self.names[finding.secret], finding.encoding)
    }
}

/// The subkey of a key for one purpose, as `core::keys::derive` computes it.
fn subkey(key: &Key, label: &[u8]) -> Key {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(label);
    mac.finalize().into_bytes().into()
}

/// The key schedule of AES-256 (FIPS 197 §5.2).
fn round_keys(key: &Key) -> [[u8; HALF]; 15] {
    let mut words = [[0; 4]; 60];
    for (word, bytes) in words.iter_mut().zip(key.chunks_exact(4)) {
        word.copy_from_slice(bytes);
    }
    for i in 8..words.len() {
        let mut next = words[i - 1];
        if i % 8 == 0 {
            next.rotate_left(1);
            next = next.map(substitute);
            next[0] ^= 1 << (i / 8 - 1);
        } else if i % 8 == 4 {
            next = next.map(substitute);
        }
        for (byte, earlier) in next.iter_mut().zip(words[i - 8]) {
            *byte ^= earlier;
        }
        words[i] = next;
    }
    std::array::from_fn(|i| {
        words[i * 4..][..4]
            .concat()
            .try_into()
            .expect("four words of four bytes")
    })
}

/// The S-box of AES (FIPS 197 §5.1.1): the inverse in GF(2⁸), then an affine map.
fn substitute(byte: u8) -> u8 {
    let inverse = (0..=255)
        .find(|other| multiply(byte, *other) == 1)
        .unwrap_or(0);
    (0..5).fold(0x63, |sum, turn| sum ^ inverse.rotate_left(turn))
}

/// Multiplication in GF(2⁸), modulo x⁸ + x⁴ + x³ + x + 1.
fn multiply(a: u8, b: u8) -> u8 {
    let (mut product, mut power) = (0, a);
    for bit in 0..8 {
        if b >> bit & 1 == 1 {
            product ^= power;
        }
        power = power << 1 ^ if power & 0x80 == 0 { 0 } else { 0x1b };
    }
    product
}

#[test]
fn the_key_schedule_is_the_standard_s() {
    // FIPS 197, appendix A.3.
    let key = hex::decode("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4");
    let key = key.expect("hexadecimal").try_into().expect("32 bytes");
    let schedule = round_keys(&key);
    assert_eq!(hex::encode(schedule[2]), "9ba354118e6925afa51a8b5f2067fcde");
    assert_eq!(
        hex::encode(schedule[14]),
        "fe4890d1e6188d0b046df344706c631e"
    );
}
