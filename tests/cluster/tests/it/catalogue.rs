//! Every built-in provider refreshes as its row says, against a server that takes nothing but that provider's dialect.
//! The rows are used as they are shipped; only the host in their URLs is another one.

use std::time::Duration;

use postgres::types::Json;
use serde_json::{Value, json};
use token_vault_cluster::Result;
use token_vault_oauth_server::dialect::catalogue::{self, Provider};
use token_vault_oauth_server::dialect::{Answer, Dialect};
use token_vault_oauth_server::{ClientConfig, Entry, RefreshPolicy};

use crate::provider::Vault;
use crate::session::sqlstate;

const SCOPE: &str = "profile";

/// Overrides the built-in row with itself, but for where its requests go.
const REDIRECT: &str = "
    SELECT vault.register_provider(name, regexp_replace(token_endpoint, host, $2), settings =>
        to_jsonb(p) - '{name,builtin,token_endpoint,host}'::text[] || jsonb_build_object(
            'allowed_hosts', '[]'::jsonb,
            'refresh_endpoint', regexp_replace(refresh_endpoint, host, $2)))
    FROM (SELECT *, '^https://[^/]+' AS host FROM vault.provider WHERE builtin AND name = $1) AS p";

/// Everything that an encoding could get wrong.
fn secret(client: &str) -> String {
    format!("{client} s%cr+t &=:/?\u{e4}")
}

/// What a row is told to do and what became of it.
struct Trial<'a> {
    vault: &'a mut Vault,
    said: &'a Provider,
}

impl<'a> Trial<'a> {
    /// The provider and the client, on both sides.
    fn begin(vault: &'a mut Vault, said: &'a Provider) -> Result<Self> {
        let name = &said.name;
        let trial = Self { vault, said };
        trial.register(trial.said.dialect.clone(), trial.rotation());
        let endpoint = format!("{}/dialect/{name}", trial.vault.server.issuer());
        trial.vault.db.execute(REDIRECT, &[name, &endpoint])?;
        // A public client has none, and sends none.
        let is_public = said.columns["token_endpoint_auth_method"] == "none";
        let client_secret = (!is_public).then(|| secret(name));
        trial.vault.db.execute(
            "SELECT vault.register_client($1, provider => $1, client_id => $1, client_secret => $2, metadata => $3)",
            &[name, &client_secret, &Json(&said.metadata)],
        )?;
        Ok(trial)
    }

    fn rotation(&self) -> RefreshPolicy {
        if self.said.rotates {
            RefreshPolicy::default()
        } else {
            RefreshPolicy::Static
        }
    }

    fn register(&self, dialect: Dialect, refresh: RefreshPolicy) {
        let name = &self.said.name;
        self.vault.server.register(ClientConfig {
            refresh,
            dialect: Some(dialect),
            ..ClientConfig::confidential(name, &secret(name), "https://app.example/callback")
        });
    }

    /// A grant, stored as the provider answers.
    fn grant(&mut self, subject: &str) -> Result<()> {
        let name = &self.said.name;
        let answer = self.vault.server.issue_in_dialect(name, subject, SCOPE);
        self.vault.db.execute(
            "SELECT vault.store_token_response($1, $2, $3)",
            &[name, &subject, &Json(answer)],
        )?;
        Ok(())
    }

    fn refresh(&mut self, subject: &str) -> std::result::Result<u64, postgres::Error> {
        let refresh = "SELECT vault.refresh_token($1, $2)";
        self.vault.db.execute(refresh, &[&self.said.name, &subject])
    }

    fn access_token(&mut self, subject: &str) -> Result<String> {
        let get = "SELECT vault.get_token($1, $2)";
        let row = self.vault.db.query_one(get, &[&self.said.name, &subject])?;
        Ok(row.get(0))
    }

    /// The subject's token as the view shows it: status, generation, and for how many seconds it lives.
    fn state(&mut self, subject: &str) -> Result<(String, i64, Option<i64>)> {
        let row = self.vault.db.query_one(
            "SELECT status, generation, extract(epoch FROM expires_at - issued_at)::bigint
             FROM vault.tokens WHERE provider = $1 AND subject = $2",
            &[&self.said.name, &subject],
        )?;
        Ok((row.get(0), row.get(1), row.get(2)))
    }

