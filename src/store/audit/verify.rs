//! Walking along the chain.

use token_vault_core::audit::{BEGINNING, Finding, Mac, Walk, cut_message};

use super::chain::{self, Head};
use super::table::{Written, columns};
use crate::error::Result;
use crate::pg::spi::BuiltinOid::INT8OID;
use crate::pg::spi::{self, Session, Statement};
use crate::store::keyring;

/// Places looked at in one go.
const BATCH: i64 = 500;
/// More problems than this are not listed: the log is not what it was.
const MAX_PROBLEMS: usize = 100;

/// What was found, all in all.
pub struct Verdict {
    pub entries: i64,
    pub first: Option<i64>,
    pub last: Option<i64>,
    /// Entries that are not sealed yet.
    pub unsealed: i64,
    pub problems: Vec<(&'static str, i64)>,
}

/// Entries that were dropped because they were old.
struct Cut {
    first: i64,
    last: i64,
    mac: Mac,
    seal: Mac,
}

/// Which part is looked at, and what is known of it from elsewhere.
pub struct Wish {
    pub from: Option<i64>,
    pub until: Option<i64>,
    pub expected: Option<(i64, Mac)>,
}

/// Looks at the places `from` to `until`, or all. `expected` is a head that somebody has kept.
pub fn verify(wish: &Wish) -> Result<Verdict> {
    spi::session(|session| {
        let mut verdict = Verdict {
            entries: 0,
            first: None,
            last: None,
            unsealed: count_unsealed(session),
            problems: Vec::new(),
        };
        let Some(head) = chain::head(session) else {
            if wish.expected.is_some() {
                verdict.problems.push(("head missing", 0));
            }
            return Ok(verdict);
        };
        let cuts = cuts(session, &head, &mut verdict)?;
        walk(session, &head, wish, &cuts, &mut verdict)?;
        if let Some((position, mac)) = wish.expected {
            expect(session, &head, (position, mac), &cuts, &mut verdict);
        }
        verdict.problems.truncate(MAX_PROBLEMS);
        Ok(verdict)
    })
}

fn walk(
    session: &Session,
    head: &Head,
    wish: &Wish,
    cuts: &[Cut],
    verdict: &mut Verdict,
) -> Result<()> {
    let from = wish.from.unwrap_or(1).max(1);
    let until = wish.until.unwrap_or(i64::MAX);
    let mut walk = Walk::new(from, code_before(session, from, cuts));
    // Places that no chain has, and those behind the head, are looked at as well where all is.
    let lowest = if wish.from.is_none() { i64::MIN } else { from };
    let mut at = lowest;
    loop {
        let rows = rows(session, at, until);
        let Some((last, ..)) = rows.last() else { break };
        at = last.saturating_add(1);
        for (position, mac, written) in &rows {
            pass_over(&mut walk, cuts, *position);
            let expected = |previous: &Mac| {
                keyring::with_audit_key(head.key, |key| {
                    key.audit_mac(&written.message(previous, *position))
                })
            };
            // The key is here: an error would have come with the first code.
            let before = expected(&BEGINNING)?;
            let found = walk.step(*position, mac, |previous| {
                expected(previous).unwrap_or(before)
            });
            verdict.problems.extend(found.into_iter().map(describe));
        }
        verdict.entries += rows.len() as i64;
        verdict.first = verdict.first.or(rows.first().map(|row| row.0));
        verdict.last = rows.last().map(|row| row.0);
        if verdict.problems.len() > MAX_PROBLEMS || at == i64::MAX || at > until {
            break;
        }
        pgrx::check_for_interrupts!();
    }
    if until >= head.position {
        pass_over(&mut walk, cuts, head.position + 1);
        let end = walk.end(head.position, &head.mac);
        verdict.problems.extend(end.map(describe));
    }
    Ok(())
}

/// Takes the walk over what was cut out before `position`.
fn pass_over(walk: &mut Walk, cuts: &[Cut], position: i64) {
    while let Some(cut) = cuts
        .iter()
        .find(|cut| cut.first == walk.next() && cut.first < position)
    {
        walk.pass_over(cut.last, cut.mac);
    }
}

fn describe(finding: Finding) -> (&'static str, i64) {
    match finding {
        Finding::Changed(position) => ("changed", position),
        Finding::Missing(first, _) => ("missing", first),
        Finding::Inserted(position) => ("inserted", position),
    }
}

/// The head that somebody has kept must be a place of this chain.
fn expect(
    session: &Session,
    head: &Head,
    (position, mac): (i64, Mac),
    cuts: &[Cut],
    verdict: &mut Verdict,
) {
    let problem = if position > head.position {
        Some("tail missing")
    } else {
        let known = code_before(session, position + 1, cuts);
        let was_cut = cuts
            .iter()
            .any(|cut| (cut.first..cut.last).contains(&position));
        (known != Some(mac) && !was_cut).then_some("expected code not found")
    };
    verdict
        .problems
        .extend(problem.map(|problem| (problem, position)));
}

/// The code at the place before this one, if it is known.
fn code_before(session: &Session, position: i64, cuts: &[Cut]) -> Option<Mac> {
    static CODE: Statement = Statement::new(
        "SELECT mac FROM vault.audit_entry WHERE position = $1 LIMIT 1",
        &[INT8OID],
    );
    if position == 1 {
        return Some(BEGINNING);
    }
    let cut = cuts.iter().find(|cut| cut.last == position - 1);
    cut.map(|cut| cut.mac)
        .or_else(|| session.query_one(&CODE, &[(position - 1).into()], |row| chain::mac(row, 1)))
}

/// Sealed entries from a place on, in the order of their places; of the last place, all.
fn rows(session: &Session, from: i64, until: i64) -> Vec<(i64, Mac, Written)> {
    static ROWS: Statement = Statement::new(
        concat!(
            "SELECT position, mac, ",
            columns!(),
            " FROM vault.audit_entry
              WHERE position >= $1 AND position <= least($2, (
                  SELECT max(p) FROM (SELECT position AS p FROM vault.audit_entry WHERE position >= $1 AND position <= $2
                                      ORDER BY position LIMIT $3) AS batch))
              ORDER BY position"
        ),
        &[INT8OID, INT8OID, INT8OID],
    );
    let arguments = [from.into(), until.into(), BATCH.into()];
    session.query(&ROWS, &arguments, |row| {
        (row.required(1), chain::mac(row, 2), Written::read(row, 3))
    })
}

/// What was cut out, oldest first; what is not sealed with the key is a problem.
fn cuts(session: &Session, head: &Head, verdict: &mut Verdict) -> Result<Vec<Cut>> {
    static CUTS: Statement = Statement::new(
        "SELECT first_position, last_position, last_mac, seal FROM vault.audit_cut ORDER BY first_position",
        &[],
    );
    let cuts: Vec<Cut> = session.query(&CUTS, &[], |row| Cut {
        first: row.required(1),
        last: row.required(2),
        mac: chain::mac(row, 3),
        seal: chain::mac(row, 4),
    });
    let is_ours = |key: &token_vault_core::keys::DataKey, cut: &Cut| {
        key.audit_mac(&cut_message(cut.first, cut.last, &cut.mac)) == cut.seal
    };
    let (ours, forged): (Vec<Cut>, Vec<Cut>) = keyring::with_audit_key(head.key, |key| {
        cuts.into_iter().partition(|cut| is_ours(key, cut))
    })?;
    let problems = forged.iter().map(|cut| ("forged cut", cut.first));
    verdict.problems.extend(problems);
    Ok(ours)
}

fn count_unsealed(session: &Session) -> i64 {
    static COUNT: Statement = Statement::new(
        "SELECT count(*) FROM vault.audit_unsealed AS u, vault.audit_entries(u.entries)",
        &[],
    );
    session
        .query_one(&COUNT, &[], |row| row.required(1))
        .unwrap_or(0)
}
