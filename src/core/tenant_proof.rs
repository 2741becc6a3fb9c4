//! Proofs that a session may act for a tenant: compact JWS (RFC 7515) signed with Ed25519 (RFC 8037), with claims of
//! RFC 7519. Strict: one form, one algorithm, bounded in length and time.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{ED25519, UnparsedPublicKey};
use serde::Deserialize;

/// Bytes of an Ed25519 public key.
pub const PUBLIC_KEY_LEN: usize = 32;
/// A proof is a few hundred bytes long.
pub const MAX_PROOF_LEN: usize = 4096;
/// By how much the clocks of signer and server may differ.
const LEEWAY_SECONDS: f64 = 30.0;

/// A public key that proofs are accepted from.
pub struct Authority {
    /// What a proof names in `kid`.
    pub name: String,
    /// The key, as RFC 8032 writes it.
    pub public_key: Vec<u8>,
}

/// What a proof has to say.
pub struct Expected<'a> {
    /// The tenant to enter.
    pub tenant: &'a str,
    /// The database that is asked, which `aud` names if it is there.
    pub audience: &'a str,
    /// The present time in seconds since the Unix epoch.
    pub now: i64,
    /// How far ahead `exp` may lie, in seconds.
    pub max_lifetime: i64,
}

/// Why a proof is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It is longer than [`MAX_PROOF_LEN`].
    TooLong,
    /// It has not three parts of base64url without padding, or a part is not the JSON it should be.
    Malformed,
    /// It is not signed with Ed25519.
    Algorithm,
    /// Its header demands something that is not understood (`crit`).
    Critical,
    /// There is no authority, or none of the name in `kid`.
    UnknownAuthority,
    /// No key that may have signed it has.
    Signature,
    /// It is for another tenant.
    Tenant,
    /// It is for another database.
    Audience,
    /// `exp` has passed.
    Expired,
    /// `nbf` or `iat` lies in the future.
    NotYetValid,
    /// `exp` lies too far ahead.
    TooLongLived,
}

impl Refusal {
    /// What is wrong with it.
    pub fn text(self) -> &'static str {
        match self {
            Refusal::TooLong => "it is too long",
            Refusal::Malformed => {
                "it is not a compact JWS with a JSON header and the claims \"tenant\" and \"exp\""
            }
            Refusal::Algorithm => "its \"alg\" is not \"EdDSA\"",
            Refusal::Critical => "its header has \"crit\"",
            Refusal::UnknownAuthority => "no tenant authority has the name in its \"kid\"",
            Refusal::Signature => "no tenant authority has signed it",
            Refusal::Tenant => "it is for another tenant",
            Refusal::Audience => "its \"aud\" does not name this database",
            Refusal::Expired => "it has expired",
            Refusal::NotYetValid => "its \"nbf\" or \"iat\" lies in the future",
            Refusal::TooLongLived => {
                "its \"exp\" lies further ahead than token_vault.tenant_proof_lifetime allows"
            }
        }
    }
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    crit: Option<serde_json::Value>,
}

/// A member that is there twice is an error.
#[derive(Deserialize)]
struct Claims {
    tenant: String,
    exp: f64,
    nbf: Option<f64>,
    iat: Option<f64>,
    aud: Option<Audience>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

/// Accepts a proof, or says what is wrong with it; the signature is looked at before the claims.
///
/// # Errors
/// The first thing that is wrong.
pub fn verify(proof: &str, authorities: &[Authority], expected: &Expected) -> Result<(), Refusal> {
    if proof.len() > MAX_PROOF_LEN {
        return Err(Refusal::TooLong);
    }
    let (signed, signature) = proof.rsplit_once('.').ok_or(Refusal::Malformed)?;
    let (header, claims) = signed.split_once('.').ok_or(Refusal::Malformed)?;
    if claims.contains('.') {
        return Err(Refusal::Malformed);
    }
    let header: Header = read(header)?;
    if header.alg != "EdDSA" {
        return Err(Refusal::Algorithm);
    }
    if header.crit.is_some() {
        return Err(Refusal::Critical);
    }
    let candidates: Vec<&Authority> = authorities
        .iter()
        .filter(|authority| header.kid.as_ref().is_none_or(|kid| *kid == authority.name))
        .collect();
    if candidates.is_empty() {
        return Err(Refusal::UnknownAuthority);
    }
    let signature = decode(signature)?;
    if !candidates
        .iter()
        .any(|authority| has_signed(&authority.public_key, signed.as_bytes(), &signature))
    {
        return Err(Refusal::Signature);
    }
    check(&read(claims)?, expected)
}

/// Whether `signature` is that of the key's holder for `message`.
fn has_signed(public_key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    UnparsedPublicKey::new(&ED25519, public_key)
        .verify(message, signature)
        .is_ok()
}

fn decode(part: &str) -> Result<Vec<u8>, Refusal> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| Refusal::Malformed)
}

