//! An answer that was not understood, as it is kept: it may hold a refresh token that the provider has rotated, and
//! may be understood once the provider's row has been mended.

use crate::secret::SecretBytes;

/// What is needed to read an answer once more.
#[derive(Debug)]
pub struct KeptAnswer {
    /// HTTP status.
    pub status: u16,
    /// The header `Content-Type`.
    pub content_type: Option<String>,
    /// The body.
    pub body: SecretBytes,
}

impl KeptAnswer {
    /// Status and length of the content type in two bytes each, big-endian, then content type and body.
    pub fn to_bytes(&self) -> SecretBytes {
        // A header that long means nothing.
        let content_type = (self.content_type.as_deref())
            .filter(|kind| kind.len() <= usize::from(u16::MAX))
            .unwrap_or_default();
        let length = u16::try_from(content_type.len()).expect("was checked");
        let mut bytes = Vec::with_capacity(4 + content_type.len() + self.body.expose().len());
        bytes.extend(self.status.to_be_bytes());
        bytes.extend(length.to_be_bytes());
        bytes.extend(content_type.as_bytes());
        bytes.extend(self.body.expose());
        SecretBytes::from_vec(bytes)
    }

    /// Reads what [`KeptAnswer::to_bytes`] has written; `None` for anything else.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (status, rest) = bytes.split_first_chunk()?;
        let (length, rest) = rest.split_first_chunk()?;
        let (content_type, body) = rest.split_at_checked(u16::from_be_bytes(*length).into())?;
        let content_type = std::str::from_utf8(content_type).ok()?;
        Some(Self {
            status: u16::from_be_bytes(*status),
            content_type: (!content_type.is_empty()).then(|| content_type.to_owned()),
            body: SecretBytes::from_vec(body.to_vec()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_kept_is_read_back(status: u16, content_type in proptest::option::of("[a-z/]{1,20}"), body: Vec<u8>) {
            let kept = KeptAnswer { status, content_type, body: SecretBytes::from_vec(body) };
            let read = KeptAnswer::from_bytes(kept.to_bytes().expose()).unwrap();
            prop_assert_eq!(read.status, kept.status);
            prop_assert_eq!(read.content_type, kept.content_type);
            prop_assert_eq!(read.body.expose(), kept.body.expose());
        }

        #[test]
        fn other_bytes_do_no_harm(bytes: Vec<u8>) {
            let _ = KeptAnswer::from_bytes(&bytes);
        }
    }
}
