//! A provider that takes requests in one shape only, and answers in one: what the tests of rows begin with.

use postgres::types::Json;
use serde_json::{Value, json};
use token_vault_cluster::Result;
use token_vault_oauth_server::dialect::Dialect;
use token_vault_oauth_server::{ClientConfig, Entry, RefreshPolicy};

use crate::provider::Vault;

/// Everything that an encoding could get wrong.
pub const SECRET: &str = "s%cr+t &=:/?\u{e4}";

/// A provider, its client and the grants at it, all of this name.
pub struct Shape {
    pub name: &'static str,
    /// Columns of the provider's row.
    pub row: Value,
    /// The client's secret in the vault.
    pub secret: Option<&'static str>,
    /// What the provider takes and answers, but for what is as in RFC 6749.
    pub dialect: Value,
    /// The client's metadata, and the token's.
    pub metadata: [Value; 2],
}

impl Shape {
    /// A form in HTTP Basic's company, as the RFC has it; `row` and `dialect` say what is otherwise.
    pub fn new(name: &'static str, row: Value, dialect: Value) -> Self {
        Self {
            name,
            row,
            secret: Some(SECRET),
            dialect,
            metadata: [json!({}), json!({})],
        }
    }

    /// The same for a client without secret.
    pub fn public(mut self) -> Self {
        self.secret = None;
        self
    }

    /// The same with metadata.
    pub fn with_metadata(mut self, client: Value, token: Value) -> Self {
        self.metadata = [client, token];
        self
    }

    /// Makes provider and client known on both sides, and stores a grant.
    pub fn set_up(&self, vault: &mut Vault) -> Result<()> {
        let name = &self.name;
        vault.server.register(ClientConfig {
            refresh: RefreshPolicy::default(),
            dialect: Some(self.dialect()?),
            ..ClientConfig::confidential(name, SECRET, "https://app.example/callback")
        });
        let base = format!("{}/dialect/{name}", vault.server.issuer());
        let row = self.row.to_string().replace("{base}", &base);
        vault.db.execute(
            "SELECT vault.register_provider($1, token_endpoint => $2, settings => $3)",
            &[
                name,
                &format!("{base}/token"),
                &Json(serde_json::from_str::<Value>(&row)?),
            ],
        )?;
        vault.db.execute(
            "SELECT vault.register_client($1, provider => $1, client_id => $1, client_secret => $2, metadata => $3)",
            &[name, &self.secret, &Json(&self.metadata[0])],
        )?;
        let grant = vault.server.issue_in_dialect(name, name, "a b");
        vault.db.execute(
            "SELECT vault.store_token_response($1, $1, $2, metadata => $3)",
            &[name, &Json(grant), &Json(&self.metadata[1])],
        )?;
        Ok(())
    }

    fn dialect(&self) -> Result<Dialect> {
        let mut dialect = json!({
            "path": "/token",
            "body": "form",
            "parameters": {"grant_type": "refresh_token", "refresh_token": "{refresh_token}"},
            "basic": {"username": "{client_id}", "password": "{client_secret}", "form_encoded": true},
            "success": {"status": 200, "body": {
                "access_token": "{access_token}", "refresh_token": "{refresh_token}", "expires_in": "{expires_in}",
            }},
            "grant_refused": {"status": 400, "body": {"error": "invalid_grant"}},
            "client_refused": {"status": 401, "body": {"error": "invalid_client"}},
        });
        let changes = self.dialect.as_object().cloned().unwrap_or_default();
        dialect.as_object_mut().expect("an object").extend(changes);
        Ok(serde_json::from_value(dialect)?)
    }

    /// Refreshes twice: the second time shows that what the first one brought was kept.
    pub fn refreshes(&self, vault: &mut Vault) -> Result<()> {
        self.set_up(vault)?;
        for generation in [2, 3] {
            let refreshed = vault
                .db
                .execute("SELECT vault.refresh_token($1, $1)", &[&self.name]);
            let complaints: Vec<_> = self.requests(vault).into_iter().map(|e| e.error).collect();
            assert!(
                refreshed.is_ok(),
                "{}: {refreshed:?}; {complaints:?}",
                self.name
            );
            assert_eq!(
                vault.token(self.name)?.generation,
                generation,
                "{}",
                self.name
            );
        }
        let token = vault
            .db
            .query_one("SELECT vault.get_token($1, $1)", &[&self.name])?
            .get::<_, String>(0);
        assert_eq!(vault.who_is(&token)?, self.name);
        assert_eq!(self.requests(vault).len(), 2, "{}", self.name);
        Ok(())
    }

    /// What the provider has been asked by this client.
    pub fn requests(&self, vault: &Vault) -> Vec<Entry> {
        let mut journal = vault.server.journal();
        journal.retain(|entry| entry.client_id.as_deref() == Some(self.name));
        journal
    }
}
