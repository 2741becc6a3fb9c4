//! Entries that are not in the table yet: in shared memory, so that they survive a rollback and cost their reader no
//! write. The refresher of the database takes them from here.

use std::sync::OnceLock;

use crate::pg::shared_bytes::SharedBytes;
use crate::pg::{Oid, latch, random, settings};

/// Databases with a vault in one cluster, as on the workers' board.
const MAX_DATABASES: usize = 128;
/// Before each entry: its length, its database, and its vault there.
const HEAD: usize = 12;
/// Bytes of an entry with its head.
const USUAL_LENGTH: usize = 256;

pub static BUFFER: SharedBytes<Book> =
    SharedBytes::new(c"token_vault audit", settings::audit_buffer);

/// What is known about the entries.
#[derive(Clone, Copy)]
pub struct Book {
    /// Another number for each start of the server and after each crash: then the entries are gone.
    epoch: i64,
    /// Bytes in use, from the beginning.
    used: usize,
    writers: [Writer; MAX_DATABASES],
}

/// A process that takes a database's entries.
#[derive(Clone, Copy)]
struct Writer {
    database: u32,
    pid: i32,
    waiting: usize,
    /// Sessions have committed entries that are not sealed.
    has_unsealed: bool,
}

const NOBODY: Writer = Writer {
    database: 0,
    pid: 0,
    waiting: 0,
    has_unsealed: false,
};

/// What has become of an entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    Taken,
    /// There is no room.
    Full,
    /// Nobody would take it from here.
    Closed,
}

impl Book {
    /// Called when the server starts and after each crash.
    pub fn new() -> Book {
        Book {
            epoch: i64::from_ne_bytes(random::bytes()),
            used: 0,
            writers: [NOBODY; MAX_DATABASES],
        }
    }

    fn writer(&mut self, database: u32) -> Option<&mut Writer> {
        self.writers
            .iter_mut()
            .find(|writer| writer.database == database)
    }
}

fn length(bytes: &[u8], at: usize) -> usize {
    u32::from_ne_bytes(bytes[at..at + 4].try_into().expect("four bytes")) as usize
}

fn database(bytes: &[u8], at: usize) -> u32 {
    u32::from_ne_bytes(bytes[at + 4..at + 8].try_into().expect("four bytes"))
}

fn vault(bytes: &[u8], at: usize) -> u32 {
    u32::from_ne_bytes(bytes[at + 8..at + 12].try_into().expect("four bytes"))
}

/// How a process that writes entries is asked for; set when the library is preloaded.
static CALL_WRITER: OnceLock<fn(Oid)> = OnceLock::new();

/// Where nobody takes a database's entries, `call` has somebody started.
pub fn on_missing_writer(call: fn(Oid)) {
    CALL_WRITER.get_or_init(|| call);
}

fn call_writer(of: Oid) {
    if let Some(call) = CALL_WRITER.get() {
        call(of);
    }
}

/// Keeps an entry for the writer of this database, and wakes it when it is the first, and when half of the room is used.
/// A vault that is dropped and made again is another `vault`.
pub fn add(database: Oid, vault: Oid, entry: &[u8]) -> Place {
    let of = database.to_u32();
    let size = HEAD + entry.len();
    let (place, wake) = BUFFER
        .with(|book, bytes| {
            let used = book.used;
            let Some(writer) = book.writer(of) else {
                return (Place::Closed, 0);
            };
            if used + size > bytes.len() {
                return (Place::Full, writer.pid);
            }
            bytes[used..used + 4].copy_from_slice(&(entry.len() as u32).to_ne_bytes());
            bytes[used + 4..used + 8].copy_from_slice(&of.to_ne_bytes());
            bytes[used + 8..used + HEAD].copy_from_slice(&vault.to_u32().to_ne_bytes());
            bytes[used + HEAD..used + size].copy_from_slice(entry);
            writer.waiting += 1;
            let half = bytes.len() / 2;
            let is_worth_it = writer.waiting == 1 || used < half && used + size >= half;
            let pid = if is_worth_it { writer.pid } else { 0 };
            book.used += size;
            (Place::Taken, pid)
        })
        .unwrap_or((Place::Closed, 0));
    latch::wake(wake);
    if place == Place::Closed {
        call_writer(database);
    }
    place
}

