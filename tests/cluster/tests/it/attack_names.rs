//! Hostile names: quotes, control characters, other directions, lengths, as everything that has a name. What comes back, in
//! errors, events and log lines, is whole or cut, never broken and never without bound.

use serde_json::{Value, json};
use token_vault_cluster::{Cluster, Options, Result};
use token_vault_oauth_server::Behaviour;

use crate::access_matrix_calls::CALLS;
use crate::events::Listener;
use crate::provider::{CLIENT, DATABASE, Vault};
use crate::session::{complaint, sqlstate};

/// What somebody would like to see at the beginning of a log line.
const FORGED: &str = "2026-01-01 00:00:00.000 UTC [1] FATAL:  forged";

/// The longest complaint about names of any length.
const BOUND: usize = 3000;

fn names() -> Vec<String> {
    vec![
        "'; DROP TABLE vault.token; --".to_owned(),
        "\"quoted\" 'twice' \\ \\\\ $$ $1 %s %n {} {0}".to_owned(),
        format!("line\n{FORGED}"),
        format!("return\r{FORGED}\ttab\u{b}\u{c}\u{85}\u{2028}"),
        "\u{202e}rtl \u{2066}isolated \u{200b}\u{feff}".to_owned(),
        format!("e{}", "\u{301}".repeat(255)),
        "\u{1}".repeat(512),
        "\u{1F511}".repeat(128),
        "{\"event\": \"refreshed\"}".to_owned(),
        "\u{1b}[31mred\u{7f}".to_owned(),
    ]
}

/// Every line of a server's log begins with the server's own prefix; what continues a message is indented.
fn assert_no_line_is_forged(cluster: &Cluster) -> Result<()> {
    let log = cluster.log()?;
    for line in log.split('\n').filter(|line| !line.is_empty()) {
        assert!(!line.starts_with(FORGED), "{line}");
        assert!(line.starts_with("20") || line.starts_with('\t'), "{line:?}");
    }
    Ok(())
}

/// An event names the token, or says that it cuts names off.
fn assert_names(event: &Value, name: &str) {
    for fact in ["tenant", "subject", "label"] {
        let told = event[fact].as_str().unwrap_or_default();
        if event["truncated"] == json!(true) {
            assert!(
                !told.is_empty() && name.starts_with(told),
                "{fact}: {told:?}"
            );
        } else {
            assert_eq!(told, name, "{fact}");
        }
    }
}

#[test]
fn tokens_with_hostile_names_are_refreshed_and_told_of() -> Result<()> {
    let mut vault = Vault::start()?;
    let mut listener = Listener::start(&vault)?;
    for name in names() {
        let mut answer = vault.server.issue(CLIENT, "hostile", "profile");
        answer["expires_in"] = json!(0);
        vault.db.execute(
            "SELECT vault.store_token_response('acme', $1, $2, tenant => $1, label => $1, client => 'app', metadata => jsonb_build_object($1::text, $1::text))",
            &[&name, &postgres::types::Json(&answer)],
        )?;
        assert_names(&listener.wait_for("refreshed")?, &name);
        let generation: i64 = vault
            .db
            .query_one(
                "SELECT generation FROM vault.tokens WHERE (tenant, subject, label) = ($1, $1, $1)",
                &[&name],
            )?
            .get(0);
        assert_eq!(generation, 2, "{name:?}");
    }
    // The same, dead: the way of errors.
    let refused = Behaviour::Error {
        status: 400,
        error: "invalid_grant".into(),
    };
    vault.server.misbehave(refused, None);
    for name in names() {
        let refresh = vault.db.execute(
            "SELECT vault.refresh_token('acme', $1, tenant => $1, label => $1)",
            &[&name],
        );
        let told = complaint(refresh);
        assert!(told.len() < BOUND, "{} bytes", told.len());
        assert_names(&listener.wait_for("reauthorization_required")?, &name);
    }
    let listed: i64 = vault
        .db
        .query_one(
            "SELECT count(*) FROM vault.attention WHERE reason = 'reauthorization_required'",
            &[],
        )?
        .get(0);
    assert_eq!(listed, i64::try_from(names().len())?);
    assert!(listener.payloads.iter().all(|payload| payload.len() < 8000));
    assert_no_line_is_forged(&vault.cluster)?;
    vault.cluster.assert_never_crashed();
    Ok(())
}

