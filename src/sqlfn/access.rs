//! Granting and revoking.

use pgrx::{default, pg_extern};

use crate::error::{Error, OrRaise, Result};
use crate::pg::role::Role;
use crate::sqlfn::arguments;
use crate::store::access::{self, Privilege};
use crate::store::grant;

#[pg_extern(schema = "vault", volatile, parallel_unsafe)]
fn grant_access(role: Option<&str>, privileges: Option<Vec<Option<String>>>) {
    let grant = || -> Result<()> {
        access::require(Privilege::Admin)?;
        let role = arguments::name("role", role)?;
        let privileges = parse(arguments::required("privileges", privileges)?)?;
        Role::by_name(role).ok_or_else(|| Error::UnknownRole(role.to_owned()))?;
        access::grant(role, &privileges);
        grant::open(role, &privileges);
        Ok(())
    };
    grant().or_raise();
}

#[pg_extern(schema = "vault", volatile, parallel_unsafe)]
fn revoke_access(role: Option<&str>, privileges: default!(Option<Vec<Option<String>>>, "NULL")) {
    let revoke = || -> Result<()> {
        access::require(Privilege::Admin)?;
        let role = arguments::name("role", role)?;
        let privileges = match privileges {
            Some(names) => parse(names)?,
            None => Privilege::ALL.to_vec(),
        };
        let kept = access::revoke(role, &privileges);
        if Role::by_name(role).is_some() {
            grant::close(role, &kept);
        }
        Ok(())
    };
    revoke().or_raise();
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