/// A process says that it takes this database's entries, those of an earlier one included; false: there are too many.
pub fn open(of: Oid, pid: i32) -> bool {
    let of = of.to_u32();
    BUFFER
        .with(|book, bytes| {
            let waiting = count(book.used, bytes, of);
            let place = match book.writer(of) {
                Some(_) => of,
                None => 0,
            };
            book.writer(place)
                .map(|writer| {
                    *writer = Writer {
                        database: of,
                        pid,
                        waiting,
                        has_unsealed: true,
                    }
                })
                .is_some()
        })
        .unwrap_or(false)
}

/// From now on, nobody takes this database's entries: those that are there wait for the next one who does.
pub fn close(of: Oid) {
    BUFFER.with(|book, _| {
        if let Some(writer) = book.writer(of.to_u32()) {
            *writer = NOBODY;
        }
    });
}

/// Entries of a database.
fn count(used: usize, bytes: &[u8], of: u32) -> usize {
    let (mut at, mut entries) = (0, 0);
    while at < used {
        entries += usize::from(database(bytes, at) == of);
        at += HEAD + length(bytes, at);
    }
    entries
}

/// How much there is to do.
pub struct Waiting {
    pub entries: usize,
    pub is_half_full: bool,
    pub has_unsealed: bool,
}

/// What waits for the writer of this database.
pub fn waiting(of: Oid) -> Option<Waiting> {
    BUFFER
        .with(|book, bytes| {
            let is_half_full = book.used >= bytes.len() / 2;
            book.writer(of.to_u32()).map(|writer| Waiting {
                entries: writer.waiting,
                is_half_full,
                has_unsealed: writer.has_unsealed,
            })
        })
        .flatten()
}

/// A session has committed entries of its own, which the writer seals.
pub fn announce_unsealed(of: Oid) {
    let wake = BUFFER.with(|book, _| {
        book.writer(of.to_u32()).map(|writer| {
            match std::mem::replace(&mut writer.has_unsealed, true) {
                true => 0,
                false => writer.pid,
            }
        })
    });
    match wake.flatten() {
        Some(writer) => latch::wake(writer),
        None => call_writer(of),
    }
}

/// The writer begins to seal what sessions have written.
pub fn take_unsealed(of: Oid) {
    BUFFER.with(|book, _| {
        if let Some(writer) = book.writer(of.to_u32()) {
            writer.has_unsealed = false;
        }
    });
}

/// A copy of the oldest entries of a database, at most so many ([`records`] takes it apart), and how many they would be
/// with those of a vault that is gone. All stay until [`remove`].
pub fn oldest(of: Oid, of_vault: Oid, limit: usize) -> (Vec<u8>, usize) {
    let (of, of_vault) = (of.to_u32(), of_vault.to_u32());
    // No memory is asked for while others wait for the lock.
    let room = BUFFER.with(|book, _| book.used).unwrap_or_default();
    let mut copy = Vec::with_capacity(room.min(limit * USUAL_LENGTH));
    let seen = BUFFER.with(|book, bytes| {
        let (mut at, mut seen) = (0, 0);
        while at < book.used && seen < limit {
            let end = at + HEAD + length(bytes, at);
            if database(bytes, at) == of {
                seen += 1;
                if vault(bytes, at) == of_vault {
                    copy.extend_from_slice(&bytes[at..end]);
                }
            }
            at = end;
        }
        seen
    });
    (copy, seen.unwrap_or_default())
}

/// The entries in what [`oldest`] has copied.
pub fn records(copy: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let begin = at + HEAD;
        (at < copy.len()).then(|| {
            at = begin + length(copy, at);
            &copy[begin..at]
        })
    })
}

/// Takes the oldest entries of a database away: they are written.
pub fn remove(of: Oid, entries: usize) {
    let of = of.to_u32();
    BUFFER.with(|book, bytes| {
        let (mut at, mut kept, mut left) = (0, 0, entries);
        while at < book.used {
            let end = at + HEAD + length(bytes, at);
            if left > 0 && database(bytes, at) == of {
                left -= 1;
            } else {
                bytes.copy_within(at..end, kept);
                kept += end - at;
            }
            at = end;
        }
        book.used = kept;
        if let Some(writer) = book.writer(of) {
            writer.waiting = writer.waiting.saturating_sub(entries - left);
        }
    });
}

/// Takes all entries of a database away, which is gone or has no vault any more.
pub fn forget(of: Oid) {
    remove(of, usize::MAX);
    close(of);
}

/// The number of this run of the server; None where the library was not preloaded.
pub fn epoch() -> Option<i64> {
    BUFFER.with(|book, _| book.epoch)
}