    /// What the server has seen of this client.
    fn journal(&self) -> Vec<Entry> {
        let mut journal = self.vault.server.journal();
        journal.retain(|entry| entry.client_id.as_deref() == Some(&self.said.name));
        journal
    }

    fn require(&self, holds: bool, what: &str) -> Result<()> {
        if holds {
            return Ok(());
        }
        let refusals = self.journal().into_iter().filter_map(|entry| entry.error);
        Err(format!("{what}; the server: {:?}", refusals.collect::<Vec<_>>()).into())
    }
}

/// Two refreshes, the second of which shows that what the first one brought was kept.
fn refreshes(trial: &mut Trial) -> Result<()> {
    trial.grant("alice")?;
    let mut previous = trial.access_token("alice")?;
    for generation in [2, 3] {
        let refreshed = trial.refresh("alice");
        trial.require(refreshed.is_ok(), &format!("refresh: {refreshed:?}"))?;
        let (status, now, lifetime) = trial.state("alice")?;
        trial.require((&*status, now) == ("valid", generation), &status)?;
        let expected = expected_lifetime(trial.said);
        let about = |seconds: i64| (expected.unwrap_or_default() - seconds).abs() <= 30;
        let fits = lifetime.map_or(expected.is_none(), about);
        trial.require(fits, &format!("lives for {lifetime:?}"))?;
        let token = trial.access_token("alice")?;
        let subject = trial.vault.who_is(&token)?;
        let is_client = trial.said.columns["grant_types"] == "client_credentials";
        let expected = if is_client { &trial.said.name } else { "alice" };
        trial.require(subject == expected, &format!("a token of {subject}"))?;
        trial.require(token != previous, "the same token")?;
        previous = token;
    }
    let journal = trial.journal();
    trial.require(journal.len() == 2, &format!("{} requests", journal.len()))
}

/// The lifetime that the dialect's answers, or the CSV in their place, say.
fn expected_lifetime(said: &Provider) -> Option<i64> {
    match said.dialect.success.body.to_string().contains("{expires_") {
        true => Some(3600),
        false => said.columns["default_expires_in_seconds"].parse().ok(),
    }
}

/// A grant that has ended is given up, whatever words the provider has for that.
fn gives_up(trial: &mut Trial) -> Result<()> {
    if trial.said.columns["grant_types"] == "client_credentials" {
        return Ok(());
    }
    let family = trial.journal().last().and_then(|entry| entry.family);
    trial.vault.server.revoke_family(family.ok_or("no family")?);
    let refused = sqlstate(trial.refresh("alice"));
    let (status, ..) = trial.state("alice")?;
    trial.require(
        (&*refused, &*status) == ("TV031", "reauthorization_required"),
        &format!("{refused}, {status}"),
    )
}

/// A refused client condemns no token.
fn condemns_no_token(trial: &mut Trial) -> Result<()> {
    let sent = serde_json::to_string(&trial.said.dialect)?;
    if !sent.contains("{client_secret}") {
        return Ok(());
    }
    trial.grant("bob")?;
    let server = &trial.vault.server;
    server.set_secrets(&trial.said.name, vec!["another".to_owned()]);
    let refused = trial.refresh("bob");
    let last = trial.journal().pop().and_then(|entry| entry.error);
    trial.require(
        last.as_deref() == Some("invalid_client"),
        "the request was another",
    )?;
    let (status, generation, _) = trial.state("bob")?;
    trial.require(
        refused.is_err() && (&*status, generation) == ("valid", 1),
        &format!("{status}, generation {generation}"),
    )
}

/// A provider without refresh: its tokens are kept and served, and nothing is ever sent.
fn is_served_only(trial: &mut Trial) -> Result<()> {
    trial.grant("alice")?;
    let token = trial.access_token("alice")?;
    trial.require(trial.vault.who_is(&token)? == "alice", "another token")?;
    let refused = sqlstate(trial.refresh("alice"));
    trial.require(refused == "TV037", &refused)?;
    trial.require(trial.journal().is_empty(), "something was sent")
}

