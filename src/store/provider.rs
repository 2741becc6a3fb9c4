//! Rows of `vault.provider`, as the core reads them.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use pgrx::JsonB;
use token_vault_core::oauth::{Provider, RefreshCredential};

use crate::error::{Error, Result};
use crate::pg::inval::{self, Topic};
use crate::pg::spi::BuiltinOid;
use crate::pg::spi::{self, Session, Statement};
use crate::store::{rules, schedule};

#[derive(Default)]
struct Cache {
    generation: u64,
    providers: HashMap<String, Rc<Provider>>,
}

thread_local! {
    static CACHE: RefCell<Cache> = RefCell::default();
}

/// The provider in force under this name: the user's own row before a built-in one.
pub fn find(name: &str) -> Result<Rc<Provider>> {
    let generation = inval::generation(Topic::Providers);
    let cached = CACHE.with_borrow(|cache| {
        (cache.generation == generation)
            .then(|| cache.providers.get(name).cloned())
            .flatten()
    });
    if let Some(provider) = cached {
        return Ok(provider);
    }
    let provider = Rc::new(read(name)?);
    CACHE.with_borrow_mut(|cache| {
        if cache.generation != generation {
            *cache = Cache {
                generation,
                providers: HashMap::new(),
            };
        }
        cache
            .providers
            .insert(name.to_owned(), Rc::clone(&provider));
    });
    Ok(provider)
}

/// Whether a token of this provider can be refreshed.
pub fn can_refresh(provider: &Provider, has_refresh_token: bool) -> bool {
    match provider.refresh_credential {
        RefreshCredential::None => false,
        RefreshCredential::RefreshToken => has_refresh_token,
        RefreshCredential::AccessToken | RefreshCredential::ClientCredentials => true,
    }
}

fn read(name: &str) -> Result<Provider> {
    static READ: Statement = Statement::new(
        "SELECT to_jsonb(p) FROM vault.provider AS p WHERE name = $1 ORDER BY builtin LIMIT 1",
        &[BuiltinOid::TEXTOID],
    );
    let row = spi::session(|session| {
        session.query_one(&READ, &[name.into()], |row| row.required::<JsonB>(1).0)
    });
    let row = row.ok_or_else(|| Error::UnknownProvider(name.to_owned()))?;
    parse(row)
}

fn parse(row: serde_json::Value) -> Result<Provider> {
    serde_json::from_value(row).map_err(|error| Error::InvalidArgument {
        name: "settings",
        problem: error.to_string(),
    })
}

/// Writes the user's row, in place of an earlier one: the given columns, and the defaults for the others.
pub fn write(columns: &serde_json::Map<String, serde_json::Value>) -> Result<()> {
    let name = columns["name"].as_str().unwrap_or_default().to_owned();
    spi::session(|session| check_columns(session, columns))?;
    rules::check(columns)?;
    // The core must understand the row before it is written.
    parse(columns.clone().into())?;
    replace(&name, columns);
    schedule::read_answers_again(&name);
    schedule::end_pauses(Some(&name));
    inval::announce(Topic::Providers);
    Ok(())
}

/// The columns' names have been checked.
fn replace(name: &str, columns: &serde_json::Map<String, serde_json::Value>) {
    let list = columns
        .keys()
        .map(|column| format!("{column:?}"))
        .collect::<Vec<_>>()
        .join(", ");
    let insert = format!(
        "INSERT INTO vault.provider ({list}) SELECT {list} FROM jsonb_populate_record(NULL::vault.provider, $1)"
    );
    spi::session(|session| {
        session.run(&REMOVE, &[name.into()]);
        session.run_once(
            &insert,
            &[BuiltinOid::JSONBOID],
            &[JsonB(columns.clone().into()).into()],
        );
    });
}

static REMOVE: Statement = Statement::new(
    "DELETE FROM vault.provider WHERE NOT builtin AND name = $1",
    &[BuiltinOid::TEXTOID],
);

/// Every name is a column of the table, so each may be written into the statement's text.
fn check_columns(
    session: &Session,
    columns: &serde_json::Map<String, serde_json::Value>,
) -> Result<()> {
    static COLUMNS: Statement = Statement::new(
        "SELECT attname::text FROM pg_attribute
         WHERE attrelid = 'vault.provider'::regclass AND attnum > 0 AND NOT attisdropped AND attname <> 'builtin'",
        &[],
    );
    let known: Vec<String> = session.query(&COLUMNS, &[], |row| row.required(1));
    match columns.keys().find(|column| !known.contains(column)) {
        None => Ok(()),
        Some(unknown) => Err(Error::InvalidArgument {
            name: "settings",
            problem: format!("\"{unknown}\" is not a column of vault.provider"),
        }),
    }
}

/// Removes the user's row of this name; a built-in one comes back into force.
pub fn remove(name: &str) -> Result<()> {
    find(name)?;
    if spi::session(|session| session.run(&REMOVE, &[name.into()])) == 0 {
        return Err(Error::BuiltInProvider(name.to_owned()));
    }
    inval::announce(Topic::Providers);
    Ok(())
}
