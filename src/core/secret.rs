//! Types whose plaintext cannot be formatted and is wiped on drop.
//!
//! None of them implements `Display`, `PartialEq` or `Serialize`; `Debug` prints the type's name only. The one way
//! to the plaintext is a call to `expose`, which is easy to search for.

use std::{fmt, mem};

/// Secret bytes: a decrypted value, a request body, an answer's body.
#[derive(Clone, Default)]
pub struct SecretBytes(Vec<u8>);

impl SecretBytes {
    /// Takes the bytes over without copying them. Copies that the caller still has are the caller's to wipe.
    pub fn from_vec(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The plaintext. Never log, format or store what this returns.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// Length in bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no bytes at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Drop for SecretBytes {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretBytes([redacted])")
    }
}

/// Secret UTF-8 text: a token, a client secret, a URL or header that contains one.
#[derive(Clone, Default)]
pub struct SecretString(String);

impl SecretString {
    /// Takes the text over without copying it.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The plaintext. Never log, format or store what this returns.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The same plaintext as bytes, without a copy.
    pub fn into_bytes(mut self) -> SecretBytes {
        SecretBytes::from_vec(mem::take(&mut self.0).into_bytes())
    }

    /// Length in bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the text is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Drop for SecretString {
    fn drop(&mut self) {
        wipe_string(mem::take(&mut self.0));
    }
}

impl fmt::Debug for SecretString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretString([redacted])")
    }
}

/// Secret bytes were not UTF-8. Carries nothing: neither the bytes nor where the fault is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotUtf8;

impl fmt::Display for NotUtf8 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("secret value is not valid UTF-8")
    }
}

impl std::error::Error for NotUtf8 {}

impl TryFrom<SecretBytes> for SecretString {
    type Error = NotUtf8;

    fn try_from(mut bytes: SecretBytes) -> Result<Self, NotUtf8> {
        String::from_utf8(mem::take(&mut bytes.0))
            .map(Self)
            .map_err(|fault| {
                wipe(&mut fault.into_bytes());
                NotUtf8
            })
    }
}

/// A secret with a meaning of its own, so that one kind cannot be passed for another.
macro_rules! secret_newtype {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name(SecretString);

        impl $name {
            /// Takes the text over without copying it.
            pub fn new(text: String) -> Self {
                Self(SecretString::new(text))
            }

            /// The plaintext. Never log, format or store what this returns.
            pub fn expose(&self) -> &str {
                self.0.expose()
            }

            /// The same plaintext as bytes, without a copy.
            pub fn into_bytes(self) -> SecretBytes {
                self.0.into_bytes()
            }
        }

        impl TryFrom<SecretBytes> for $name {
            type Error = NotUtf8;

            fn try_from(bytes: SecretBytes) -> Result<Self, NotUtf8> {
                SecretString::try_from(bytes).map(Self)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "([redacted])"))
            }
        }
    };
}

secret_newtype!(
    /// An access token (RFC 6749 §1.4).
    AccessToken
);
secret_newtype!(
    /// A refresh token (RFC 6749 §1.5).
    RefreshToken
);
secret_newtype!(
    /// An ID token (OpenID Connect Core §2): personal data, though no credential for an API.
    IdToken
);
secret_newtype!(
    /// A client's secret at its provider (RFC 6749 §2.3.1).
    ClientSecret
);

/// Overwrites the whole allocation, spare capacity included, and empties the vector.
///
/// `zeroize` on a `Vec<u8>` writes byte by byte (a quarter of the time of decrypting a token); a fill followed by the
/// same crate's barrier is a `memset` that the compiler has to keep.
pub fn wipe(bytes: &mut Vec<u8>) {
    bytes.clear();
    bytes.resize(bytes.capacity(), 0);
    zeroize::optimization_barrier(bytes.as_slice());
    bytes.clear();
}

/// Overwrites a slice in place, with the same guarantee as [`wipe`].
pub fn wipe_slice(bytes: &mut [u8]) {
    bytes.fill(0);
    zeroize::optimization_barrier(bytes);
}

/// Overwrites and frees text that turned out to hold a secret.
pub fn wipe_string(text: String) {
    wipe(&mut text.into_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_names_the_type_and_nothing_else() {
        let text = "tok-visible".to_string();
        let shown = [
            format!("{:?}", SecretBytes::from_vec(text.clone().into_bytes())),
            format!("{:?}", SecretString::new(text.clone())),
            format!("{:?}", AccessToken::new(text.clone())),
            format!("{:?}", RefreshToken::new(text.clone())),
            format!("{:?}", IdToken::new(text.clone())),
            format!("{:#?}", ClientSecret::new(text)),
        ];
        let names = [
            "SecretBytes",
            "SecretString",
            "AccessToken",
            "RefreshToken",
            "IdToken",
            "ClientSecret",
        ];
        for (shown, name) in shown.iter().zip(names) {
            assert_eq!(*shown, format!("{name}([redacted])"));
        }
    }

    #[test]
    fn text_is_checked_to_be_utf8() {
        let text = SecretString::try_from(SecretBytes::from_vec("schlüssel".into())).unwrap();
        assert_eq!(text.expose(), "schlüssel");
        let fault = AccessToken::try_from(SecretBytes::from_vec(vec![b'a', 0xff])).unwrap_err();
        assert_eq!(fault.to_string(), "secret value is not valid UTF-8");
    }

    #[test]
    fn wiping_overwrites_in_place() {
        let mut bytes = Vec::with_capacity(64);
        bytes.extend_from_slice(b"secret");
        wipe_slice(&mut bytes[..3]);
        assert_eq!(bytes, b"\0\0\0ret");
        let (capacity, address) = (bytes.capacity(), bytes.as_ptr());
        wipe(&mut bytes);
        assert!(bytes.is_empty());
        assert_eq!(
            (bytes.capacity(), bytes.as_ptr()),
            (capacity, address),
            "a new allocation would leave the old one"
        );
    }
}
