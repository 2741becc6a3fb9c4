//! Entering a tenant with a proof, and whose proofs count.

use pgrx::{default, pg_extern};
use token_vault_core::tenant_proof::PUBLIC_KEY_LEN;

use crate::error::{Error, OrRaise, Result};
use crate::pg::settings::AuditLevel;
use crate::pg::tenant as session;
use crate::sqlfn::arguments;
use crate::store::access::{self, Privilege, Resource};
use crate::store::audit::{self, About};
use crate::store::tenant_authority;

/// Needs no privilege: the proof is the right.
#[pg_extern(schema = "vault", volatile, parallel_unsafe)]
fn enter_tenant(
    tenant: Option<&str>,
    proof: Option<&str>,
    is_local: default!(Option<bool>, "false"),
) {
    let enter = || -> Result<()> {
        let tenant = arguments::name("tenant", tenant)?;
        let is_local = arguments::required("is_local", is_local)?;
        let about = About::tenant(Some(tenant));
        tenant_authority::verify(tenant, arguments::required("proof", proof)?)
            .inspect_err(|_| audit::refused("tenant_proof_refused", about, None))?;
        // No change of the vault: also where nothing can be written.
        audit::disclosed(AuditLevel::Writes, "tenant_entered", about, None)?;
        session::enter(tenant, is_local);
        Ok(())
    };
    enter().or_raise();
}

#[pg_extern(schema = "vault", volatile, parallel_unsafe)]
fn add_tenant_authority(name: Option<&str>, public_key: Option<&[u8]>) {
    let add = || -> Result<()> {
        access::require(Privilege::Admin, &Resource::Vault)?;
        let name = arguments::name("name", name)?;
        let public_key = arguments::required("public_key", public_key)?;
        if public_key.len() != PUBLIC_KEY_LEN {
            return Err(Error::InvalidArgument {
                name: "public_key",
                problem: format!("an Ed25519 public key has {PUBLIC_KEY_LEN} bytes"),
            });
        }
        match tenant_authority::add(name, public_key) {
            true => {
                note("tenant_authority_added", name);
                Ok(())
            }
            false => Err(invalid_name("there is a tenant authority of this name")),
        }
    };
    add().or_raise();
}

#[pg_extern(schema = "vault", volatile, parallel_unsafe)]
fn drop_tenant_authority(name: Option<&str>) {
    let drop = || -> Result<()> {
        access::require(Privilege::Admin, &Resource::Vault)?;
        let name = arguments::name("name", name)?;
        match tenant_authority::remove(name) {
            true => {
                note("tenant_authority_dropped", name);
                Ok(())
            }
            false => Err(invalid_name("there is no tenant authority of this name")),
        }
    };
    drop().or_raise();
}

fn note(event: &str, name: &str) {
    audit::changed(event, About::VAULT, audit::detail([("name", name.into())]));
}

fn invalid_name(problem: &str) -> Error {
    Error::InvalidArgument {
        name: "name",
        problem: problem.into(),
    }
}