#[test]
fn complaints_about_names_of_any_length_are_short() -> Result<()> {
    let cluster = Cluster::start_new(
        &Options::new()
            .without_fsync()
            .set("token_vault.refresh_enabled", "off"),
    )?;
    let mut db = cluster.create_vault(DATABASE)?;
    db.batch_execute(
        "CREATE TABLE webhook (key vault.secret); CREATE ROLE nobody; CREATE ROLE app LOGIN;
        GRANT USAGE ON SCHEMA vault TO app; GRANT EXECUTE ON ALL ROUTINES IN SCHEMA vault TO app",
    )?;
    let mut app = cluster.connect(DATABASE, "app")?;
    let long = "x".repeat(65_536);
    let escaped = format!("line\n{FORGED}").replace('\'', "''");
    for call in CALLS {
        for session in [&mut db, &mut app] {
            for name in [
                long.as_str(),
                &escaped,
                "",
                " ",
                &"\u{1F511}".repeat(16_384),
            ] {
                let sql = call
                    .sql
                    .replace("{tenant}", name)
                    .replace("'acme'", &format!("'{name}'"))
                    .replace("'ann'", &format!("'{name}'"))
                    .replace("'app'", &format!("'{name}'"));
                session.batch_execute("BEGIN")?;
                if let Err(error) = session.batch_execute(&sql) {
                    let state = error.code().map_or("", |code| code.code()).to_owned();
                    assert!(
                        !state.is_empty() && state != "XX000",
                        "{}: {error}",
                        call.function
                    );
                    let told = complaint::<()>(Err(error));
                    // What pgrx adds where the server runs under RUST_BACKTRACE.
                    let told = told.split("   0: ").next().unwrap_or_default();
                    assert!(
                        told.len() < BOUND,
                        "{}: {} bytes",
                        call.function,
                        told.len()
                    );
                }
                session.batch_execute("ROLLBACK")?;
            }
        }
    }
    assert!(cluster.log()?.contains("forged"), "no name is in the log");
    assert_no_line_is_forged(&cluster)?;
    cluster.assert_never_crashed();
    Ok(())
}

#[test]
fn names_of_roles_and_sessions_are_quoted() -> Result<()> {
    let cluster = Cluster::start_new(&Options::new().without_fsync())?;
    let mut db = cluster.create_vault(DATABASE)?;
    let names = [
        "'; DROP ROLE x; --",
        "two\nlines",
        "\"quoted\\\"",
        "\u{202e}rtl",
        "100%s %n",
        "postgres ",
    ];
    for name in names {
        let quoted = format!("\"{}\"", name.replace('"', "\"\""));
        db.batch_execute(&format!("CREATE ROLE {quoted} LOGIN; GRANT USAGE ON SCHEMA vault TO {quoted}; GRANT EXECUTE ON ALL ROUTINES IN SCHEMA vault TO {quoted}"))?;
        let mut connection = cluster.connection(DATABASE, name);
        let mut session = connection.application_name(name).connect(postgres::NoTls)?;
        let refused = session.execute("SELECT vault.has_token('acme', 'ann')", &[]);
        assert!(complaint(refused).contains(name), "{name:?}");
        db.execute("SELECT vault.grant_access($1, '{read}')", &[&name])?;
        session.execute("SELECT vault.has_token('google', 'ann')", &[])?;
        let rules: i64 = db
            .query_one(
                "SELECT count(*) FROM vault.access_rules WHERE role = $1 AND role_exists",
                &[&name],
            )?
            .get(0);
        assert_eq!(rules, 1, "{name:?}");
        db.execute("SELECT vault.revoke_access($1)", &[&name])?;
        assert_eq!(
            sqlstate(session.execute("SELECT vault.has_token('google', 'ann')", &[])),
            "42501"
        );
    }
    Ok(())
}

#[test]
fn what_is_no_text_is_refused_by_the_server() -> Result<()> {
    let cluster = Cluster::start_new(&Options::new().without_fsync())?;
    let mut db = cluster.create_vault(DATABASE)?;
    for statement in [
        "SELECT vault.has_token('google', $1)",
        "SELECT vault.has_token('google', 'ann', tenant => $1)",
        "SELECT vault.seal($1)",
        "SELECT vault.reveal($1::text::vault.secret)",
    ] {
        assert_eq!(
            sqlstate(db.execute(statement, &[&"NUL \0 inside"])),
            "22021",
            "{statement}"
        );
    }
    // A client may say that it does not know its encoding: the server looks all the same.
    for encoding in ["SQL_ASCII", "UTF8"] {
        let told = cluster.psql(DATABASE, &format!("SET client_encoding = '{encoding}'; SELECT vault.has_token('google', E'\\xff\\xfe')")).expect_err("it is no UTF-8").to_string();
        assert!(told.contains("invalid byte sequence"), "{told}");
    }
    for encoding in ["SQL_ASCII", "LATIN1"] {
        cluster.createdb_with(
            &encoding.to_lowercase(),
            &["--template=template0", "--locale=C", "--encoding", encoding],
        )?;
        let mut other = cluster.connect(&encoding.to_lowercase(), "postgres")?;
        assert_eq!(
            sqlstate(other.batch_execute("CREATE EXTENSION token_vault")),
            "0A000",
            "{encoding}"
        );
    }
    Ok(())
}
