//! A user's own row stands before a built-in one, and outlives whatever happens to the built-in ones.

use postgres::Client;
use token_vault_cluster::Result;

use crate::provider::{CLIENT, Vault};

/// What an upgrade replaces the built-in rows with.
const CATALOGUE: &str = include_str!("../../../../sql/catalogue.sql");

/// The rows in force: how many, how many of them built in, and where two of them send requests.
fn in_force(db: &mut Client) -> Result<(i64, i64, String, String)> {
    let endpoint = |name: &str| format!("max(token_endpoint) FILTER (WHERE name = '{name}')");
    let row = db.query_one(
        &format!(
            "SELECT count(*), count(*) FILTER (WHERE builtin), {}, {} FROM vault.providers",
            endpoint("slack"),
            endpoint("xero")
        ),
        &[],
    )?;
    Ok((row.get(0), row.get(1), row.get(2), row.get(3)))
}

/// A vault whose provider `slack` is the test server, with a token of it.
fn vault_with_override() -> Result<(Vault, String)> {
    let mut vault = Vault::start()?;
    let endpoint = format!("{}/token", vault.server.issuer());
    // What the built-in row is except for the way in: RFC 6749 as the test server speaks it.
    vault.db.execute(
        "SELECT vault.register_provider('slack', $1, display_name => 'ours', settings => '{\"scope_separator\": \",\"}')",
        &[&endpoint],
    )?;
    vault.db.execute(
        "SELECT vault.register_client('of-slack', provider => 'slack', client_id => $1, client_secret => $2)",
        &[&CLIENT, &crate::provider::secret(CLIENT)],
    )?;
    let answer = vault.server.issue(CLIENT, "alice", "profile");
    vault.db.execute(
        "SELECT vault.store_token_response('slack', 'alice', $1)",
        &[&postgres::types::Json(&answer)],
    )?;
    Ok((vault, endpoint))
}

fn refresh(db: &mut Client) -> Result<()> {
    db.execute("SELECT vault.refresh_token('slack', 'alice')", &[])?;
    Ok(())
}

const XERO: &str = "https://identity.xero.com/connect/token";

#[test]
fn a_users_row_hides_the_built_in_one_until_it_is_dropped() -> Result<()> {
    let (mut vault, endpoint) = vault_with_override()?;
    // `acme` is the harness's own.
    let expected = (151, 149, endpoint, XERO.to_owned());
    assert_eq!(in_force(&mut vault.db)?, expected);
    refresh(&mut vault.db)?;
    assert_eq!(vault.refreshes().len(), 1);

    vault
        .db
        .execute("SELECT vault.drop_provider('slack')", &[])?;
    let (count, builtin, slack, _) = in_force(&mut vault.db)?;
    assert_eq!((count, builtin), (151, 150));
    assert_eq!(slack, "https://slack.com/api/oauth.v2.access");
    Ok(())
}

#[test]
fn a_dump_carries_the_users_rows_and_no_built_in_ones() -> Result<()> {
    let (mut vault, endpoint) = vault_with_override()?;
    // A row that the dump must not bring back: the extension of the target has its own.
    vault.db.batch_execute(
        "UPDATE vault.provider SET token_endpoint = 'https://old.example/' WHERE builtin AND name = 'xero'",
    )?;
    let before: String = vault
        .db
        .query_one("SELECT to_jsonb(p)::text FROM vault.provider AS p WHERE name = 'slack' AND NOT builtin", &[])?
        .get(0);
    let dump = vault.cluster.pg_dump("app")?;
    vault.cluster.createdb("restored")?;
    vault.cluster.pg_restore("restored", &dump)?;
    let mut restored = vault.cluster.connect("restored", "postgres")?;
    assert_eq!(
        in_force(&mut restored)?,
        (151, 149, endpoint, XERO.to_owned())
    );
    let after: String = restored
        .query_one("SELECT to_jsonb(p)::text FROM vault.provider AS p WHERE name = 'slack' AND NOT builtin", &[])?
        .get(0);
    assert_eq!(before, after);
    // The restored rows are not only there, they are used: this database is told to go on with the grants.
    vault
        .db
        .execute("SELECT vault.delete_tenant('default')", &[])?;
    restored.execute("SELECT vault.adopt_installation()", &[])?;
    refresh(&mut restored)?;
    Ok(())
}

#[test]
fn replacing_the_built_in_rows_leaves_the_users_row_in_force() -> Result<()> {
    let (mut vault, endpoint) = vault_with_override()?;
    let mut session = vault.session()?;
    let lifetime = "SELECT vault.store_token('xero', 'bob', 'at');
                    SELECT extract(epoch FROM expires_at - issued_at)::bigint FROM vault.tokens WHERE subject = 'bob'";
    let seconds = |session: &mut Client| -> Result<Option<i64>> {
        let (store, read) = lifetime.split_once(';').ok_or("two statements")?;
        session.execute(store, &[])?;
        Ok(session.query_one(read, &[])?.get(0))
    };
    // The session has read the old row, and remembers it.
    assert_eq!(seconds(&mut session)?, None);

    // What a step of ALTER EXTENSION UPDATE does, with a change that can be seen.
    let next = CATALOGUE.replace(
        "public_clients, token_request_format, refresh_credential, rotates_refresh_token, replay_leeway_seconds",
        "public_clients, token_request_format, refresh_credential, rotates_refresh_token, default_expires_in",
    );
    assert_ne!(next, CATALOGUE);
    vault.db.batch_execute(&format!(
        "BEGIN; SET LOCAL search_path = pg_catalog, pg_temp;
         DELETE FROM vault.provider WHERE builtin; {next}
         REVOKE ALL ON vault.provider FROM PUBLIC; COMMIT"
    ))?;
    assert_eq!(
        in_force(&mut vault.db)?,
        (151, 149, endpoint, XERO.to_owned())
    );
    assert_eq!(
        seconds(&mut session)?,
        Some(1800),
        "the session has noticed"
    );
    refresh(&mut vault.db)?;
    assert_eq!(vault.refreshes().len(), 1);
    vault.cluster.assert_never_crashed();
    Ok(())
}
