//! Whether everything can be read.

use pgrx::iter::TableIterator;
use pgrx::{name, pg_extern};

use crate::error::OrRaise;
use crate::store::access::{self, Privilege, Resource};
use crate::store::verification::Verification;

#[pg_extern(schema = "vault", volatile, parallel_unsafe)]
#[allow(clippy::type_complexity)]
fn verify() -> TableIterator<
    'static,
    (
        name!(relation, String),
        name!(column_name, String),
        name!(location, String),
        name!(key, Option<String>),
        name!(outcome, &'static str),
        name!(detail, Option<String>),
    ),
> {
    access::require(Privilege::Admin, &Resource::Vault).or_raise();
    TableIterator::new(Verification::new().map(|finding| {
        (
            finding.relation,
            finding.column,
            finding.location,
            finding.key,
            finding.outcome.name(),
            finding.detail,
        )
    }))
}
