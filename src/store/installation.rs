//! The clone guard: whether this database may refresh the vault's grants. A copy must not, because with
//! rotating refresh tokens it would end the original's.

use crate::pg::server;
use crate::pg::spi::BuiltinOid;
use crate::pg::spi::{self, Statement};

/// Whether this is the database that the vault was made in or was adopted by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// It is.
    Home,
    /// The vault's data came from elsewhere: a restored dump, a template copy, a replica.
    Copy,
    /// No master key has been created yet.
    New,
}

pub fn standing() -> Standing {
    static READ: Statement = Statement::new(
        "SELECT system_identifier, database_oid::bigint FROM vault.installation",
        &[],
    );
    let row = spi::session(|session| {
        session.query_one(&READ, &[], |row| {
            (row.required::<String>(1), row.required::<i64>(2))
        })
    });
    match row {
        None => Standing::New,
        Some(home) if home == here() => Standing::Home,
        Some(_) => Standing::Copy,
    }
}

/// Makes this database the vault's home.
pub fn adopt() {
    static WRITE: Statement = Statement::new(
        "INSERT INTO vault.installation (system_identifier, database_oid) VALUES ($1, $2::oid)
         ON CONFLICT (singleton) DO UPDATE SET
             system_identifier = EXCLUDED.system_identifier, database_oid = EXCLUDED.database_oid, adopted_at = statement_timestamp()",
        &[BuiltinOid::TEXTOID, BuiltinOid::INT8OID],
    );
    let (system, database) = here();
    spi::session(|session| session.run(&WRITE, &[system.into(), database.into()]));
}

fn here() -> (String, i64) {
    (
        server::system_identifier(),
        i64::from(server::database().to_u32()),
    )
}
