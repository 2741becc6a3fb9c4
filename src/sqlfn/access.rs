//! Granting and revoking.

use pgrx::{default, pg_extern};

use crate::error::{Error, OrRaise, Result};
use crate::pg::role::{self, Role};
use crate::pg::{report, tenant as session};
use crate::sqlfn::arguments;
use crate::store::access::{self, Pattern, Privilege, Resource, Rule};
use crate::store::audit::{self, About};
use crate::store::grant;

#[pg_extern(schema = "vault", volatile, parallel_unsafe)]
fn grant_access(
    role: Option<&str>,
    privileges: Option<Vec<Option<String>>>,
    tenant: default!(Option<&str>, "NULL"),
    provider: default!(Option<&str>, "NULL"),
    subject: default!(Option<&str>, "NULL"),
) {
    let grant = || -> Result<()> {
        let rule = rule(role, tenant, provider, subject)?;
        let privileges = parse(arguments::required("privileges", privileges)?)?;
        require_admin(&rule)?;
        Role::by_name(&rule.role).ok_or_else(|| Error::UnknownRole(rule.role.clone()))?;
        access::grant(&rule, &privileges);
        note("granted", &rule, &privileges);
        grant::open(&rule.role, &access::privileges(&rule.role));
        Ok(())
    };
    grant().or_raise();
}

#[pg_extern(schema = "vault", volatile, parallel_unsafe)]
fn revoke_access(
    role: Option<&str>,
    privileges: default!(Option<Vec<Option<String>>>, "NULL"),
    tenant: default!(Option<&str>, "NULL"),
    provider: default!(Option<&str>, "NULL"),
    subject: default!(Option<&str>, "NULL"),
) {
    let revoke = || -> Result<()> {
        let named = rule(role, tenant, provider, subject)?;
        let privileges = match privileges {
            Some(names) => parse(names)?,
            None => Privilege::ALL.to_vec(),
        };
        let names_a_rule = [tenant, provider, subject].iter().any(Option::is_some);
        if names_a_rule {
            require_admin(&named)?;
            if access::revoke(&named, &privileges) {
                note("revoked", &named, &privileges);
            } else {
                report::warn(
                    format!("role \"{}\" has no rule with these patterns", named.role),
                    "vault.access_rules shows the rules; a rule is revoked by the patterns it was granted with.",
                );
            }
        } else {
            access::require(Privilege::Admin, &Resource::Rows)?;
            for rule in revocable(&named.role) {
                access::revoke(&rule, &privileges);
                note("revoked", &rule, &privileges);
            }
        }
        if Role::by_name(&named.role).is_some() {
            grant::close(&named.role, &access::privileges(&named.role));
        }
        Ok(())
    };
    revoke().or_raise();
}

fn note(event: &str, rule: &Rule, privileges: &[Privilege]) {
    let names: Vec<&str> = privileges
        .iter()
        .map(|privilege| privilege.name())
        .collect();
    let facts = [
        ("role", rule.role.as_str().into()),
        ("privileges", names.into()),
        ("tenant", rule.tenant.as_str().into()),
        ("provider", rule.provider.as_str().into()),
        ("subject", rule.subject.as_str().into()),
    ];
    audit::changed(event, About::VAULT, audit::detail(facts));
}

/// The rules of a role that the calling role may take away. One that nobody could have granted is the whole vault's.
fn revocable(role: &str) -> Vec<Rule> {
    let caller = role::current();
    let may_revoke = |reach: &Option<access::Reach>| {
        let resource = reach.as_ref().map_or(Resource::Vault, Resource::Rule);
        access::allows(caller, Privilege::Admin, &resource)
    };
    access::rules_of(role)
        .into_iter()
        .filter(|(_, reach)| may_revoke(reach))
        .map(|(rule, _)| rule)
        .collect()
}

/// Nobody gives or takes more than an administrator of just that may.
fn require_admin(rule: &Rule) -> Result<()> {
    let reach = arguments::reach(&rule.tenant, &rule.provider, &rule.subject)?;
    access::require(Privilege::Admin, &Resource::Rule(&reach))
}

/// The rule that is named. A pattern that is left out stands for everything, the tenant's in a session that is bound to
/// one for that one.
fn rule(
    role: Option<&str>,
    tenant: Option<&str>,
    provider: Option<&str>,
    subject: Option<&str>,
) -> Result<Rule> {
    let everything = || "*".to_owned();
    let pattern = |argument, pattern: Option<&str>| match pattern {
        None => Ok(everything()),
        Some(pattern) => arguments::name(argument, Some(pattern)).map(str::to_owned),
    };
    Ok(Rule {
        role: arguments::name("role", role)?.to_owned(),
        tenant: match (tenant, session::bound()) {
            (None, Some(bound)) => Pattern::of_name(&bound),
            (tenant, _) => pattern("tenant", tenant)?,
        },
        provider: pattern("provider", provider)?,
        subject: pattern("subject", subject)?,
    })
}

fn parse(names: Vec<Option<String>>) -> Result<Vec<Privilege>> {
    let unknown = |problem: String| Error::InvalidArgument {
        name: "privileges",
        problem,
    };
    if names.is_empty() {
        return Err(unknown("it is empty".into()));
    }
    names
        .into_iter()
        .map(|name| {
            let name = name.ok_or_else(|| unknown("it has a null element".into()))?;
            Privilege::by_name(&name).ok_or_else(|| {
                let known = Privilege::ALL.map(Privilege::name).join(", ");
                unknown(format!(
                    "\"{name}\" is no privilege; the privileges are {known}"
                ))
            })
        })
        .collect()
}
