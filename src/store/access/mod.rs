//! What the calling role may do. Every SQL function asks [`require`] before it does anything, and says what it is about.
//!
//! | file | concern |
//! | --- | --- |
//! | `privilege` | the privileges, and sets of them |
//! | `rules` | what the rules give a role; remembered until one of them, a role or a membership changes |
//! | `change` | granting and revoking |

mod change;
mod privilege;
mod rules;

pub use change::{Rule, grant, ineffective, privileges, revoke, rules_of};
pub use privilege::Privilege;
pub use token_vault_core::access::{BadPattern, Pattern, Reach, Resource};

use crate::clean_log;
use crate::error::{Error, Result};
use crate::pg::role::{self, Role};
use crate::pg::{settings, tenant};

/// Fails unless the calling role has `privilege` for the whole of `resource` and this session may touch its tenant.
///
/// Every question of a call passes here, whatever the answer is; what is counted, limited or written down about them
/// belongs here. (Rows of sets go through [`allows`] afterwards, one by one.)
pub fn require(privilege: Privilege, resource: &Resource) -> Result<()> {
    clean_log::mark();
    match barrier(resource) {
        None => permitted(privilege, resource),
        Some(Barrier::ProofRequired) => Err(Error::TenantProofRequired),
        Some(Barrier::OtherTenant { bound }) => Err(Error::TenantMismatch {
            call: describe(resource),
            bound,
        }),
    }
}

/// Whether `role` has `privilege` for the whole of `resource`, a row of a set, and this session may touch its tenant.
pub fn allows(role: Role, privilege: Privilege, resource: &Resource) -> bool {
    rules::of(role).allow(privilege, resource) && barrier(resource).is_none()
}

/// Whether `role` has `privilege` everywhere, and this session is bound to no tenant: no row needs to be looked at.
pub fn allows_everything(role: Role, privilege: Privilege) -> bool {
    tenant::bound().is_none() && allows(role, privilege, &Resource::Vault)
}

/// Why a session may not touch something, whatever its role's rights are.
enum Barrier {
    ProofRequired,
    OtherTenant { bound: String },
}

/// The tenant of this session against that of `resource`.
fn barrier(resource: &Resource) -> Option<Barrier> {
    let entered = tenant::entered();
    let has_proof = entered.is_some();
    if !has_proof && settings::require_tenant_proof() {
        return Some(Barrier::ProofRequired);
    }
    let bound = entered.or_else(settings::tenant)?;
    let is_within = match (resource.tenant(), resource) {
        (Some(tenant), _) => tenant == bound,
        (None, Resource::Rows) => true,
        (None, Resource::Rule(_)) => false,
        // What belongs to no tenant is closed behind a proof; the setting alone only guards against mistakes.
        (None, _) => !has_proof,
    };
    (!is_within).then_some(Barrier::OtherTenant { bound })
}

/// The rules of the calling role.
fn permitted(privilege: Privilege, resource: &Resource) -> Result<()> {
    let role = role::current();
    let rules = rules::of(role);
    if rules.allow(privilege, resource) {
        return Ok(());
    }
    Err(Error::PrivilegeMissing {
        role: role.name(),
        privilege: privilege.name(),
        not_covered: rules.has_somewhere(privilege).then(|| describe(resource)),
    })
}

/// What a call is about, in the words of an error. Whose a value is, its reader is not told.
fn describe(resource: &Resource) -> String {
    match resource {
        Resource::Token {
            tenant,
            provider,
            subject,
        } => format!("tenant \"{tenant}\", provider \"{provider}\", subject \"{subject}\""),
        Resource::Subject { tenant, subject } => {
            format!("tenant \"{tenant}\", subject \"{subject}\"")
        }
        Resource::Client {
            tenant: Some(tenant),
            provider,
        } => format!("tenant \"{tenant}\", provider \"{provider}\", all subjects"),
        Resource::Client {
            tenant: None,
            provider,
        } => format!("what all tenants share at provider \"{provider}\""),
        Resource::Tenant(tenant) => format!("all of tenant \"{tenant}\""),
        Resource::Value(_) => "the tenant of this value".into(),
        Resource::Rule(_) => "all that this rule reaches".into(),
        Resource::Vault | Resource::Rows => "the whole vault".into(),
    }
}
