//! Reading, batch by batch, what is to be verified.

use std::collections::VecDeque;

use token_vault_core::envelope::TokenField;

use super::columns::Columns;
use super::origin::{Place, field_name};
use super::{Finding, Outcome, Value};
use crate::pg::locked;
use crate::pg::spi::BuiltinOid::{INT4OID, INT8OID};
use crate::pg::spi::{self, Row, Statement};
use crate::store::column;
use crate::store::keyring::row::{self, KeyRow};
use crate::store::token::TokenKey;

const BATCH: i32 = 500;

/// One kind of values, and how far it has been read.
pub enum Source {
    DataKeys { done: bool },
    Tokens { after: i64 },
    ClientSecrets { after: i64 },
    Columns(Columns),
    Opaque { done: bool },
}

/// What is verified next, or was verified while it was read.
#[derive(Default)]
pub struct Batch {
    pub values: Vec<Value>,
    pub findings: Vec<Finding>,
}

/// Everything that is encrypted.
pub fn all() -> VecDeque<Source> {
    let mut sources = with_places();
    sources.push_front(Source::DataKeys { done: false });
    let tables = column::tables().into_iter();
    sources.extend(tables.map(|table| Source::Columns(Columns::of(table))));
    sources.push_back(Source::Opaque { done: false });
    sources
}

/// What is bound to its place.
pub fn with_places() -> VecDeque<Source> {
    [
        Source::Tokens { after: i64::MIN },
        Source::ClientSecrets { after: i64::MIN },
    ]
    .into()
}

impl Source {
    /// None: all has been read.
    pub fn next_batch(&mut self) -> Option<Batch> {
        match self {
            Source::DataKeys { done: true } => None,
            Source::DataKeys { done } => {
                *done = true;
                Some(Batch {
                    findings: row::stored().iter().map(data_key).collect(),
                    ..Batch::default()
                })
            }
            Source::Tokens { after } => tokens(after).map(|tokens| Batch {
                values: tokens.into_iter().flat_map(Token::into_values).collect(),
                ..Batch::default()
            }),
            Source::ClientSecrets { after } => client_secrets(after).map(|values| Batch {
                values,
                ..Batch::default()
            }),
            Source::Columns(columns) => columns.next_batch(),
            Source::Opaque { done: true } => None,
            Source::Opaque { done } => {
                *done = true;
                Some(Batch {
                    findings: column::opaque().into_iter().map(opaque).collect(),
                    ..Batch::default()
                })
            }
        }
    }

    /// The places of the next batch; None: all have been read.
    pub fn next_places(&mut self) -> Option<Vec<Place>> {
        self.next_batch()
            .map(|batch| batch.values.into_iter().map(|value| value.place).collect())
    }
}

fn data_key(row: &KeyRow) -> Finding {
    let outcome = match locked::with_clean_stack(|| row.unwrap().map(drop)) {
        Ok(()) => (Outcome::Ok, None),
        Err(crate::error::Error::Undecryptable { .. }) => (Outcome::Damaged, None),
        Err(error) => (Outcome::UnknownKey, Some(error.message())),
    };
    Finding {
        relation: "vault.key".into(),
        column: "wrapped_key".into(),
        location: row.id.to_string(),
        key: Some(row.id.to_string()),
        outcome: outcome.0,
        detail: outcome.1,
    }
}

struct Token {
    id: i64,
    key: TokenKey,
    envelopes: [Option<Vec<u8>>; 3],
}

impl Token {
    fn read(row: &Row) -> Token {
        Token {
            id: row.required(1),
            key: TokenKey::read(row, 2),
            envelopes: [row.get(6), row.get(7), row.get(8)],
        }
    }

    fn into_values(self) -> Vec<Value> {
        let TokenKey {
            tenant,
            provider,
            subject,
            label,
        } = &self.key;
        let location = format!("{tenant}/{provider}/{subject}/{label}");
        TokenField::ALL
            .into_iter()
            .zip(self.envelopes)
            .filter_map(|(field, envelope)| {
                Some(Value {
                    relation: "vault.token".into(),
                    column: field_name(field).into(),
                    location: location.clone(),
                    place: Place::Token(self.key.clone(), field),
                    envelope: envelope?,
                })
            })
            .collect()
    }
}

fn tokens(after: &mut i64) -> Option<Vec<Token>> {
    static TOKENS: Statement = Statement::new(
        "SELECT id, tenant, provider, subject, label, access_token, refresh_token, id_token
         FROM vault.token WHERE id > $1 ORDER BY id LIMIT $2",
        &[INT8OID, INT4OID],
    );
    let arguments = [(*after).into(), BATCH.into()];
    let tokens = spi::session(|session| session.query_active(&TOKENS, &arguments, Token::read));
    *after = tokens.last()?.id;
    Some(tokens)
}

fn client_secrets(after: &mut i64) -> Option<Vec<Value>> {
    // A client has a handful of secrets: whole clients at a time.
    static SECRETS: Statement = Statement::new(
        "SELECT c.id, c.tenant, c.name, c.provider, s.position, s.client_secret
         FROM (SELECT * FROM vault.client WHERE id > $1 ORDER BY id LIMIT $2) AS c
         LEFT JOIN vault.client_secret AS s ON s.client = c.id ORDER BY c.id, s.position",
        &[INT8OID, INT4OID],
    );
    let arguments = [(*after).into(), BATCH.into()];
    let secrets = spi::session(|session| {
        session.query_active(&SECRETS, &arguments, |row| {
            (row.required::<i64>(1), client_secret(row))
        })
    });
    *after = secrets.last()?.0;
    Some(secrets.into_iter().filter_map(|(_, value)| value).collect())
}

/// None: the client has no secret.
fn client_secret(row: &Row) -> Option<Value> {
    let (tenant, client): (Option<String>, String) = (row.get(2), row.required(3));
    let position: i32 = row.get(5)?;
    Some(Value {
        relation: "vault.client_secret".into(),
        column: "client_secret".into(),
        location: format!(
            "{}/{client}/{position}",
            tenant.as_deref().unwrap_or_default()
        ),
        place: Place::ClientSecret {
            tenant,
            client,
            provider: row.required(4),
        },
        envelope: row.required(6),
    })
}

fn opaque(name: String) -> Finding {
    Finding {
        relation: name,
        column: String::new(),
        location: String::new(),
        key: None,
        outcome: Outcome::NotChecked,
        detail: Some("its values lie inside others, or are not stored by this session".into()),
    }
}
