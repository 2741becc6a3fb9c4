//! Rows of `vault.token`: sealed on the way in, opened on the way out.

mod delete;
mod export;
mod policy;
mod read;
mod write;

pub use delete::{delete, delete_subject, delete_tenant};
pub use export::{ExportedToken, export};
pub use policy::set_refresh_policy;
pub use read::{State, StoredToken, Target, client, find, find_each, target, targets};
pub use write::{ClientOf, Sealed, disuse_ends_at, seal, store};

use token_vault_core::envelope::{Context, TokenField};

use crate::pg::spi::Row;
use crate::store::access::Resource;

/// What names a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenKey {
    pub tenant: String,
    pub provider: String,
    pub subject: String,
    pub label: String,
}

impl TokenKey {
    /// From four columns of a row, of which this is the first.
    pub fn read(row: &Row, tenant: i32) -> TokenKey {
        TokenKey {
            tenant: row.required(tenant),
            provider: row.required(tenant + 1),
            subject: row.required(tenant + 2),
            label: row.required(tenant + 3),
        }
    }

    /// What a call about it needs the right for.
    pub fn resource(&self) -> Resource<'_> {
        Resource::Token {
            tenant: &self.tenant,
            provider: &self.provider,
            subject: &self.subject,
        }
    }

    /// What the envelope of one field is bound to: moved to another row or field, it does not open.
    pub fn context(&self, field: TokenField) -> Context<'_> {
        Context::Token {
            tenant: &self.tenant,
            provider: &self.provider,
            subject: &self.subject,
            label: &self.label,
            field,
        }
    }
}
