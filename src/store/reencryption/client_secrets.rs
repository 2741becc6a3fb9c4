//! A batch of client secrets.

use super::job::Place;
use super::{Batch, columns};
use crate::error::Result;
use crate::pg::spi::BuiltinOid::{BYTEAOID, INT4OID, INT8OID};
use crate::pg::spi::{self, Session, Statement};
use crate::store::{client, keyring};

struct Row {
    client: i64,
    position: i32,
    tenant: Option<String>,
    name: String,
    provider: String,
    envelope: Vec<u8>,
}

/// Whole clients: each has a few secrets.
pub(super) fn batch(after: i64, batch_size: usize) -> Result<(Batch, Place)> {
    spi::session(|session| {
        let Some(last) = last_client(session, after, batch_size) else {
            return Ok((Batch::default(), columns::place_after(None)));
        };
        let mut batch = Batch::default();
        for row in lock(session, after, last) {
            reseal(session, row, &mut batch)?;
        }
        Ok((batch, Place::ClientSecrets { after: last }))
    })
}

fn last_client(session: &Session, after: i64, clients: usize) -> Option<i64> {
    static LAST: Statement = Statement::new(
        "SELECT max(id) FROM (SELECT id FROM vault.client WHERE id > $1 ORDER BY id LIMIT $2) AS c",
        &[INT8OID, INT8OID],
    );
    session
        .query_one(&LAST, &[after.into(), (clients as i64).into()], |row| {
            row.get(1)
        })
        .flatten()
}

fn lock(session: &Session, after: i64, last: i64) -> Vec<Row> {
    static LOCK: Statement = Statement::new(
        "SELECT s.client, s.position, c.tenant, c.name, c.provider, s.client_secret
         FROM vault.client_secret AS s JOIN vault.client AS c ON c.id = s.client
         WHERE s.client > $1 AND s.client <= $2 AND NOT vault.is_current(coalesce(c.tenant, ''), s.client_secret)
         FOR NO KEY UPDATE OF s SKIP LOCKED",
        &[INT8OID, INT8OID],
    );
    session.write(&LOCK, &[after.into(), last.into()], |row| Row {
        client: row.required(1),
        position: row.required(2),
        tenant: row.get(3),
        name: row.required(4),
        provider: row.required(5),
        envelope: row.required(6),
    })
}

fn reseal(session: &Session, row: Row, batch: &mut Batch) -> Result<()> {
    static UPDATE: Statement = Statement::new(
        "UPDATE vault.client_secret SET client_secret = $3 WHERE client = $1 AND position = $2",
        &[INT8OID, INT4OID, BYTEAOID],
    );
    let context = client::context(row.tenant.as_deref(), &row.name, &row.provider);
    let tenant = row.tenant.as_deref().unwrap_or_default();
    match keyring::reseal(tenant, &context, &row.envelope) {
        Ok(value) => {
            let arguments = [row.client.into(), row.position.into(), value.into()];
            session.run(&UPDATE, &arguments);
            batch.resealed += 1;
            Ok(())
        }
        Err(error) => batch.note(format_args!("client \"{}\"", row.name), error),
    }
}
