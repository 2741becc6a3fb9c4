//! The chain: what is authenticated, and the walk along it.

use super::Entry;

/// Bytes of a code: HMAC-SHA-256.
pub const MAC_LEN: usize = 32;

/// The code of an entry.
pub type Mac = [u8; MAC_LEN];

/// What stands for the code before the first entry.
pub const BEGINNING: Mac = [0; MAC_LEN];

/// A code as text.
pub fn show_mac(mac: &Mac) -> String {
    hex::encode(mac)
}

/// The code of a text; None: it is none.
pub fn parse_mac(text: &str) -> Option<Mac> {
    hex::decode(text).ok()?.try_into().ok()
}

/// What the code of an entry authenticates: the code before it, its place, and all it says.
pub fn entry_message(previous: &Mac, position: i64, entry: &Entry) -> Vec<u8> {
    let mut message = Vec::with_capacity(256);
    message.extend_from_slice(b"token_vault audit entry 1");
    message.extend_from_slice(previous);
    message.extend_from_slice(&position.to_be_bytes());
    entry.encode(&mut message);
    message
}

/// The same of many entries at one place; `entry` says when the first of them was, and that it is a batch.
pub fn batch_message(previous: &Mac, position: i64, entry: &Entry, batch: &[u8]) -> Vec<u8> {
    let mut message = Vec::with_capacity(256 + batch.len());
    message.extend_from_slice(b"token_vault audit batch 1");
    message.extend_from_slice(previous);
    message.extend_from_slice(&position.to_be_bytes());
    entry.encode(&mut message);
    message.extend_from_slice(batch);
    message
}

/// What authenticates that a run of entries was taken out of the log because it was old; `last_mac` is the code of the last.
pub fn cut_message(first: i64, last: i64, last_mac: &Mac) -> Vec<u8> {
    let mut message = b"token_vault audit cut 1".to_vec();
    message.extend_from_slice(&first.to_be_bytes());
    message.extend_from_slice(&last.to_be_bytes());
    message.extend_from_slice(last_mac);
    message
}

/// What is wrong with a chain, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// The entry is not what was sealed at this place.
    Changed(i64),
    /// Entries that were sealed are not there: from, to.
    Missing(i64, i64),
    /// There is one more entry at this place.
    Inserted(i64),
}

/// Goes along a chain, place by place.
pub struct Walk {
    next: i64,
    /// The code before `next`; None: it is not known.
    previous: Option<Mac>,
    /// The one before that, in case there are two entries at one place.
    before: Option<Mac>,
}

impl Walk {
    /// Begins at a place. `previous` is the code before it, if that is known.
    pub fn new(next: i64, previous: Option<Mac>) -> Walk {
        Walk {
            next,
            previous,
            before: None,
        }
    }

    /// The place that comes next.
    pub fn next(&self) -> i64 {
        self.next
    }

    /// Looks at the entry at `position`, which has the code `stored`; entries come in the order of their places.
    /// `expected` computes what it should be after a certain code.
    pub fn step(
        &mut self,
        position: i64,
        stored: &Mac,
        expected: impl Fn(&Mac) -> Mac,
    ) -> Vec<Finding> {
        let fits = |previous: Option<Mac>| previous.is_none_or(|mac| expected(&mac) == *stored);
        if position < self.next {
            if position + 1 == self.next && self.before.is_some() && fits(self.before) {
                self.previous = Some(*stored); // the other one of the two was planted
            }
            return vec![Finding::Inserted(position)];
        }
        let mut findings = Vec::new();
        if position > self.next {
            findings.push(Finding::Missing(self.next, position - 1));
            self.previous = None;
        }
        if !fits(self.previous) {
            findings.push(Finding::Changed(position));
        }
        // What follows was sealed after the code that stood here: only what is wrong itself is reported.
        self.before = self.previous.replace(*stored);
        self.next = position + 1;
        findings
    }

    /// Passes over entries that were taken out because they were old.
    pub fn pass_over(&mut self, last: i64, last_mac: Mac) {
        self.next = last + 1;
        self.before = None;
        self.previous = Some(last_mac);
    }

