//! Granting and revoking.

use super::privilege::Privilege;
use super::{Reach, rules};
use crate::pg::inval::{self, Topic};
use crate::pg::role;
use crate::pg::spi::BuiltinOid::{TEXTARRAYOID, TEXTOID};
use crate::pg::spi::{self, Argument, Statement};

/// What names a rule: a role, and the patterns as they were given.
#[derive(Clone, Debug)]
pub struct Rule {
    pub role: String,
    pub tenant: String,
    pub provider: String,
    pub subject: String,
}

impl Rule {
    fn arguments(&self, privileges: &[Privilege]) -> [Argument; 5] {
        let [role, tenant, provider, subject] =
            [&self.role, &self.tenant, &self.provider, &self.subject];
        [
            role.as_str().into(),
            tenant.as_str().into(),
            provider.as_str().into(),
            subject.as_str().into(),
            names(privileges).into(),
        ]
    }
}

/// Gives privileges by a rule, beside those it gives already.
pub fn grant(rule: &Rule, privileges: &[Privilege]) {
    static GRANT: Statement = Statement::new(
        "INSERT INTO vault.access_rule AS rule (role, tenant, provider, subject, privileges, granted_by)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (role, tenant, provider, subject) DO UPDATE SET
             privileges = ARRAY(SELECT DISTINCT u FROM unnest(rule.privileges || EXCLUDED.privileges) AS u ORDER BY u),
             granted_by = EXCLUDED.granted_by, granted_at = EXCLUDED.granted_at",
        &[TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTARRAYOID, TEXTOID],
    );
    let [role, tenant, provider, subject, privileges] = rule.arguments(privileges);
    let granted_by = role::current().name().into();
    let arguments = [role, tenant, provider, subject, privileges, granted_by];
    spi::session(|session| session.run(&GRANT, &arguments));
    inval::announce(Topic::Access);
}

/// Takes privileges from a rule; whether there was such a rule.
pub fn revoke(rule: &Rule, privileges: &[Privilege]) -> bool {
    static DELETE: Statement = Statement::new(
        "DELETE FROM vault.access_rule
         WHERE role = $1 AND tenant = $2 AND provider = $3 AND subject = $4 AND privileges <@ $5",
        &[TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTARRAYOID],
    );
    static REDUCE: Statement = Statement::new(
        "UPDATE vault.access_rule
         SET privileges = ARRAY(SELECT u FROM unnest(privileges) AS u WHERE NOT u = ANY ($5) ORDER BY u)
         WHERE role = $1 AND tenant = $2 AND provider = $3 AND subject = $4",
        &[TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTARRAYOID],
    );
    let touched = spi::session(|session| {
        session.run(&DELETE, &rule.arguments(privileges))
            + session.run(&REDUCE, &rule.arguments(privileges))
    });
    inval::announce(Topic::Access);
    touched > 0
}

/// The rules of a role, each with what it reaches.
pub fn rules_of(role: &str) -> Vec<(Rule, Option<Reach>)> {
    static RULES: Statement = Statement::new(
        "SELECT tenant, provider, subject FROM vault.access_rule WHERE role = $1",
        &[TEXTOID],
    );
    spi::session(|session| {
        session.query(&RULES, &[role.into()], |row| {
            let rule = Rule {
                role: role.to_owned(),
                tenant: row.required(1),
                provider: row.required(2),
                subject: row.required(3),
            };
            (rule, rules::reach(row, 1))
        })
    })
}

/// What all rules of a role together allow, somewhere.
pub fn privileges(role: &str) -> Vec<Privilege> {
    static PRIVILEGES: Statement = Statement::new(
        "SELECT DISTINCT u FROM vault.access_rule, unnest(privileges) AS u WHERE role = $1",
        &[TEXTOID],
    );
    let names: Vec<String> =
        spi::session(|session| session.query(&PRIVILEGES, &[role.into()], |row| row.required(1)));
    names
        .iter()
        .filter_map(|name| Privilege::by_name(name))
        .collect()
}

/// Roles with rules that have no effect: those that do not exist, and those that may not enter the schema.
pub fn ineffective() -> (Vec<String>, Vec<String>) {
    static ROLES: Statement = Statement::new(
        "SELECT DISTINCT role, role_exists FROM vault.access_rules WHERE grants_missing OR NOT role_exists ORDER BY role",
        &[],
    );
    let roles: Vec<(String, bool)> = spi::session(|session| {
        session.query(&ROLES, &[], |row| (row.required(1), row.required(2)))
    });
    let (closed, missing): (Vec<_>, Vec<_>) = roles.into_iter().partition(|(_, exists)| *exists);
    let names = |roles: Vec<(String, bool)>| roles.into_iter().map(|(role, _)| role).collect();
    (names(missing), names(closed))
}

fn names(privileges: &[Privilege]) -> Vec<String> {
    privileges
        .iter()
        .map(|privilege| privilege.name().to_owned())
        .collect()
}
