//! What an answer says, in every shape that real ones have, ends in the tables as what it means.

use serde_json::{Value, json};
use token_vault_cluster::Result;
use token_vault_oauth_server::Behaviour;

use crate::dialect::Shape;
use crate::provider::Vault;
use crate::session::{get_token, refresh_token};

/// A success of the RFC's with other members beside, or another body in its place.
fn success(body: Value) -> Value {
    json!({"success": {"status": 200, "body": body}})
}

/// Whether the row of `vault.tokens` meets a condition in SQL.
fn holds(vault: &mut Vault, subject: &str, condition: &str) -> Result<bool> {
    let query = format!("SELECT {condition} FROM vault.tokens WHERE subject = $1");
    Ok(vault.db.query_one(&query, &[&subject])?.get(0))
}

#[test]
fn c3_c5_lifetimes_in_other_notations_are_the_same_hour() -> Result<()> {
    let mut vault = Vault::start()?;
    for (name, format, member, template) in [
        ("text", "seconds", "expires_in", "{expires_in:text}"),
        ("minutes", "minutes", "expires_in", "{expires_in:minutes}"),
        (
            "millis",
            "milliseconds",
            "expires_in",
            "{expires_in:milliseconds}",
        ),
        (
            "duration",
            "duration",
            "expires_in",
            "{expires_in:duration}",
        ),
        ("epoch", "epoch", "expires_at", "{expires_at:text}"),
        (
            "epoch-ms",
            "epoch_milliseconds",
            "expires_at",
            "{expires_at:milliseconds}",
        ),
        ("iso", "iso8601", "expires_at", "{expires_at:iso8601}"),
    ] {
        let mut body =
            json!({"access_token": "{access_token}", "refresh_token": "{refresh_token}"});
        body[member] = template.into();
        Shape::new(name, json!({"expires_format": format}), success(body)).refreshes(&mut vault)?;
        let hour = "expires_at - now() BETWEEN '55 min' AND '61 min'";
        assert!(holds(&mut vault, name, hour)?, "{name}");
    }
    Ok(())
}

#[test]
fn c5_c6_c9_c11_tokens_are_found_where_the_row_says() -> Result<()> {
    let mut vault = Vault::start()?;
    let tokens = json!({
        "access_token": "{access_token}", "refresh_token": "{refresh_token}",
        "expires_in": "{expires_in}", "scope": "{scope:list}",
    });
    for (shape, scope) in [
        (
            Shape::new(
                "nested",
                json!({"response_objects": ["/data/token"], "scope_separator": ","}),
                success(json!({"code": 0, "data": {"token": tokens}})),
            ),
            "a,b",
        ),
        // The user's token, and not the bot's beside it.
        (
            Shape::new(
                "two-tokens",
                json!({"response_objects": ["/authed_user", ""]}),
                success(json!({
                    "access_token": "bot-access", "refresh_token": "bot-refresh", "expires_in": 7, "scope": "bot",
                    "authed_user": tokens,
                })),
            ),
            "a b",
        ),
        (
            Shape::new(
                "camel-case",
                json!({"response_fields": {
                    "access_token": "/accessToken", "refresh_token": "/refreshToken", "expires_at": "/expiresAt",
                    "scope": "/scopes",
                }, "expires_format": "iso8601"}),
                json!({"success": {"status": 201, "body": {
                    "accessToken": "{access_token}", "refreshToken": "{refresh_token}",
                    "expiresAt": "{expires_at:iso8601}", "scopes": "{scope:list}",
                }}}),
            ),
            "a b",
        ),
    ] {
        shape.refreshes(&mut vault)?;
        let condition = format!("scope = '{scope}' AND expires_at > now() + interval '55 min'");
        assert!(holds(&mut vault, shape.name, &condition)?, "{}", shape.name);
        let clear = vault.db.query_one(
            "SELECT response::text FROM vault.tokens WHERE subject = $1",
            &[&shape.name],
        )?;
        let clear: String = clear.get(0);
        assert!(
            !clear.contains("bot-access") && !clear.contains("bot-refresh"),
            "{}",
            shape.name
        );
    }
    Ok(())
}

#[test]
fn c7_a_form_is_an_answer() -> Result<()> {
    let mut vault = Vault::start()?;
    let form = json!({"success": {"status": 200, "form_encoded": true, "body": {
        "access_token": "{access_token}", "refresh_token": "{refresh_token}", "expires_in": "{expires_in}",
    }}});
    Shape::new("form", json!({}), form).refreshes(&mut vault)?;
    assert!(holds(
        &mut vault,
        "form",
        "expires_at < now() + interval '61 min'"
    )?);
    Ok(())
}

#[test]
fn c8_a_scope_that_shrinks_is_recorded_and_one_that_is_not_said_stays() -> Result<()> {
    let mut vault = Vault::start()?;
    vault.grant_for("alice", json!({"scope": "profile email"}))?;
    let said = |scope: Value| Behaviour::ExtraFields {
        fields: [("scope".to_owned(), scope)].into_iter().collect(),
    };
    for (scope, stored) in [
        (json!("profile"), "profile"),
        (Value::Null, "profile"),
        (json!(""), "profile"),
        (json!(["a", "b"]), "a b"),
        (json!("other"), "other"),
    ] {
        vault.server.misbehave(said(scope), Some(1));
        refresh_token(&mut vault.db, "alice")?;
        assert!(
            holds(&mut vault, "alice", &format!("scope = '{stored}'"))?,
            "{stored}"
        );
    }
    Ok(())
}

#[test]
fn c12_c13_a_token_has_any_length_and_an_id_token_is_not_readable() -> Result<()> {
    let mut vault = Vault::start()?;
    vault.grant("alice")?;
    let long = "x".repeat(300_000);
    let answer = Behaviour::ExtraFields {
        fields: json!({"access_token": long, "id_token": "eyJhbGciOiJub25lIn0.e30.canary-of-identity", "name": "Alice"})
            .as_object()
            .cloned()
            .unwrap_or_default(),
    };
    vault.server.misbehave(answer, Some(1));
    refresh_token(&mut vault.db, "alice")?;
    assert!(get_token(&mut vault.db, "alice")? == long);
    assert!(holds(
        &mut vault,
        "alice",
        "has_id_token AND response ->> 'name' = 'Alice'"
    )?);
    let rows = "SELECT (SELECT string_agg(t::text, '') FROM vault.token AS t)
                    || (SELECT string_agg(t::text, '') FROM vault.tokens AS t)";
    let rows: String = vault.db.query_one(rows, &[])?.get(0);
    assert!(!rows.contains("canary-of-identity") && !rows.contains(&hex("canary-of-identity")));
    Ok(())
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}
