//! The book on a provider and a vault: every grant, every request, every time the server was killed. It says whether a
//! grant was lost or a refresh token sent twice without need.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, SystemTime};

use serde_json::Value;
use token_vault_cluster::Result;
use token_vault_oauth_server::{Entry, Outcome, handle};

use crate::provider::Vault;
use crate::refresh_load::STRICT;
use crate::refresh_report::{Loss, Report};
use crate::refresh_tokens::{Row, rows};

/// Whether the application has stored a grant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stored {
    Yes,
    /// Its transaction was not committed.
    No,
}

struct Grant {
    client: String,
    subject: String,
    /// Handle of its first refresh token.
    first: String,
    stored: Stored,
}

/// A time in which a refresher died: it lived at `begin`, and at `end` there was another one.
#[derive(Clone, Debug)]
pub struct Interruption {
    pub begin: SystemTime,
    pub end: SystemTime,
}

#[derive(Default)]
pub struct Ledger {
    grants: Vec<Grant>,
    interruptions: Vec<Interruption>,
    /// What the vault said of lost grants: subject and error.
    reports: Vec<(String, String)>,
    /// Time that passes between two refreshes of a token, at least.
    pause: Duration,
}

/// The requests that belong to one grant, in their order.
struct Account<'a> {
    grant: &'a Grant,
    entries: Vec<&'a Entry>,
}

impl Ledger {
    pub fn new(pause: Duration) -> Self {
        Self {
            pause,
            ..Self::default()
        }
    }

    pub fn granted(&mut self, client: &str, subject: &str, answer: &Value, stored: Stored) {
        self.grants.push(Grant {
            client: client.to_owned(),
            subject: subject.to_owned(),
            first: handle(answer["refresh_token"].as_str().expect("a refresh token")),
            stored,
        });
    }

    pub fn interrupted(&mut self, interruption: Interruption) {
        self.interruptions.push(interruption);
    }

    /// The vault says that a grant was lost.
    pub fn reported(&mut self, subject: &str, error: &str) {
        self.reports.push((subject.to_owned(), error.to_owned()));
    }

    /// Compares the provider's journal with the table, when no refresh is under way.
    pub fn check(&self, vault: &mut Vault) -> Result<Report> {
        let journal = vault.refreshes();
        let mut report = Report {
            requests: journal.len(),
            repeated: journal
                .iter()
                .filter(|entry| entry.outcome == Outcome::Repeated)
                .count(),
            interruptions: self.interruptions.len(),
            in_the_middle: self.in_the_middle(&journal),
            losses: Vec::new(),
            problems: Vec::new(),
        };
        let accounts = self.accounts(&journal, &mut report);
        for account in &accounts {
            self.check_requests(account, &mut report);
        }
        let rows = rows(vault)?;
        for row in &rows {
            self.check_row(row, &accounts, &mut report);
        }
        self.check_reports(&rows, &mut report);
        Ok(report)
    }

    /// How many times the server was killed while the provider was about to answer.
    fn in_the_middle(&self, journal: &[Entry]) -> usize {
        let is_hit = |kill: &&Interruption| {
            let is_under_way = |entry: &Entry| {
                entry.at <= kill.begin
                    && entry.delivered_at.is_none_or(|at| at > kill.begin)
                    && kill
                        .begin
                        .duration_since(entry.at)
                        .is_ok_and(|age| age < Duration::from_secs(5))
            };
            journal.iter().any(is_under_way)
        };
        self.interruptions.iter().filter(is_hit).count()
    }

    fn accounts<'a>(&'a self, journal: &'a [Entry], report: &mut Report) -> Vec<Account<'a>> {
        let mut families: HashMap<u64, Account> = HashMap::new();
        let by_first: HashMap<&str, &Grant> = self
            .grants
            .iter()
            .map(|grant| (grant.first.as_str(), grant))
            .collect();
        for entry in journal {
            let token = entry.refresh_token_id.as_deref().unwrap_or_default();
            let Some(family) = entry.family else {
                report.problem(format!("an unknown refresh token was sent: {entry:?}"));
                continue;
            };
            if let Some(account) = families.get_mut(&family) {
                account.entries.push(entry);
            } else if let Some(grant) = by_first.get(token) {
                let entries = vec![entry];
                families.insert(family, Account { grant, entries });
            } else {
                report.problem(format!(
                    "a grant's first request is not with its first token: {entry:?}"
                ));
            }
        }
        families.into_values().collect()
    }

    /// Each request has the newest refresh token, or repeats the last one, because the refresher died before it had written
    /// the answer.
    fn check_requests(&self, account: &Account, report: &mut Report) {
        let mut newest = account.grant.first.clone();
        let mut last: Option<&Entry> = None;
        for entry in &account.entries {
            let token = entry.refresh_token_id.clone().unwrap_or_default();
            let repeats = last.is_some_and(|last| last.refresh_token_id == entry.refresh_token_id);
            if token != newest && !repeats {
                report.problem(format!(
                    "an old refresh token was sent: {}",
                    account.story(Some(entry))
                ));
            }
            if let Some(last) = last {
                self.check_pair(account, last, entry, report);
            }
            if let Some(new) = &entry.new_refresh_token_id {
                newest.clone_from(new);
            }
            match entry.outcome {
                Outcome::Refreshed | Outcome::Rotated | Outcome::Repeated => {}
                Outcome::ReuseDetected => self.check_loss(account, last, entry, report),
                // The first refusal came too late to be written.
                _ if last.is_some_and(|last| last.error.is_some()) => {}
                _ => report.problem(format!(
                    "refused without a loss: {}",
                    account.story(Some(entry))
                )),
            }
            last = Some(entry);
        }
        if account.grant.stored == Stored::No {
            report.problem(format!("sent, but never stored: {}", account.story(None)));
        }
    }

