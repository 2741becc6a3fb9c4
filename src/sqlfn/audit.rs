//! Sealing and verifying the audit log.

use pgrx::datum::TimestampWithTimeZone;
use pgrx::iter::TableIterator;
use pgrx::{default, name, pg_extern};
use token_vault_core::audit::{Batch, Mac, parse_mac, show_mac};

use crate::error::{Error, OrRaise, Result};
use crate::pg::{spi, time};
use crate::store::access::{self, Privilege, Resource};
use crate::store::audit::verify::{self, Verdict, Wish};
use crate::store::audit::{chain, months};

fn code(text: &str) -> Result<Mac> {
    parse_mac(text).ok_or_else(|| Error::InvalidArgument {
        name: "expected_mac",
        problem: "it is not a code of 64 hexadecimal digits".into(),
    })
}

/// Seals what has been committed, and looks after the partitions; the refresher does both by itself. Returns how many
/// entries were sealed.
#[pg_extern(schema = "vault", volatile, parallel_unsafe)]
fn audit_seal() -> i64 {
    let seal = || -> Result<i64> {
        access::require(Privilege::Admin, &Resource::Vault)?;
        let mut all = 0;
        loop {
            let (sealed, has_more) = spi::session(chain::seal)?;
            all += sealed;
            if !has_more {
                break;
            }
        }
        months::make_ahead();
        months::drop_old()?;
        Ok(all)
    };
    seal().or_raise()
}

/// The last place of the chain and its code, to be kept elsewhere. No row before there is a master key.
#[pg_extern(schema = "vault", volatile, parallel_unsafe)]
fn audit_head() -> TableIterator<'static, (name!(position, i64), name!(mac, String))> {
    access::require(Privilege::Admin, &Resource::Vault).or_raise();
    let head = spi::session(chain::head);
    TableIterator::new(
        head.into_iter()
            .map(|head| (head.position, show_mac(&head.mac))),
    )
}

#[pg_extern(schema = "vault", volatile, parallel_unsafe)]
#[allow(clippy::type_complexity)]
fn audit_verify(
    from_position: default!(Option<i64>, "NULL"),
    until_position: default!(Option<i64>, "NULL"),
    expected_position: default!(Option<i64>, "NULL"),
    expected_mac: default!(Option<&str>, "NULL"),
) -> TableIterator<
    'static,
    (
        name!(entries, i64),
        name!(first_position, Option<i64>),
        name!(last_position, Option<i64>),
        name!(unsealed, i64),
        name!(problem, Option<String>),
        name!(problem_position, Option<i64>),
    ),
> {
    let verify = || -> Result<Verdict> {
        access::require(Privilege::Admin, &Resource::Vault)?;
        let expected = match (expected_position, expected_mac) {
            (None, None) => None,
            (Some(position), Some(mac)) => Some((position, code(mac)?)),
            (None, _) => return Err(Error::MissingArgument("expected_position")),
            (_, None) => return Err(Error::MissingArgument("expected_mac")),
        };
        verify::verify(&Wish {
            from: from_position,
            until: until_position,
            expected,
        })
    };
    let verdict = verify().or_raise();
    let mut problems: Vec<Option<(&str, i64)>> = verdict.problems.into_iter().map(Some).collect();
    if problems.is_empty() {
        problems.push(None);
    }
    TableIterator::new(problems.into_iter().map(move |problem| {
        (
            verdict.entries,
            verdict.first,
            verdict.last,
            verdict.unsealed,
            problem.map(|(problem, _)| problem.to_owned()),
            problem.map(|(_, position)| position),
        )
    }))
}

/// The entries of a row that holds many or is not sealed; the view shows them like the others.
#[pg_extern(schema = "vault", immutable, strict, parallel_safe)]
#[allow(clippy::type_complexity)]
fn audit_entries(
    batch: &[u8],
) -> TableIterator<
    'static,
    (
        name!(at, TimestampWithTimeZone),
        name!(event, String),
        name!(login_role, Option<String>),
        name!(role, Option<String>),
        name!(application_name, Option<String>),
        name!(client_address, Option<String>),
        name!(tenant, Option<String>),
        name!(provider, Option<String>),
        name!(subject, Option<String>),
        name!(label, Option<String>),
        name!(reason, Option<String>),
        name!(detail, Option<String>),
    ),
> {
    let own = |text: Option<&str>| text.map(str::to_owned);
    let rows: Vec<_> = Batch::new(batch)
        .map(|entry| {
            (
                time::to_sql(entry.at),
                entry.event.to_owned(),
                own(entry.login_role),
                own(entry.role),
                own(entry.application_name),
                own(entry.client_address),
                own(entry.tenant),
                own(entry.provider),
                own(entry.subject),
                own(entry.label),
                own(entry.reason),
                own(entry.detail),
            )
        })
        .collect();
    TableIterator::new(rows)
}