    /// The end of the log, where the head says what the last place and its code are.
    pub fn end(&self, position: i64, mac: &Mac) -> Option<Finding> {
        match self.next - 1 {
            last if last < position => Some(Finding::Missing(last + 1, position)),
            last if last > position => Some(Finding::Inserted(position + 1)),
            last => self
                .previous
                .is_some_and(|previous| previous != *mac)
                .then_some(Finding::Changed(last)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envelope::{KEY_LEN, KeyId};
    use crate::keys::DataKey;

    fn key() -> DataKey {
        DataKey::new(KeyId(1), &[7; KEY_LEN])
    }

    fn entry(at: i64) -> Entry<'static> {
        Entry {
            at,
            event: "read",
            subject: Some("user-42"),
            ..Entry::default()
        }
    }

    type Row = (i64, Entry<'static>, Mac);

    fn chain(length: i64) -> Vec<Row> {
        let mut previous = BEGINNING;
        (1..=length)
            .map(|position| {
                previous = key().audit_mac(&entry_message(&previous, position, &entry(position)));
                (position, entry(position), previous)
            })
            .collect()
    }

    fn findings(rows: &[Row], head: &Row) -> Vec<Finding> {
        let mut walk = Walk::new(1, Some(BEGINNING));
        let mut found = Vec::new();
        for (position, entry, mac) in rows {
            let expected =
                |previous: &Mac| key().audit_mac(&entry_message(previous, *position, entry));
            found.extend(walk.step(*position, mac, expected));
        }
        found.extend(walk.end(head.0, &head.2));
        found
    }

    #[test]
    fn a_code_is_fixed_for_all_time() {
        assert_eq!(
            show_mac(&chain(2)[1].2),
            "2b186ec2d3d2fcb392f7c239711449432cf9d745d01d0fc07782af28bc8bc85a"
        );
    }

    #[test]
    fn a_code_has_a_text() {
        let mac = chain(1)[0].2;
        assert_eq!(parse_mac(&show_mac(&mac)), Some(mac));
        for text in ["", "00", "zz", &"0".repeat(63), &"0".repeat(66)] {
            assert_eq!(parse_mac(text), None, "{text}");
        }
    }

    #[test]
    fn a_whole_chain_has_no_findings() {
        let rows = chain(5);
        assert_eq!(findings(&rows, &rows[4]), []);
        assert_eq!(findings(&[], &(0, entry(0), BEGINNING)), []);
    }

    #[test]
    fn a_changed_entry_is_the_only_one_that_is_found() {
        let mut rows = chain(5);
        let head = rows[4];
        rows[2].1.subject = Some("user-43");
        assert_eq!(findings(&rows, &head), [Finding::Changed(3)]);
    }

    #[test]
    fn entries_that_have_changed_places_are_found() {
        let mut rows = chain(5);
        let head = rows[4];
        let first = rows[1].1;
        rows[1].1 = rows[2].1;
        rows[2].1 = first;
        assert_eq!(
            findings(&rows, &head),
            [Finding::Changed(2), Finding::Changed(3)]
        );
    }

    #[test]
    fn missing_entries_are_found() {
        let mut rows = chain(5);
        let head = rows[4];
        rows.drain(1..3);
        assert_eq!(findings(&rows, &head), [Finding::Missing(2, 3)]);
        rows.remove(0);
        assert_eq!(findings(&rows, &head), [Finding::Missing(1, 3)]);
    }

    #[test]
    fn closing_the_gap_does_not_help() {
        let mut rows = chain(5);
        rows.remove(2);
        rows[2].0 = 3;
        rows[3].0 = 4;
        let head = rows[3];
        assert_eq!(
            findings(&rows, &head),
            [Finding::Changed(3), Finding::Changed(4)]
        );
    }

    #[test]
    fn a_planted_entry_is_found_before_and_behind_the_other() {
        let rows = chain(4);
        for place in [1, 2] {
            let mut planted = rows.clone();
            planted.insert(place, (2, entry(99), [1; MAC_LEN]));
            let found = findings(&planted, &rows[3]);
            assert!(found.contains(&Finding::Inserted(2)), "{found:?}");
            assert!(!found.contains(&Finding::Changed(3)), "{found:?}");
        }
    }

    #[test]
    fn a_tail_that_is_cut_off_or_longer_than_the_head_is_found() {
        let rows = chain(5);
        assert_eq!(findings(&rows[..3], &rows[4]), [Finding::Missing(4, 5)]);
        assert_eq!(findings(&rows, &rows[3]), [Finding::Inserted(5)]);
        let forged = (5, entry(5), [1; MAC_LEN]);
        assert_eq!(findings(&rows, &forged), [Finding::Changed(5)]);
    }

    #[test]
    fn a_batch_is_no_entry() {
        let entry = entry(1);
        let batch = batch_message(&BEGINNING, 1, &entry, b"");
        assert_ne!(batch, entry_message(&BEGINNING, 1, &entry));
        assert_ne!(batch, batch_message(&BEGINNING, 1, &entry, b"x"));
    }

    #[test]
    fn what_was_taken_out_is_passed_over() {
        let rows = chain(5);
        let mut walk = Walk::new(1, Some(BEGINNING));
        walk.pass_over(3, rows[2].2);
        for (position, entry, mac) in &rows[3..] {
            let expected =
                |previous: &Mac| key().audit_mac(&entry_message(previous, *position, entry));
            assert_eq!(walk.step(*position, mac, expected), []);
        }
        assert_eq!(walk.end(5, &rows[4].2), None);
        assert_ne!(cut_message(1, 3, &rows[2].2), cut_message(1, 4, &rows[2].2));
    }
}
