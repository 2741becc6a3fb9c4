//! The versions of the library and of the extension's objects in a database: they differ between the installation of
//! another package and `ALTER EXTENSION token_vault UPDATE`.

use crate::pg::spi::{self, Statement};

/// The library's version.
pub const LIBRARY: &str = env!("CARGO_PKG_VERSION");

/// What to do where they differ.
pub const ADVICE: &str = "run ALTER EXTENSION token_vault UPDATE in this database; if it is the library that is older, install the package of the other version and restart the server";

/// The version of the objects in this database, if it is another one than the library's.
pub fn of_other_objects() -> Option<String> {
    static READ: Statement = Statement::new(
        "SELECT extversion FROM pg_extension WHERE extname = 'token_vault'",
        &[],
    );
    spi::session(|session| session.query_one(&READ, &[], |row| row.required::<String>(1)))
        .filter(|version| version != LIBRARY)
}