fn read<T: for<'a> Deserialize<'a>>(part: &str) -> Result<T, Refusal> {
    serde_json::from_slice(&decode(part)?).map_err(|_| Refusal::Malformed)
}

fn check(claims: &Claims, expected: &Expected) -> Result<(), Refusal> {
    if claims.tenant != expected.tenant {
        return Err(Refusal::Tenant);
    }
    let is_for_us = match &claims.aud {
        None => true,
        Some(Audience::One(name)) => name == expected.audience,
        Some(Audience::Several(names)) => names.iter().any(|name| name == expected.audience),
    };
    if !is_for_us {
        return Err(Refusal::Audience);
    }
    let now = expected.now as f64;
    if claims.exp <= now {
        return Err(Refusal::Expired);
    }
    if claims.exp > now + expected.max_lifetime as f64 + LEEWAY_SECONDS {
        return Err(Refusal::TooLongLived);
    }
    let begins = [claims.nbf, claims.iat].into_iter().flatten();
    if begins.into_iter().any(|time| time > now + LEEWAY_SECONDS) {
        return Err(Refusal::NotYetValid);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ring::signature::{Ed25519KeyPair, KeyPair};
    use serde_json::{Value, json};

    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn pair(seed: u8) -> Ed25519KeyPair {
        Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).expect("a seed")
    }

    fn authority(name: &str, seed: u8) -> Authority {
        Authority {
            name: name.into(),
            public_key: pair(seed).public_key().as_ref().to_vec(),
        }
    }

    fn sign(seed: u8, header: &str, claims: &str) -> String {
        let signed = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(header),
            URL_SAFE_NO_PAD.encode(claims)
        );
        let signature = pair(seed).sign(signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn proof(claims: &Value) -> String {
        sign(1, r#"{"alg":"EdDSA"}"#, &claims.to_string())
    }

    fn judged(proof: &str) -> Result<(), Refusal> {
        let expected = Expected {
            tenant: "blue",
            audience: "app",
            now: NOW,
            max_lifetime: 300,
        };
        verify(
            proof,
            &[authority("other", 2), authority("app", 1)],
            &expected,
        )
    }

    /// RFC 8037, appendix A.4 and A.5.
    #[test]
    fn the_example_of_the_rfc() {
        let key = decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo").expect("a key");
        let jws = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
        let (signed, signature) = jws.rsplit_once('.').expect("three parts");
        let signature = decode(signature).expect("a signature");
        assert!(has_signed(&key, signed.as_bytes(), &signature));
        assert!(!has_signed(&key, b"another message", &signature));
    }

    #[test]
    fn what_is_accepted() {
        let base = json!({"tenant": "blue", "exp": NOW + 60});
        let with = |name: &str, value: Value| {
            let mut claims = base.clone();
            claims[name] = value;
            claims
        };
        for claims in [
            base.clone(),
            with("exp", json!(NOW + 300)),
            with("exp", json!(NOW as f64 + 0.5)),
            with("nbf", json!(NOW)),
            with("iat", json!(NOW - 1000)),
            with("iat", json!(NOW + 30)),
            with("aud", json!("app")),
            with("aud", json!(["other", "app"])),
            with("sub", json!({"what": "ever"})),
        ] {
            assert_eq!(judged(&proof(&claims)), Ok(()), "{claims}");
        }
        let named = sign(1, r#"{"alg":"EdDSA","kid":"app"}"#, &base.to_string());
        assert_eq!(judged(&named), Ok(()));
    }

    #[test]
    fn what_is_refused_by_its_claims() {
        let base = json!({"tenant": "blue", "exp": NOW + 60});
        for (name, value, refusal) in [
            ("tenant", json!("red"), Refusal::Tenant),
            ("tenant", json!("Blue"), Refusal::Tenant),
            ("tenant", json!(["blue"]), Refusal::Malformed),
            ("tenant", Value::Null, Refusal::Malformed),
            ("exp", json!(NOW), Refusal::Expired),
            ("exp", json!(-1), Refusal::Expired),
            ("exp", json!(NOW + 331), Refusal::TooLongLived),
            ("exp", json!(1e300), Refusal::TooLongLived),
            ("exp", json!("1800000060"), Refusal::Malformed),
            ("exp", Value::Null, Refusal::Malformed),
            ("nbf", json!(NOW + 31), Refusal::NotYetValid),
            ("iat", json!(NOW + 31), Refusal::NotYetValid),
            ("nbf", json!("soon"), Refusal::Malformed),
            ("aud", json!("other"), Refusal::Audience),
            ("aud", json!([]), Refusal::Audience),
            ("aud", json!(7), Refusal::Malformed),
        ] {
            let mut claims = base.clone();
            claims[name] = value;
            assert_eq!(judged(&proof(&claims)), Err(refusal), "{claims}");
        }
        for claims in ["{}", "[]", "", r#"{"tenant":"blue"}"#, r#"{"exp":1}"#] {
            let refused = judged(&sign(1, r#"{"alg":"EdDSA"}"#, claims));
            assert_eq!(refused, Err(Refusal::Malformed), "{claims}");
        }
        let twice = format!(r#"{{"tenant":"blue","exp":{},"tenant":"red"}}"#, NOW + 60);
        let refused = judged(&sign(1, r#"{"alg":"EdDSA"}"#, &twice));
        assert_eq!(refused, Err(Refusal::Malformed));
    }

    #[test]
    fn what_is_refused_by_its_header_and_signature() {
        let claims = json!({"tenant": "blue", "exp": NOW + 60}).to_string();
        for (header, refusal) in [
            (r#"{"alg":"none"}"#, Refusal::Algorithm),
            (r#"{"alg":"HS256"}"#, Refusal::Algorithm),
            (r#"{"alg":"eddsa"}"#, Refusal::Algorithm),
            (r#"{"alg":"EdDSA","crit":["b64"]}"#, Refusal::Critical),
            (
                r#"{"alg":"EdDSA","kid":"nobody"}"#,
                Refusal::UnknownAuthority,
            ),
            (r#"{"alg":"EdDSA","kid":"other"}"#, Refusal::Signature),
            (r#"{"alg":"EdDSA","alg":"EdDSA"}"#, Refusal::Malformed),
            ("{}", Refusal::Malformed),
            ("", Refusal::Malformed),
        ] {
            assert_eq!(judged(&sign(1, header, &claims)), Err(refusal), "{header}");
        }
        let good = sign(1, r#"{"alg":"EdDSA"}"#, &claims);
        assert_eq!(
            judged(&sign(3, r#"{"alg":"EdDSA"}"#, &claims)),
            Err(Refusal::Signature)
        );
        let (signed, signature) = good.rsplit_once('.').expect("three parts");
        for (broken, refusal) in [
            (format!("{signed}."), Refusal::Signature),
            (format!("{good}A"), Refusal::Signature),
            (format!("{good}="), Refusal::Malformed),
            (format!(" {good}"), Refusal::Malformed),
            (signed.to_owned(), Refusal::Malformed),
            (format!("{signed}.x.{signature}"), Refusal::Malformed),
            (String::new(), Refusal::Malformed),
            (format!("{signed}.{}", "A".repeat(5000)), Refusal::TooLong),
        ] {
            assert_eq!(judged(&broken), Err(refusal), "{broken}");
        }
        let none: &[Authority] = &[];
        let expected = Expected {
            tenant: "blue",
            audience: "app",
            now: NOW,
            max_lifetime: 300,
        };
        assert_eq!(
            verify(&good, none, &expected),
            Err(Refusal::UnknownAuthority)
        );
    }

    proptest! {
        #[test]
        fn nothing_that_was_not_signed_is_accepted(
            text in ".{0,60}", header in r#"\{"alg":"EdDSA"(,"[a-z]{3,4}":("[a-z]*"|[0-9]+|null))?\}"#, claims in ".{0,60}", tail in "[A-Za-z0-9_-]{86}",
        ) {
            prop_assert!(judged(&text).is_err());
            let encode = |part: &str| URL_SAFE_NO_PAD.encode(part);
            let forged = format!("{}.{}.{tail}", encode(&header), encode(&claims));
            prop_assert!(judged(&forged).is_err());
            // Signed, but by chance no claims.
            prop_assert!(judged(&sign(1, &header, &claims)).is_err());
        }
    }

    /// Every single changed character of a proof is noticed.
    #[test]
    fn no_character_can_be_changed() {
        let good = proof(&json!({"tenant": "blue", "exp": NOW + 60}));
        assert_eq!(judged(&good), Ok(()));
        for at in 0..good.len() {
            let mut bytes = good.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).expect("ASCII");
            assert!(judged(&changed).is_err(), "{at}");
        }
    }
}
