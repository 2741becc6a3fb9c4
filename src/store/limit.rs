//! How much may be read in a minute: counted in shared memory, for a role and for a tenant. Where the library was not
//! preloaded, each session counts for itself.

use std::cell::RefCell;
use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::json;
use token_vault_core::limit::{Bucket, Unusual, Watch};

use crate::error::{Error, Result};
use crate::pg::shmem::SharedState;
use crate::pg::time::{self, UnixMicros};
use crate::pg::{Oid, server};
use crate::pg::{connection, settings};
use crate::store::audit::{self, About};

/// Roles and tenants that are counted at the same time in one cluster.
const COUNTERS: usize = 4096;
/// How far a counter may be from the place its number points to.
const PROBES: usize = 16;
/// A limit that is exceeded is told of once in so long.
const SILENCE: UnixMicros = 60_000_000;

pub static COUNTED: SharedState<Counters> = SharedState::new(c"token_vault reads");

#[derive(Clone, Copy)]
pub struct Counters([Counter; COUNTERS]);

#[derive(Clone, Copy)]
struct Counter {
    /// Of the database and the role or tenant in it; 0: free.
    number: u64,
    used_at: UnixMicros,
    bucket: Bucket,
    watch: Watch,
    told_at: UnixMicros,
}

/// What is counted.
#[derive(Hash)]
enum Whose<'a> {
    Role(u32),
    Tenant(&'a str),
}

/// What a read has come to.
enum Count {
    Within,
    Exceeded { is_news: bool },
    Unusual(Unusual),
}

impl Counters {
    pub fn none() -> Counters {
        Counters(
            [Counter {
                number: 0,
                used_at: 0,
                bucket: Bucket::default(),
                watch: Watch::default(),
                told_at: 0,
            }; COUNTERS],
        )
    }

    /// The counter of this number: its own, a free one, or else that of whoever has not read for the longest time.
    fn counter(&mut self, number: u64) -> &mut Counter {
        let place = |probe: usize| (number as usize).wrapping_add(probe) % COUNTERS;
        let own = (0..PROBES).find(|probe| self.0[place(*probe)].number == number);
        let oldest = || (0..PROBES).min_by_key(|probe| self.0[place(*probe)].used_at);
        let probe = own.or_else(oldest).unwrap_or(0);
        let counter = &mut self.0[place(probe)];
        if counter.number != number {
            *counter = Counter {
                number,
                used_at: 0,
                bucket: Bucket::default(),
                watch: Watch::default(),
                told_at: 0,
            };
        }
        counter
    }

    fn count(&mut self, number: u64, limit: Option<u32>, least: u32, now: UnixMicros) -> Count {
        let counter = self.counter(number);
        counter.used_at = now;
        if limit.is_some_and(|limit| !counter.bucket.take(limit, now)) {
            let is_news = now - counter.told_at >= SILENCE;
            if is_news {
                counter.told_at = now;
            }
            return Count::Exceeded { is_news };
        }
        match counter.watch.note(least, now) {
            Some(unusual) => Count::Unusual(unusual),
            None => Count::Within,
        }
    }
}

fn number(database: Oid, whose: &Whose) -> u64 {
    // The same in every process: this hasher has no key.
    let mut hasher = DefaultHasher::new();
    (database.to_u32(), whose).hash(&mut hasher);
    hasher.finish().max(1)
}

fn count(whose: &Whose, limit: Option<u32>, least: u32) -> Count {
    thread_local! {
        static OWN: RefCell<Option<Box<Counters>>> = const { RefCell::new(None) };
    }
    let (number, now) = (number(server::database(), whose), time::now());
    COUNTED
        .with(|counters| counters.count(number, limit, least, now))
        .unwrap_or_else(|| {
            OWN.with_borrow_mut(|own| {
                let own = own.get_or_insert_with(|| Box::new(Counters::none()));
                own.count(number, limit, least, now)
            })
        })
}

/// Counts one read by the role that has logged in, of something of this tenant; an error where that is too many.
pub fn count_read(about: About) -> Result<()> {
    let (role_limit, least) = (settings::read_limit(), settings::unusual_reads());
    if role_limit.is_some() || least > 0 {
        let login = connection::login_role();
        match count(&Whose::Role(login.oid().to_u32()), role_limit, least) {
            Count::Within => {}
            Count::Unusual(unusual) => tell_unusual(about, unusual),
            Count::Exceeded { is_news } => {
                let whose = format!("role \"{}\"", login.name());
                return exceeded(about, whose, role_limit, is_news);
            }
        }
    }
    if let (Some(tenant), limit @ Some(_)) = (about.tenant, settings::tenant_read_limit())
        && let Count::Exceeded { is_news } = count(&Whose::Tenant(tenant), limit, 0)
    {
        return exceeded(about, format!("tenant \"{tenant}\""), limit, is_news);
    }
    Ok(())
}

fn exceeded(about: About, whose: String, limit: Option<u32>, is_news: bool) -> Result<()> {
    let limit = limit.unwrap_or_default();
    if is_news {
        let facts = [("limit", json!(limit)), ("of", json!(whose))];
        audit::refused("read_limit_exceeded", about, audit::detail(facts));
    }
    Err(Error::ReadLimitExceeded { whose, limit })
}

/// It is no reason to refuse the read.
fn tell_unusual(about: About, unusual: Unusual) {
    let facts = [
        ("reads", json!(unusual.reads)),
        ("average", json!(unusual.average.round())),
    ];
    audit::refused("unusual_reads", about, audit::detail(facts));
}
