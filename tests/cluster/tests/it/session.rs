//! What a session asks of the vault, and what it is told.

use postgres::{Client, Config, NoTls};
use serde_json::Value;
use token_vault_cluster::{Cluster, Result};

use crate::provider::DATABASE;

/// `vault.get_token` of the subject's token at `acme`.
pub fn get_token(db: &mut Client, subject: &str) -> std::result::Result<String, postgres::Error> {
    db.query_one("SELECT vault.get_token('acme', $1)", &[&subject])?
        .try_get(0)
}

/// `vault.refresh_token` of the subject's token at `acme`.
pub fn refresh_token(db: &mut Client, subject: &str) -> std::result::Result<(), postgres::Error> {
    db.execute("SELECT vault.refresh_token('acme', $1)", &[&subject])?;
    Ok(())
}

/// The SQLSTATE of a statement that must fail.
pub fn sqlstate<T>(result: std::result::Result<T, postgres::Error>) -> String {
    let error = result.err().expect("the statement fails");
    error
        .code()
        .unwrap_or_else(|| panic!("not the server's error: {error}"))
        .code()
        .to_owned()
}

/// Message, detail and hint of a statement that must fail.
pub fn complaint<T>(result: std::result::Result<T, postgres::Error>) -> String {
    let error = result.err().expect("the statement fails");
    let error = error.as_db_error().expect("the server's error");
    [Some(error.message()), error.detail(), error.hint()]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join("\n")
}

/// The access token of a provider's answer.
pub fn access_token(answer: &Value) -> String {
    answer["access_token"]
        .as_str()
        .expect("an access token")
        .to_owned()
}

/// Runs `work` in so many sessions at once.
pub fn at_once<T: Send>(
    cluster: &Cluster,
    sessions: usize,
    work: impl Fn(&mut Client) -> T + Sync,
) -> Result<Vec<T>> {
    at_once_through(&cluster.connection(DATABASE, "postgres"), sessions, work)
}

/// The same with other parameters of the connection.
pub fn at_once_through<T: Send>(
    connection: &Config,
    sessions: usize,
    work: impl Fn(&mut Client) -> T + Sync,
) -> Result<Vec<T>> {
    let connections = (0..sessions)
        .map(|_| Ok(connection.connect(NoTls)?))
        .collect::<Result<Vec<_>>>()?;
    let start = std::sync::Barrier::new(sessions);
    let (work, start) = (&work, &start);
    Ok(std::thread::scope(|scope| {
        let threads: Vec<_> = connections
            .into_iter()
            .map(|mut db| {
                scope.spawn(move || {
                    start.wait();
                    work(&mut db)
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("the session's thread"))
            .collect()
    }))
}
