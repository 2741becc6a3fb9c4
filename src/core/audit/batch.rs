//! Many entries at one place. Most of them differ in their time and their subject only: what an entry has in common with
//! the one before it is not written again.

use super::entry::{self, BadEntry, Entry, TEXTS};

/// Entries one behind the other: of each its time, which of its texts are those of the entry before it (two bytes, the
/// lowest bit for the first text), and the other ones. The first entry follows one without time and texts.
pub struct Batch<'a> {
    rest: &'a [u8],
    previous: [Option<&'a str>; TEXTS],
}

impl<'a> Batch<'a> {
    /// The bytes of these entries.
    pub fn encode(entries: &[Entry]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(entries.len() * 32);
        let mut previous = Entry::default().texts();
        for entry in entries {
            let texts = entry.texts();
            let is_repeated = |place: &usize| texts[*place] == previous[*place];
            let repeated = (0..TEXTS)
                .filter(is_repeated)
                .fold(0, |bits: u16, place| bits | 1 << place);
            bytes.extend_from_slice(&entry.at.to_be_bytes());
            bytes.extend_from_slice(&repeated.to_be_bytes());
            for place in (0..TEXTS).filter(|place| !is_repeated(place)) {
                entry::append(&mut bytes, texts[place]);
            }
            previous = texts;
        }
        bytes
    }

    /// Of bytes that [`Batch::encode`] has made.
    pub fn new(bytes: &'a [u8]) -> Batch<'a> {
        Batch {
            rest: bytes,
            previous: Entry::default().texts(),
        }
    }

    /// All entries of these bytes.
    ///
    /// # Errors
    /// Where the bytes are none of a batch.
    pub fn decode(bytes: &'a [u8]) -> Result<Vec<Entry<'a>>, BadEntry> {
        let mut batch = Batch::new(bytes);
        let mut entries = Vec::new();
        while !batch.rest.is_empty() {
            entries.push(batch.take_entry()?);
        }
        Ok(entries)
    }

    fn take_entry(&mut self) -> Result<Entry<'a>, BadEntry> {
        let (at, rest) = self.rest.split_first_chunk().ok_or(BadEntry)?;
        let (repeated, mut rest) = rest.split_first_chunk().ok_or(BadEntry)?;
        let repeated = u16::from_be_bytes(*repeated);
        for (place, text) in self.previous.iter_mut().enumerate() {
            if repeated & 1 << place == 0 {
                *text = entry::take(&mut rest)?;
            }
        }
        self.rest = rest;
        Entry::from_texts(i64::from_be_bytes(*at), self.previous).ok_or(BadEntry)
    }
}

/// Ends where the bytes are none of a batch.
impl<'a> Iterator for Batch<'a> {
    type Item = Entry<'a>;

    fn next(&mut self) -> Option<Entry<'a>> {
        let entry = self.take_entry();
        if entry.is_err() {
            self.rest = &[];
        }
        entry.ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(at: i64, subject: Option<&str>) -> Entry<'_> {
        Entry {
            at,
            event: "read",
            role: Some("app"),
            subject,
            ..Entry::default()
        }
    }

    #[test]
    fn only_what_differs_is_written() {
        let entries = [
            read(1, Some("ann")),
            read(2, Some("ann")),
            read(3, Some("bob")),
            read(4, None),
        ];
        let batch = Batch::encode(&entries);
        let mut expected =
            b"\0\0\0\0\0\0\0\x01\x07\x7a\0\0\0\x04read\0\0\0\x03app\0\0\0\x03ann".to_vec();
        expected.extend(b"\0\0\0\0\0\0\0\x02\x07\xff");
        expected.extend(b"\0\0\0\0\0\0\0\x03\x07\x7f\0\0\0\x03bob");
        expected.extend(b"\0\0\0\0\0\0\0\x04\x07\x7f\xff\xff\xff\xff");
        assert_eq!(batch, expected);
        assert_eq!(Batch::new(&batch).collect::<Vec<_>>(), entries);
    }

    #[test]
    fn it_ends_where_the_bytes_are_none_of_a_batch() {
        let entries = [read(1, Some("ann")), read(2, Some("bob"))];
        let batch = Batch::encode(&entries);
        assert_eq!(
            Batch::new(&batch[..batch.len() - 1]).collect::<Vec<_>>(),
            entries[..1]
        );
        assert_eq!(Batch::new(&[9; 7]).count(), 0);
        assert_eq!(Batch::decode(&batch), Ok(entries.to_vec()));
        assert_eq!(Batch::decode(&batch[..batch.len() - 1]), Err(BadEntry));
        assert_eq!(Batch::decode(&[]), Ok(Vec::new()));
    }

    proptest! {
        #[test]
        fn entries_come_back(texts in proptest::collection::vec((any::<i64>(), "[ab]", proptest::option::of("[ab]?")), 0..20)) {
            let entries: Vec<_> = texts.iter().map(|(at, event, reason)| {
                Entry { at: *at, event, reason: reason.as_deref(), ..Entry::default() }
            }).collect();
            let batch = Batch::encode(&entries);
            prop_assert_eq!(Batch::new(&batch).collect::<Vec<_>>(), entries);
        }

        #[test]
        fn arbitrary_bytes_do_no_harm(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            Batch::new(&bytes).for_each(drop);
        }
    }
}
