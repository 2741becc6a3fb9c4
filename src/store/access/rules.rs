//! What the rules give a role, remembered per backend.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use token_vault_core::access::{Pattern, Reach, Resource};

use super::privilege::{Privilege, Privileges};
use crate::pg::Oid;
use crate::pg::inval::{self, Topic};
use crate::pg::role::Role;
use crate::pg::spi::{self, Row, Statement};

/// The rules of a role and of the roles that it inherits from.
#[derive(Default)]
pub struct Rules {
    /// From rules for the whole vault. The usual case: one bit answers.
    everywhere: Privileges,
    /// From any rule.
    somewhere: Privileges,
    /// The other rules.
    limited: Vec<(Privileges, Reach)>,
}

impl Rules {
    pub fn allow(&self, privilege: Privilege, resource: &Resource) -> bool {
        self.everywhere.has(privilege)
            || self.somewhere.has(privilege)
                && self
                    .limited
                    .iter()
                    .any(|(privileges, reach)| privileges.has(privilege) && reach.covers(resource))
    }

    pub fn has_somewhere(&self, privilege: Privilege) -> bool {
        self.somewhere.has(privilege)
    }

    fn add(&mut self, privileges: Privileges, reach: Reach) {
        self.somewhere = self.somewhere.and(privileges);
        if reach.is_everything() {
            self.everywhere = self.everywhere.and(privileges);
        } else {
            self.limited.push((privileges, reach));
        }
    }
}

#[derive(Default)]
struct Cache {
    generation: u64,
    roles: HashMap<Oid, Rc<Rules>>,
}

thread_local! {
    static CACHE: RefCell<Cache> = RefCell::default();
}

/// The rules of a role as they are now: a rule, role or membership that has changed meanwhile counts.
pub fn of(role: Role) -> Rc<Rules> {
    let generation = inval::generation(Topic::Access);
    let cached = CACHE.with_borrow(|cache| {
        (cache.generation == generation)
            .then(|| cache.roles.get(&role.oid()).cloned())
            .flatten()
    });
    if let Some(rules) = cached {
        return rules;
    }
    let rules = Rc::new(look_up(role));
    CACHE.with_borrow_mut(|cache| {
        if cache.generation != generation {
            *cache = Cache {
                generation,
                roles: HashMap::new(),
            };
        }
        cache.roles.insert(role.oid(), rules.clone());
    });
    rules
}

fn look_up(role: Role) -> Rules {
    static RULES: Statement = Statement::new(
        "SELECT role, privileges, tenant, provider, subject FROM vault.access_rule",
        &[],
    );
    let mut rules = Rules::default();
    if role.is_superuser() {
        rules.everywhere = Privileges::ALL;
        rules.somewhere = Privileges::ALL;
        return rules;
    }
    let granted = spi::session(|session| {
        session.query(&RULES, &[], |row| {
            let holder: String = row.required(1);
            let names: Vec<String> = row.required(2);
            (holder, Privileges::by_names(&names), reach(row, 3))
        })
    });
    for (holder, privileges, reach) in granted {
        // A rule for a role that does not exist is inert, and so is one that the vault could not have written.
        if let (Some(holder), Some(reach)) = (Role::by_name(&holder), reach)
            && role.has_privileges_of(holder)
        {
            rules.add(privileges, reach);
        }
    }
    rules
}

/// From three columns of a row, of which this is the first.
pub fn reach(row: &Row, tenant: i32) -> Option<Reach> {
    let pattern = |column| Pattern::parse(row.required(column)).ok();
    Some(Reach {
        tenant: pattern(tenant)?,
        provider: pattern(tenant + 1)?,
        subject: pattern(tenant + 2)?,
    })
}
