//! A batch of tokens.

use token_vault_core::envelope::{self, TokenField};

use super::job::Place;
use super::{BATCH_BYTES, Batch};
use crate::error::Result;
use crate::pg::spi::BuiltinOid::{BYTEAARRAYOID, INT8ARRAYOID, INT8OID};
use crate::pg::spi::{self, Session, Statement};
use crate::store::token::TokenKey;
use crate::store::{envelope_head, keyring};

/// A batch looks at so many rows for each one it may take, so that a table with little to do is passed quickly, and
/// one with nothing to do in many short transactions.
const WINDOW: usize = 4;

struct Row {
    id: i64,
    key: TokenKey,
    envelopes: [Option<Vec<u8>>; 4],
}

pub(super) fn batch(after: i64, batch_size: usize) -> Result<(Batch, Place)> {
    spi::session(|session| {
        let Some(end) = window_end(session, after, batch_size * WINDOW) else {
            return Ok((Batch::default(), Place::ClientSecrets { after: i64::MIN }));
        };
        let (rows, is_all) = lock(session, after, end, batch_size);
        let last = match rows.last() {
            Some(row) if !is_all => row.id,
            _ => end,
        };
        Ok((reseal(session, rows)?, Place::Tokens { after: last }))
    })
}

fn window_end(session: &Session, after: i64, rows: usize) -> Option<i64> {
    static END: Statement = Statement::new(
        "SELECT max(id) FROM (SELECT id FROM vault.token WHERE id > $1 ORDER BY id LIMIT $2) AS w",
        &[INT8OID, INT8OID],
    );
    session
        .query_one(&END, &[after.into(), (rows as i64).into()], |row| {
            row.get(1)
        })
        .flatten()
}

/// Locks rows that have something to do; false: not all of those in the window.
fn lock(session: &Session, after: i64, end: i64, limit: usize) -> (Vec<Row>, bool) {
    static LOCK: Statement = Statement::new(
        "SELECT id, tenant, provider, subject, label, access_token, refresh_token, id_token, unread_answer,
                octet_length(access_token)::bigint + coalesce(octet_length(refresh_token), 0) + coalesce(octet_length(id_token), 0)
                + coalesce(octet_length(unread_answer), 0)
         FROM vault.token
         WHERE id > $1 AND id <= $2
           AND (vault.is_current(tenant, access_token) IS FALSE OR vault.is_current(tenant, refresh_token) IS FALSE
                OR vault.is_current(tenant, id_token) IS FALSE OR vault.is_current(tenant, unread_answer) IS FALSE)
         ORDER BY id LIMIT $3 FOR NO KEY UPDATE SKIP LOCKED",
        &[INT8OID, INT8OID, INT8OID],
    );
    let mut bytes = 0;
    let mut is_all = true;
    let rows = session.write(
        &LOCK,
        &[after.into(), end.into(), (limit as i64).into()],
        |row| {
            let is_first = bytes == 0;
            bytes += row.required::<i64>(10);
            if bytes > BATCH_BYTES && !is_first {
                is_all = false;
                return None;
            }
            Some(Row {
                id: row.required(1),
                key: TokenKey::read(row, 2),
                envelopes: [row.get(6), row.get(7), row.get(8), row.get(9)],
            })
        },
    );
    is_all &= rows.len() < limit;
    (rows.into_iter().flatten().collect(), is_all)
}

/// `generation` stays: the credentials are the same, and an answer that is under way is still for them.
fn reseal(session: &Session, rows: Vec<Row>) -> Result<Batch> {
    static UPDATE: Statement = Statement::new(
        "UPDATE vault.token AS t SET access_token = coalesce(v.access_token, t.access_token),
             refresh_token = coalesce(v.refresh_token, t.refresh_token), id_token = coalesce(v.id_token, t.id_token),
             unread_answer = coalesce(v.unread_answer, t.unread_answer)
         FROM unnest($1, $2, $3, $4, $5) AS v (id, access_token, refresh_token, id_token, unread_answer) WHERE t.id = v.id",
        &[INT8ARRAYOID, BYTEAARRAYOID, BYTEAARRAYOID, BYTEAARRAYOID, BYTEAARRAYOID],
    );
    let mut batch = Batch::default();
    let mut ids = Vec::with_capacity(rows.len());
    let mut columns: [Vec<Option<Vec<u8>>>; 4] = Default::default();
    for row in rows {
        let resealed = reseal_row(&row, &mut batch)?;
        if resealed.iter().any(Option::is_some) {
            ids.push(row.id);
            columns
                .iter_mut()
                .zip(resealed)
                .for_each(|(column, value)| column.push(value));
        }
    }
    if !ids.is_empty() {
        let [access, refresh, id_token, answer] = columns;
        let arguments = [
            ids.into(),
            access.into(),
            refresh.into(),
            id_token.into(),
            answer.into(),
        ];
        session.run(&UPDATE, &arguments);
    }
    Ok(batch)
}

/// The new values of those fields that have one. A damaged value is left as it is.
fn reseal_row(row: &Row, batch: &mut Batch) -> Result<[Option<Vec<u8>>; 4]> {
    let mut resealed = [None, None, None, None];
    for ((field, old), new) in TokenField::ALL
        .into_iter()
        .zip(&row.envelopes)
        .zip(&mut resealed)
    {
        let Some(old) = old else { continue };
        if envelope_head::is_current(&row.key.tenant, envelope::key_id(old).ok())? {
            continue;
        }
        match keyring::reseal(&row.key.tenant, &row.key.context(field), old) {
            Ok(value) => {
                *new = Some(value);
                batch.resealed += 1;
            }
            Err(error) => batch.note(format_args!("token {}", row.id), error)?,
        }
    }
    Ok(resealed)
}
