//! Whose proofs for tenants are accepted. Only public keys are here: whoever reads the vault can sign nothing.

use token_vault_core::tenant_proof::{self, Authority, Expected};

use crate::error::{Error, Result};
use crate::pg::spi::BuiltinOid::{BYTEAOID, TEXTOID};
use crate::pg::spi::{self, Statement};
use crate::pg::{role, server, settings, time};

/// Adds an authority; false: there is one of this name.
pub fn add(name: &str, public_key: &[u8]) -> bool {
    static ADD: Statement = Statement::new(
        "INSERT INTO vault.tenant_authority (name, public_key, added_by) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        &[TEXTOID, BYTEAOID, TEXTOID],
    );
    let added_by = role::current().name();
    let arguments = [name.into(), public_key.into(), added_by.into()];
    spi::session(|session| session.run(&ADD, &arguments)) > 0
}

/// Removes an authority; false: there is none of this name.
pub fn remove(name: &str) -> bool {
    static REMOVE: Statement = Statement::new(
        "DELETE FROM vault.tenant_authority WHERE name = $1",
        &[TEXTOID],
    );
    spi::session(|session| session.run(&REMOVE, &[name.into()])) > 0
}

/// Fails unless `proof` is one for `tenant`, here and now.
pub fn verify(tenant: &str, proof: &str) -> Result<()> {
    let expected = Expected {
        tenant,
        audience: &server::database_name(),
        now: time::now().div_euclid(1_000_000),
        max_lifetime: settings::tenant_proof_lifetime().as_secs() as i64,
    };
    tenant_proof::verify(proof, &all(), &expected).map_err(|refusal| Error::TenantProofRefused {
        problem: refusal.text(),
    })
}

/// The newest committed ones: one that was removed vouches for nobody any more.
fn all() -> Vec<Authority> {
    static ALL: Statement = Statement::new(
        "SELECT name, public_key FROM vault.tenant_authority ORDER BY name",
        &[],
    );
    spi::session(|session| {
        session.query(&ALL, &[], |row| Authority {
            name: row.required(1),
            public_key: row.required(2),
        })
    })
}
