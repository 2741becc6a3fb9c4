//! A statement's text without what it hides. An application sends the same few texts again and again, so the last one is
//! remembered: by its hash, because the text itself may hold a secret.

use std::cell::RefCell;
use std::hash::{BuildHasher, RandomState};

use token_vault_core::redact::Text;
use token_vault_core::redact::literals::{hidden, mask, redact};

/// Longer texts are not kept.
const MAX_KEPT: usize = 16 * 1024;

/// One text, cleaned.
pub struct Cleaned {
    hash: u64,
    length: usize,
    /// What is to be hidden overwritten, and a NUL; None: there is nothing to hide.
    pub masked: Option<Vec<u8>>,
    /// What is to be hidden replaced, and a NUL.
    pub redacted: Vec<u8>,
}

thread_local! {
    /// Its keys are this process's secret: whoever chooses texts can't make two of one hash.
    static HASHER: RandomState = RandomState::new();
    static LAST: RefCell<Option<Cleaned>> = const { RefCell::new(None) };
}

/// Calls `work` with a text's cleaned forms.
pub fn with<R>(text: &[u8], work: impl FnOnce(&Cleaned) -> R) -> R {
    let hash = HASHER.with(|hasher| hasher.hash_one(text));
    LAST.with_borrow_mut(|last| {
        let cleaned = last
            .take_if(|last| last.hash == hash && last.length == text.len())
            .unwrap_or_else(|| Cleaned::of(text, hash));
        let outcome = work(&cleaned);
        *last = (text.len() <= MAX_KEPT).then_some(cleaned);
        outcome
    })
}

impl Cleaned {
    fn of(text: &[u8], hash: u64) -> Cleaned {
        // Nothing but `*` where there is no memory to do better.
        let c_string = |text: Result<Text, _>| {
            text.and_then(Text::into_c_string)
                .unwrap_or_else(|_| vec![b'*', 0])
        };
        let hides_something = hidden(text).next().is_some();
        Cleaned {
            hash,
            length: text.len(),
            masked: hides_something.then(|| c_string(mask(text))),
            redacted: c_string(redact(text)),
        }
    }
}