    fn check_pair(&self, account: &Account, first: &Entry, second: &Entry, report: &mut Report) {
        let is_answered = first.delivered_at.is_some_and(|at| at <= second.at);
        let is_due = second
            .at
            .duration_since(first.at)
            .is_ok_and(|pause| pause >= self.pause);
        let is_used_up = first.error.is_some()
            || first.new_refresh_token_id.is_some()
                && first.refresh_token_id == second.refresh_token_id;
        if (!is_answered || !is_due || is_used_up)
            && self.interruption(first.at, second.at).is_none()
        {
            report.problem(format!(
                "asked again for no reason: {}",
                account.story(Some(second))
            ));
        }
    }

    /// A grant may be lost at a strict provider only, if the refresher died between the rotation and the commit of the
    /// answer.
    fn check_loss(
        &self,
        account: &Account,
        rotation: Option<&Entry>,
        refusal: &Entry,
        report: &mut Report,
    ) {
        let interruption = rotation.and_then(|rotation| self.interruption(rotation.at, refusal.at));
        match (rotation, interruption) {
            (Some(rotation), Some(kill)) if account.grant.client == STRICT => {
                let delivered_at = rotation.delivered_at.filter(|at| *at <= kill.begin);
                report.losses.push(Loss {
                    subject: account.grant.subject.clone(),
                    held: delivered_at.and_then(|at| kill.begin.duration_since(at).ok()),
                });
            }
            _ => report.problem(format!(
                "a grant was lost: {}",
                account.story(Some(refusal))
            )),
        }
    }

    /// The first time that the refresher died after `begin` and before `end`.
    fn interruption(&self, begin: SystemTime, end: SystemTime) -> Option<&Interruption> {
        self.interruptions
            .iter()
            .find(|interruption| interruption.end >= begin && interruption.begin <= end)
    }

    /// The row has the newest refresh token of the subject's newest grant, or says that this grant is lost.
    fn check_row(&self, row: &Row, accounts: &[Account], report: &mut Report) {
        let newest_grant = self
            .grants
            .iter()
            .rev()
            .find(|grant| grant.subject == row.subject && grant.stored == Stored::Yes);
        let Some(grant) = newest_grant else {
            return report.problem(format!("nobody has stored {row:?}"));
        };
        let account = accounts
            .iter()
            .find(|account| account.grant.first == grant.first);
        let newest = account.map_or(&grant.first, Account::newest);
        let is_lost = account.is_some_and(Account::is_lost);
        let story = || account.map_or_else(String::new, |account| account.story(None));
        match &*row.state {
            "active" if is_lost => {
                report.problem(format!("lost, and not said so: {row:?} {}", story()))
            }
            "active" if row.refresh_token != *newest => {
                report.problem(format!("not the newest refresh token: {row:?} {}", story()));
            }
            "active" => {}
            _ if is_lost => {}
            _ => report.problem(format!("given up, and not lost: {row:?} {}", story())),
        }
    }

    /// The vault says of each lost grant that it is, and why.
    fn check_reports(&self, rows: &[Row], report: &mut Report) {
        let open = rows.iter().filter(|row| row.state != "active");
        let mut said: Vec<(&str, &str)> = open
            .map(|row| (row.subject.as_str(), row.last_error.as_str()))
            .chain(
                self.reports
                    .iter()
                    .map(|(subject, error)| (subject.as_str(), error.as_str())),
            )
            .collect();
        let mut attempts = HashSet::new();
        for (subject, error) in &said {
            match lost_attempt(error) {
                Some(attempt) if attempts.insert(attempt) => {}
                _ => report.problem(format!("{subject}: the attempt is not named: {error}")),
            }
        }
        let mut lost: Vec<&str> = report
            .losses
            .iter()
            .map(|loss| loss.subject.as_str())
            .collect();
        said.sort_unstable();
        lost.sort_unstable();
        let subjects: Vec<&str> = said.iter().map(|(subject, _)| *subject).collect();
        if subjects != lost {
            let problem = format!("lost: {lost:?}\nreported: {subjects:?}");
            report.problem(problem);
        }
    }
}

/// The attempt whose answer was lost, as the vault names it.
pub fn lost_attempt(error: &str) -> Option<i64> {
    let (_, attempt) = error.split_once("after a lost answer (attempt ")?;
    attempt.strip_suffix(')')?.parse().ok()
}

impl Account<'_> {
    /// The handle of the refresh token that counts at the provider.
    fn newest(&self) -> &String {
        self.entries
            .iter()
            .rev()
            .find_map(|entry| entry.new_refresh_token_id.as_ref())
            .unwrap_or(&self.grant.first)
    }

    fn is_lost(&self) -> bool {
        self.entries
            .iter()
            .any(|entry| entry.outcome == Outcome::ReuseDetected)
    }

    /// The requests up to this one, for a message.
    fn story(&self, until: Option<&Entry>) -> String {
        let mut lines = vec![format!("{} of {}", self.grant.subject, self.grant.client)];
        let told = |entry: &&&Entry| until.is_none_or(|until| entry.seq <= until.seq);
        for entry in self.entries.iter().filter(told) {
            lines.push(format!(
                "  {:?} {:?} {:?} -> {:?}, delivered {:?}",
                entry.at,
                entry.outcome,
                entry.refresh_token_id,
                entry.new_refresh_token_id,
                entry.delivered_at
            ));
        }
        lines[lines.len().saturating_sub(4)..].join("\n")
    }
}