fn whole_trial(vault: &mut Vault, said: &Provider) -> Result<()> {
    let mut trial = Trial::begin(vault, said)?;
    if !said.refreshable {
        return is_served_only(&mut trial);
    }
    refreshes(&mut trial)?;
    gives_up(&mut trial)?;
    condemns_no_token(&mut trial)
}

#[test]
fn every_built_in_provider_refreshes_in_its_own_dialect() -> Result<()> {
    let mut vault = Vault::start()?;
    let providers = catalogue::providers();
    assert_eq!(providers.len(), 150);
    let mut problems = Vec::new();
    for said in &providers {
        if let Err(problem) = whole_trial(&mut vault, said) {
            problems.push(format!("{}: {problem}", said.name));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    let counts = vault.db.query_one(
        "SELECT count(*) FILTER (WHERE status = 'reauthorization_required'), count(*) FROM vault.tokens",
        &[],
    )?;
    assert!(counts.get::<_, i64>(0) >= 130, "grants given up");
    assert!(counts.get::<_, i64>(1) >= 270, "tokens");
    vault.cluster.assert_never_crashed();
    Ok(())
}

/// Notations that no provider of the catalogue has, as a user's row may name them.
#[test]
fn expiries_in_every_notation() -> Result<()> {
    let mut vault = Vault::start()?;
    let issuer = vault.server.issuer();
    for (format, field, template) in [
        ("seconds", "expires_in", "{expires_in:text}"),
        ("minutes", "expires_in", "{expires_in:minutes}"),
        ("milliseconds", "expires_in", "{expires_in:milliseconds}"),
        ("duration", "expires_in", "{expires_in:duration}"),
        ("epoch", "expires_at", "{expires_at:text}"),
        (
            "epoch_milliseconds",
            "expires_at",
            "{expires_at:milliseconds}",
        ),
        ("iso8601", "expires_at", "{expires_at:iso8601}"),
    ] {
        for form_encoded in [false, true] {
            let name = format!("{format}-{form_encoded}");
            let mut body =
                json!({"accessToken": "{access_token}", "token": {"refresh": "{refresh_token}"}});
            let mut fields =
                json!({"access_token": "/accessToken", "refresh_token": "/token/refresh"});
            if form_encoded {
                body = json!({"accessToken": "{access_token}", "refresh": "{refresh_token}"});
                fields["refresh_token"] = "/refresh".into();
            }
            body["until"] = template.into();
            fields[field] = "/until".into();
            let success = Answer {
                status: 200,
                body,
                form_encoded,
            };
            let google = catalogue::providers()
                .into_iter()
                .find(|said| said.name == "google");
            let dialect = google.ok_or("no model")?.dialect;
            vault.server.register(ClientConfig {
                dialect: Some(Dialect { success, ..dialect }),
                ..ClientConfig::confidential(&name, &secret(&name), "https://app.example/callback")
            });
            vault.db.execute(
                "SELECT vault.register_provider($1, $2, token_endpoint_auth_method => 'client_secret_post',
                     settings => jsonb_build_object('expires_format', $3::text, 'response_fields', $4::jsonb))",
                &[&name, &format!("{issuer}/dialect/{name}/token"), &format, &Json(&fields)],
            )?;
            vault.db.execute(
                "SELECT vault.register_client($1, provider => $1, client_id => $1, client_secret => $2)",
                &[&name, &secret(&name)],
            )?;
            let first: Value = vault.server.issue_in_dialect(&name, "alice", SCOPE);
            vault.db.execute(
                "SELECT vault.store_token_response($1, 'alice', $2)",
                &[&name, &Json(first)],
            )?;
            let lives: i64 = vault
                .db
                .query_one(
                    "SELECT extract(epoch FROM vault.refresh_token($1, 'alice') - clock_timestamp())::bigint",
                    &[&name],
                )?
                .get(0);
            let hour = Duration::from_secs(3600).as_secs().cast_signed();
            assert!((hour - 30..=hour + 1).contains(&lives), "{name}: {lives}");
        }
    }
    Ok(())
}
