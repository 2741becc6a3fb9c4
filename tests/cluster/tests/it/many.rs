//! What the tests of the engine as a whole need besides [`Vault`]: many tokens at once, several providers, and a
//! refresher that waits until everything is in place.

use postgres::types::Json;
use serde_json::{Value, json};
use token_vault_cluster::Result;
use token_vault_cluster::wait::wait_for_sql;
use token_vault_oauth_server::OAuthServer;

use crate::provider::{LIMIT, Vault, secret};

/// Whose tokens, and where they come from.
#[derive(Clone, Copy)]
pub struct Crowd<'a> {
    pub tenant: &'a str,
    pub provider: &'a str,
    pub client: &'a str,
    /// The subjects are `PREFIX-0`, `PREFIX-1` and so on.
    pub prefix: &'a str,
    pub count: usize,
}

impl Vault {
    /// Grants of the vault's own provider, stored in one statement: due at once, in the order of their numbers.
    pub fn grant_crowd(&mut self, crowd: Crowd) -> Result<()> {
        let answers = answers(&self.server, crowd);
        self.store_crowd(crowd, answers)
    }

    /// The same with answers that some provider has given.
    pub fn store_crowd(&mut self, crowd: Crowd, answers: Vec<Json<Value>>) -> Result<()> {
        let subjects: Vec<String> = (0..crowd.count)
            .map(|number| format!("{}-{number}", crowd.prefix))
            .collect();
        self.db.execute(
            "SELECT vault.store_token_response($1, subject, answer, tenant => $2, client => $3)
             FROM unnest($4::text[], $5::jsonb[]) AS t (subject, answer)",
            &[
                &crowd.provider,
                &crowd.tenant,
                &crowd.client,
                &subjects,
                &answers,
            ],
        )?;
        Ok(())
    }

    /// Another name for a provider, with columns of `vault.provider` of its own.
    pub fn add_provider(&mut self, name: &str, server: &str, settings: Value) -> Result<()> {
        self.db.execute(
            "SELECT vault.register_provider($1, token_endpoint => $2, settings => $3::jsonb)",
            &[&name, &format!("{server}/token"), &Json(settings)],
        )?;
        Ok(())
    }

    /// A client of that name in the vault, with settings of its own; the provider knows it already.
    pub fn add_client_of(&mut self, provider: &str, name: &str, settings: Value) -> Result<()> {
        self.db.execute(
            "SELECT vault.register_client($1, provider => $2, client_id => $1, client_secret => $3, settings => $4::jsonb)",
            &[&name, &provider, &secret(name), &Json(settings)],
        )?;
        Ok(())
    }

    /// Nothing is sent from now on, until [`Vault::resume`].
    pub fn pause(&mut self) -> Result<()> {
        self.alter_system("token_vault.refresh_enabled", "off")?;
        self.wait_for_activity("query = 'refreshes nothing here'")
    }

    pub fn resume(&mut self) -> Result<()> {
        self.alter_system("token_vault.refresh_enabled", "on")
    }

    /// Waits until the refresher's row of `pg_stat_activity` meets a condition.
    pub fn wait_for_activity(&mut self, condition: &str) -> Result<()> {
        let query = format!(
            "SELECT coalesce(bool_or({condition}), false) FROM pg_stat_activity
             WHERE backend_type = 'token_vault refresher' AND datname = current_database()"
        );
        wait_for_sql(&mut self.db, &query, LIMIT)
    }

    /// Waits until at least so many rows are there.
    pub fn wait_for_count(&mut self, count: i64, from_where: &str) -> Result<()> {
        let query = format!("SELECT count(*) >= {count} FROM {from_where}");
        wait_for_sql(&mut self.db, &query, LIMIT)
    }

    /// How many rows are there.
    pub fn count(&mut self, from_where: &str) -> Result<i64> {
        let query = format!("SELECT count(*) FROM {from_where}");
        Ok(self.db.query_one(&query, &[])?.get(0))
    }
}

/// What a provider answers to so many first authorizations, with an access token that is taken for expired.
pub fn answers(server: &OAuthServer, crowd: Crowd) -> Vec<Json<Value>> {
    (0..crowd.count)
        .map(|number| {
            let subject = format!("{}-{number}", crowd.prefix);
            let mut answer = server.issue(crowd.client, &subject, "profile");
            answer["expires_in"] = json!(0);
            Json(answer)
        })
        .collect()
}
