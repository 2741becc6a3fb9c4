//! Forgetting what a backend remembers when another one changes it, by PostgreSQL's own invalidation
//! messages: they are processed before the next statement reads.

use std::cell::Cell;

use pgrx::{pg_guard, pg_sys};

/// What backends keep in memory of the vault's tables.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Topic {
    /// `vault.key`: which data key is active, and the unwrapped keys.
    Keys,
    /// `vault.access_rule`, roles and memberships.
    Access,
    /// `vault.provider`.
    Providers,
    /// The definition of `vault.token`, not its rows.
    Tokens,
    /// `vault.client`.
    Clients,
}

impl Topic {
    const ALL: [Topic; 5] = [
        Topic::Keys,
        Topic::Access,
        Topic::Providers,
        Topic::Tokens,
        Topic::Clients,
    ];
}

struct Watch {
    relation: &'static core::ffi::CStr,
    oid: Cell<pg_sys::Oid>,
    generation: Cell<u64>,
    /// What to do at once when it changes.
    forget: Cell<Option<fn()>>,
}

impl Watch {
    const fn new(relation: &'static core::ffi::CStr) -> Self {
        Watch {
            relation,
            oid: Cell::new(pg_sys::InvalidOid),
            generation: Cell::new(1),
            forget: Cell::new(None),
        }
    }

    fn relation_oid(&self) -> pg_sys::Oid {
        if self.oid.get() == pg_sys::InvalidOid {
            self.oid.set(super::catalog::relation(self.relation));
        }
        self.oid.get()
    }

    fn invalidate(&self) {
        self.oid.set(pg_sys::InvalidOid);
        self.generation.set(self.generation.get() + 1);
        if let Some(forget) = self.forget.get() {
            forget();
        }
    }
}

thread_local! {
    static REGISTERED: Cell<bool> = const { Cell::new(false) };
    static KEYS: Watch = const { Watch::new(c"key") };
    static ACCESS: Watch = const { Watch::new(c"access_rule") };
    static PROVIDERS: Watch = const { Watch::new(c"provider") };
    static TOKENS: Watch = const { Watch::new(c"token") };
    static CLIENTS: Watch = const { Watch::new(c"client") };
}

/// Forgets what this backend remembers of a topic, as if a message had come.
pub fn forget(topic: Topic) {
    with_watch(topic, Watch::invalidate);
}

fn with_watch<R>(topic: Topic, read: impl FnOnce(&Watch) -> R) -> R {
    match topic {
        Topic::Keys => KEYS.with(read),
        Topic::Access => ACCESS.with(read),
        Topic::Providers => PROVIDERS.with(read),
        Topic::Tokens => TOKENS.with(read),
        Topic::Clients => CLIENTS.with(read),
    }
}

/// Grows when what is known of `topic` has changed. A cache remembers the number it was filled at and
/// is empty when the number has moved.
pub fn generation(topic: Topic) -> u64 {
    if !REGISTERED.get() {
        register();
    }
    // Messages are otherwise taken only when a transaction begins or a new lock is obtained: within a long
    // transaction a revoked right would go on. Costs a comparison where there are none.
    // SAFETY: runs the callbacks above, and the server's own.
    unsafe { pg_sys::AcceptInvalidationMessages() };
    with_watch(topic, |watch| {
        watch.relation_oid();
        watch.generation.get()
    })
}

/// The table behind a topic, or InvalidOid. It is up to date once [`generation`] has been asked.
pub fn relation(topic: Topic) -> pg_sys::Oid {
    with_watch(topic, Watch::relation_oid)
}

/// The table behind a topic as it is now: one that was dropped and made again is another.
pub fn present(topic: Topic) -> pg_sys::Oid {
    generation(topic);
    relation(topic)
}

/// Tells every backend, at the commit of this transaction, that rows behind `topic` have changed.
pub fn announce(topic: Topic) {
    let oid = with_watch(topic, Watch::relation_oid);
    // SAFETY: queues an invalidation message for a relation that exists; it is sent at commit and
    // processed here at once, also on abort.
    unsafe { pg_sys::CacheInvalidateRelcacheByRelid(oid) };
}

/// Has `forget` called as soon as this process learns of a change; the generation has moved by then. It must not
/// use the database.
pub fn on_change(topic: Topic, forget: fn()) {
    with_watch(topic, |watch| watch.forget.set(Some(forget)));
}

/// Tells every process at once, without waiting for this transaction's commit, and wakes those that sleep so
/// that they listen. Only for what must be forgotten even if this transaction fails.
pub fn announce_now(topic: Topic, processes: &[i32]) {
    let relation = with_watch(topic, Watch::relation_oid);
    // SAFETY: a well-formed message (inval.c, CacheInvalidateRelmap sends one alike); a signal to a process that has
    // ended, or is none of this server's, is not sent (procsignal.c looks the number up among its own).
    unsafe {
        let message = pg_sys::SharedInvalidationMessage {
            rc: pg_sys::SharedInvalRelcacheMsg {
                id: pg_sys::SHAREDINVALRELCACHE_ID as i8,
                dbId: pg_sys::MyDatabaseId,
                relId: relation,
            },
        };
        pg_sys::SendSharedInvalidMessages(&message, 1);
        for process in processes {
            pg_sys::SendProcSignal(
                *process,
                pg_sys::ProcSignalReason::PROCSIG_CATCHUP_INTERRUPT,
                super::version::NO_NUMBER,
            );
        }
    }
}

fn register() {
    use pg_sys::SysCacheIdentifier::{AUTHMEMMEMROLE, AUTHOID, DATABASEOID};
    // SAFETY: callbacks stay registered for the life of the backend; they only touch the cells above.
    unsafe {
        pg_sys::CacheRegisterRelcacheCallback(Some(relation_changed), pg_sys::Datum::null());
        // A database's owner is a member of pg_database_owner.
        for cache in [AUTHOID, AUTHMEMMEMROLE, DATABASEOID] {
            pg_sys::CacheRegisterSyscacheCallback(
                cache as _,
                Some(role_changed),
                pg_sys::Datum::null(),
            );
        }
    }
    REGISTERED.set(true);
}

/// `relation` is InvalidOid when everything must be forgotten (messages were lost).
#[pg_guard]
unsafe extern "C-unwind" fn relation_changed(_arg: pg_sys::Datum, relation: pg_sys::Oid) {
    for topic in Topic::ALL {
        with_watch(topic, |watch| {
            if relation == pg_sys::InvalidOid || relation == watch.oid.get() {
                watch.invalidate();
            }
        });
    }
}

#[pg_guard]
unsafe extern "C-unwind" fn role_changed(
    _arg: pg_sys::Datum,
    _cache: core::ffi::c_int,
    _hash: u32,
) {
    ACCESS.with(Watch::invalidate);
}
