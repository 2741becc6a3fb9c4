//! One entry, and its bytes: what is hashed, and what lies in the buffer until it is written.

/// What has happened. Names and codes, never a secret.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Entry<'a> {
    /// When, in microseconds since 1970.
    pub at: i64,
    /// What: `read`, `stored`, `denied`, …
    pub event: &'a str,
    /// The role that logged in; None: the server's own process.
    pub login_role: Option<&'a str>,
    /// The role that acted, after `SET ROLE` and inside `SECURITY DEFINER` functions.
    pub role: Option<&'a str>,
    /// What the client calls itself, or the process's name.
    pub application_name: Option<&'a str>,
    /// None: a Unix socket.
    pub client_address: Option<&'a str>,
    /// What it was about, as far as that is known.
    pub tenant: Option<&'a str>,
    /// Of the token or client.
    pub provider: Option<&'a str>,
    /// Of the token.
    pub subject: Option<&'a str>,
    /// Of the token.
    pub label: Option<&'a str>,
    /// Why, in the words of whoever asked.
    pub reason: Option<&'a str>,
    /// JSON.
    pub detail: Option<&'a str>,
}

/// The bytes are no entry.
#[derive(Debug, PartialEq, Eq)]
pub struct BadEntry;

/// How many texts an entry has.
pub(super) const TEXTS: usize = 11;
/// The length of a text that is not there.
const ABSENT: u32 = u32::MAX;

impl<'a> Entry<'a> {
    /// The texts in their order, which never changes.
    pub(super) fn texts(&self) -> [Option<&'a str>; TEXTS] {
        [
            Some(self.event),
            self.login_role,
            self.role,
            self.application_name,
            self.client_address,
            self.tenant,
            self.provider,
            self.subject,
            self.label,
            self.reason,
            self.detail,
        ]
    }

    /// Appends its bytes: the time, then each text with its length in four bytes before it. No two entries share them.
    pub fn encode(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.at.to_be_bytes());
        for text in self.texts() {
            append(bytes, text);
        }
    }

    /// The entry that [`Entry::encode`] made these bytes of.
    pub fn decode(bytes: &'a [u8]) -> Result<Entry<'a>, BadEntry> {
        let (at, mut rest) = bytes.split_first_chunk().ok_or(BadEntry)?;
        let mut texts = [None; TEXTS];
        for text in &mut texts {
            *text = take(&mut rest)?;
        }
        if !rest.is_empty() {
            return Err(BadEntry);
        }
        Entry::from_texts(i64::from_be_bytes(*at), texts).ok_or(BadEntry)
    }

    /// The entry with these texts, in the order of its columns; None where its event is missing.
    pub fn from_texts(at: i64, texts: [Option<&'a str>; TEXTS]) -> Option<Entry<'a>> {
        let [
            event,
            login_role,
            role,
            application_name,
            client_address,
            tenant,
            provider,
            subject,
            label,
            reason,
            detail,
        ] = texts;
        Some(Entry {
            at,
            event: event?,
            login_role,
            role,
            application_name,
            client_address,
            tenant,
            provider,
            subject,
            label,
            reason,
            detail,
        })
    }
}

/// Appends a text, or that there is none.
pub(super) fn append(bytes: &mut Vec<u8>, text: Option<&str>) {
    let length = text.map_or(ABSENT, |text| {
        u32::try_from(text.len()).expect("PostgreSQL's texts end at 1 GiB")
    });
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(text.unwrap_or_default().as_bytes());
}

/// Takes away what [`append`] has appended.
pub(super) fn take<'a>(rest: &mut &'a [u8]) -> Result<Option<&'a str>, BadEntry> {
    let (length, after) = rest.split_first_chunk().ok_or(BadEntry)?;
    *rest = after;
    let length = u32::from_be_bytes(*length);
    if length == ABSENT {
        return Ok(None);
    }
    let (text, after) = rest.split_at_checked(length as usize).ok_or(BadEntry)?;
    *rest = after;
    std::str::from_utf8(text).map(Some).map_err(|_| BadEntry)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_bytes_are_fixed_for_all_time() {
        let entry = Entry {
            at: 1,
            event: "read",
            role: Some("app"),
            label: Some(""),
            ..Entry::default()
        };
        let mut bytes = Vec::new();
        entry.encode(&mut bytes);
        let absent = [0xff; 4];
        let mut expected = b"\0\0\0\0\0\0\0\x01\0\0\0\x04read".to_vec();
        expected.extend(absent);
        expected.extend(b"\0\0\0\x03app");
        expected.extend(absent.repeat(5));
        expected.extend([0; 4]);
        expected.extend(absent.repeat(2));
        assert_eq!(bytes, expected);
        assert_eq!(Entry::decode(&bytes), Ok(entry));
    }

    #[test]
    fn cut_or_lengthened_bytes_are_no_entry() {
        let mut bytes = Vec::new();
        Entry {
            event: "read",
            detail: Some("{}"),
            ..Entry::default()
        }
        .encode(&mut bytes);
        for end in 0..bytes.len() {
            assert_eq!(Entry::decode(&bytes[..end]), Err(BadEntry), "{end}");
        }
        bytes.push(0);
        assert_eq!(Entry::decode(&bytes), Err(BadEntry));
    }

    proptest! {
        #[test]
        fn what_is_encoded_decodes(at in any::<i64>(), event in ".*", role in proptest::option::of(".*"), subject in proptest::option::of(".*")) {
            let entry = Entry { at, event: &event, role: role.as_deref(), subject: subject.as_deref(), ..Entry::default() };
            let mut bytes = Vec::new();
            entry.encode(&mut bytes);
            prop_assert_eq!(Entry::decode(&bytes), Ok(entry));
        }

        #[test]
        fn arbitrary_bytes_do_no_harm(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Entry::decode(&bytes);
        }
    }
}
