//! Where a value that does not open in its place belongs.

use std::collections::VecDeque;

use token_vault_core::column::COLUMN;
use token_vault_core::envelope::{Context, TokenField};

use super::source::Source;
use super::{Finding, Outcome, Value, open};
use crate::store::token::TokenKey;

/// Attempts to open at most: some seconds of work. With a thousand tokens, that many damaged values.
const MAX_ATTEMPTS: usize = 3_000_000;

/// What a value is bound to.
#[derive(Clone)]
pub enum Place {
    Token(TokenKey, TokenField),
    ClientSecret {
        tenant: Option<String>,
        client: String,
        provider: String,
    },
    Column,
}

impl Place {
    pub fn context(&self) -> Context<'_> {
        match self {
            Place::Token(key, field) => key.context(*field),
            Place::ClientSecret {
                tenant,
                client,
                provider,
            } => Context::ClientSecret {
                tenant: tenant.as_deref().unwrap_or_default(),
                client,
                provider,
            },
            Place::Column => COLUMN,
        }
    }

    fn describe(&self) -> String {
        match self {
            Place::Token(key, field) => format!(
                "it is the {} of {}/{}/{}/{}",
                field_name(*field),
                key.tenant,
                key.provider,
                key.subject,
                key.label
            ),
            Place::ClientSecret { tenant, client, .. } => format!(
                "it is a secret of client {client} of {}",
                tenant.as_deref().unwrap_or("all tenants")
            ),
            Place::Column => "it is a value of type vault.secret".into(),
        }
    }

    /// The places that one value's own suggests.
    fn with_neighbours(self) -> Vec<Place> {
        match self {
            Place::Token(key, _) => TokenField::ALL
                .into_iter()
                .map(|field| Place::Token(key.clone(), field))
                .collect(),
            place => vec![place],
        }
    }
}

/// The column of a field.
pub fn field_name(field: TokenField) -> &'static str {
    match field {
        TokenField::AccessToken => "access_token",
        TokenField::RefreshToken => "refresh_token",
        TokenField::IdToken => "id_token",
        TokenField::UnreadAnswer => "unread_answer",
    }
}

/// Tries every value in every place of the vault, its own row first.
pub fn search(mut lost: Vec<Value>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut attempts = 0;
    let own: Vec<Place> = lost.iter().map(|value| value.place.clone()).collect();
    let mut places: VecDeque<Place> = own.into_iter().flat_map(Place::with_neighbours).collect();
    places.push_back(Place::Column);
    let mut sources = super::source::with_places();
    while let Some(place) = next_place(&mut places, &mut sources) {
        attempts += lost.len();
        if lost.is_empty() || attempts > MAX_ATTEMPTS {
            break;
        }
        pgrx::check_for_interrupts!();
        let (found, left): (Vec<Value>, Vec<Value>) =
            (lost.into_iter()).partition(|value| open(&place.context(), &value.envelope).is_ok());
        lost = left;
        let detail = place.describe();
        findings.extend(
            (found.into_iter()).map(|value| value.finding(Outcome::Moved, Some(detail.clone()))),
        );
    }
    let detail = (!lost.is_empty() && attempts > MAX_ATTEMPTS)
        .then(|| "or moved: there are too many places to look for its own".to_owned());
    findings
        .extend((lost.into_iter()).map(|value| value.finding(Outcome::Damaged, detail.clone())));
    findings
}

fn next_place(places: &mut VecDeque<Place>, sources: &mut VecDeque<Source>) -> Option<Place> {
    while places.is_empty() {
        match sources.front_mut()?.next_places() {
            Some(more) => places.extend(more.into_iter().flat_map(Place::with_neighbours)),
            None => drop(sources.pop_front()),
        }
    }
    places.pop_front()
}
