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

/// Rows that are read at once: of tokens, and of client secrets, of which each may have a megabyte.
const TOKENS_AT_ONCE: i32 = 500;
const SECRETS_AT_ONCE: i32 = 16;
/// Values that are in memory at once, but for one row: how long they are is decided by those who store them.
pub const BATCH_BYTES: i64 = 8 << 20;

/// One kind of values, and how far it has been read.
pub enum Source {
    DataKeys { done: bool },
    Tokens { after: i64 },
    ClientSecrets { after: (i64, i32) },
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
        Source::ClientSecrets {
            after: (i64::MIN, 0),
        },
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
    envelopes: [Option<Vec<u8>>; 4],
}

impl Token {
    fn read(row: &Row) -> Token {
        Token {
            id: row.required(1),
            key: TokenKey::read(row, 2),
            envelopes: [row.get(6), row.get(7), row.get(8), row.get(9)],
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
        "SELECT id, tenant, provider, subject, label, access_token, refresh_token, id_token, unread_answer,
                octet_length(access_token)::bigint + coalesce(octet_length(refresh_token), 0) + coalesce(octet_length(id_token), 0)
                + coalesce(octet_length(unread_answer), 0)
         FROM vault.token WHERE id > $1 ORDER BY id LIMIT $2",
        &[INT8OID, INT4OID],
    );
    let arguments = [(*after).into(), TOKENS_AT_ONCE.into()];
    let mut bytes = 0;
    let read = |row: &Row| {
        let is_first = bytes == 0;
        bytes += row.required::<i64>(10);
        (is_first || bytes <= BATCH_BYTES).then(|| Token::read(row))
    };
    let tokens = spi::session(|session| session.query_active(&TOKENS, &arguments, read));
    let tokens: Vec<Token> = tokens.into_iter().flatten().collect();
    *after = tokens.last()?.id;
    Some(tokens)
}

fn client_secrets(after: &mut (i64, i32)) -> Option<Vec<Value>> {
    static SECRETS: Statement = Statement::new(
        "SELECT s.client, s.position, c.tenant, c.name, c.provider, s.client_secret
         FROM vault.client_secret AS s JOIN vault.client AS c ON c.id = s.client
         WHERE (s.client, s.position) > ($1, $2) ORDER BY s.client, s.position LIMIT $3",
        &[INT8OID, INT4OID, INT4OID],
    );
    let arguments = [after.0.into(), after.1.into(), SECRETS_AT_ONCE.into()];
    let secrets = spi::session(|session| {
        session.query_active(&SECRETS, &arguments, |row| {
            ((row.required(1), row.required(2)), client_secret(row))
        })
    });
    *after = secrets.last()?.0;
    Some(secrets.into_iter().map(|(_, value)| value).collect())
}

fn client_secret(row: &Row) -> Value {
    let (tenant, client): (Option<String>, String) = (row.get(3), row.required(4));
    let position: i32 = row.required(2);
    Value {
        relation: "vault.client_secret".into(),
        column: "client_secret".into(),
        location: format!(
            "{}/{client}/{position}",
            tenant.as_deref().unwrap_or_default()
        ),
        place: Place::ClientSecret {
            tenant,
            client,
            provider: row.required(5),
        },
        envelope: row.required(6),
    }
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
