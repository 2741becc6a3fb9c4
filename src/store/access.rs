//! What the calling role may do. Every SQL function asks here before it does anything.

use std::cell::RefCell;
use std::collections::HashMap;

use crate::pg::Oid;
use crate::pg::spi::BuiltinOid;

use crate::clean_log;
use crate::error::{Error, Result};
use crate::pg::inval::{self, Topic};
use crate::pg::role::{self, Role};
use crate::pg::spi::{self, Statement};

/// The rights on a vault.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Privilege {
    /// Get access tokens; reveal encrypted columns.
    Read,
    /// Store and delete tokens; encrypt.
    Write,
    /// Have tokens refreshed now.
    Refresh,
    /// Read refresh tokens and client secrets.
    Export,
    /// Write ciphertext as it is.
    Restore,
    /// Providers, clients, keys, access.
    Admin,
}

impl Privilege {
    pub const ALL: [Privilege; 6] = [
        Privilege::Read,
        Privilege::Write,
        Privilege::Refresh,
        Privilege::Export,
        Privilege::Restore,
        Privilege::Admin,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Privilege::Read => "read",
            Privilege::Write => "write",
            Privilege::Refresh => "refresh",
            Privilege::Export => "export",
            Privilege::Restore => "restore",
            Privilege::Admin => "admin",
        }
    }

    pub fn by_name(name: &str) -> Option<Privilege> {
        Self::ALL
            .into_iter()
            .find(|privilege| privilege.name() == name)
    }
}

/// A set of privileges, one bit each.
#[derive(Clone, Copy, Default)]
struct Privileges(u8);

impl Privileges {
    const ALL: Privileges = Privileges(u8::MAX);

    fn add(&mut self, privilege: Privilege) {
        self.0 |= 1 << privilege as u8;
    }

    fn has(self, privilege: Privilege) -> bool {
        self.0 & (1 << privilege as u8) != 0
    }
}

/// Fails unless the calling role has `privilege`.
pub fn require(privilege: Privilege) -> Result<()> {
    if has(privilege) {
        return Ok(());
    }
    Err(Error::PrivilegeMissing {
        role: role::current().name(),
        privilege: privilege.name(),
    })
}

/// Whether the calling role has `privilege`.
pub fn has(privilege: Privilege) -> bool {
    clean_log::mark();
    privileges(role::current()).has(privilege)
}

#[derive(Default)]
struct Cache {
    generation: u64,
    roles: HashMap<Oid, Privileges>,
}

thread_local! {
    static CACHE: RefCell<Cache> = RefCell::default();
}

fn privileges(role: Role) -> Privileges {
    let generation = inval::generation(Topic::Access);
    let cached = CACHE.with_borrow(|cache| {
        (cache.generation == generation)
            .then(|| cache.roles.get(&role.oid()).copied())
            .flatten()
    });
    if let Some(privileges) = cached {
        return privileges;
    }
    let privileges = look_up(role);
    CACHE.with_borrow_mut(|cache| {
        if cache.generation != generation {
            *cache = Cache {
                generation,
                roles: HashMap::new(),
            };
        }
        cache.roles.insert(role.oid(), privileges);
    });
    privileges
}

fn look_up(role: Role) -> Privileges {
    static RULES: Statement = Statement::new("SELECT role, privileges FROM vault.access_rule", &[]);
    if role.is_superuser() {
        return Privileges::ALL;
    }
    let rules = spi::session(|session| {
        session.query(&RULES, &[], |row| {
            (row.required::<String>(1), row.required::<Vec<String>>(2))
        })
    });
    let mut privileges = Privileges::default();
    for (holder, granted) in rules {
        // A rule for a role that does not exist is inert.
        let Some(holder) = Role::by_name(&holder) else {
            continue;
        };
        if role.has_privileges_of(holder) {
            granted
                .iter()
                .filter_map(|name| Privilege::by_name(name))
                .for_each(|privilege| privileges.add(privilege));
        }
    }
    privileges
}

/// Gives `privileges` to a role, beside what it has.
pub fn grant(role: &str, privileges: &[Privilege]) {
    static GRANT: Statement = Statement::new(
        "INSERT INTO vault.access_rule AS rule (role, privileges, granted_by) VALUES ($1, $2, $3)
         ON CONFLICT (role) DO UPDATE SET
             privileges = ARRAY(SELECT DISTINCT u FROM unnest(rule.privileges || EXCLUDED.privileges) AS u ORDER BY u),
             granted_by = EXCLUDED.granted_by, granted_at = EXCLUDED.granted_at",
        &[BuiltinOid::TEXTOID, BuiltinOid::TEXTARRAYOID, BuiltinOid::TEXTOID],
    );
    let granted_by = role::current().name();
    spi::session(|session| {
        session.run(
            &GRANT,
            &[role.into(), names(privileges).into(), granted_by.into()],
        );
    });
    inval::announce(Topic::Access);
}

/// Takes `privileges` from a role; returns what it still has.
pub fn revoke(role: &str, privileges: &[Privilege]) -> Vec<Privilege> {
    static REVOKE: Statement = Statement::new(
        "UPDATE vault.access_rule SET privileges = kept.list
         FROM (SELECT ARRAY(SELECT u FROM vault.access_rule, unnest(privileges) AS u
                            WHERE role = $1 AND NOT u = ANY ($2)) AS list) AS kept
         WHERE role = $1 AND cardinality(kept.list) > 0
         RETURNING access_rule.privileges",
        &[BuiltinOid::TEXTOID, BuiltinOid::TEXTARRAYOID],
    );
    static DELETE: Statement = Statement::new(
        "DELETE FROM vault.access_rule WHERE role = $1 AND privileges <@ $2",
        &[BuiltinOid::TEXTOID, BuiltinOid::TEXTARRAYOID],
    );
    let kept = spi::session(|session| {
        session.run(&DELETE, &[role.into(), names(privileges).into()]);
        session
            .write(&REVOKE, &[role.into(), names(privileges).into()], |row| {
                row.required::<Vec<String>>(1)
            })
            .pop()
    });
    inval::announce(Topic::Access);
    kept.unwrap_or_default()
        .iter()
        .filter_map(|name| Privilege::by_name(name))
        .collect()
}

fn names(privileges: &[Privilege]) -> Vec<String> {
    privileges
        .iter()
        .map(|privilege| privilege.name().to_owned())
        .collect()
}
