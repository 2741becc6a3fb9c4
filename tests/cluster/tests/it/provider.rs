//! What the tests of refreshing begin with: a vault, an OAuth provider beside it, and what passes between them.

use std::time::Duration;

use postgres::Client;
use postgres::types::Json;
use serde_json::{Value, json};
use token_vault_cluster::wait::{wait_for, wait_for_sql};
use token_vault_cluster::{Cluster, Options, Result};
use token_vault_oauth_server::{ClientConfig, Config, Entry, OAuthServer, Outcome, RefreshPolicy};
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use crate::session::access_token;

/// How long anything that another process does may take on a busy machine.
pub const LIMIT: Duration = Duration::from_secs(30);

/// The database with the vault.
pub const DATABASE: &str = "app";

/// The client that [`Vault::start`] registers; its tokens are those of provider `acme`.
pub const CLIENT: &str = "app";

const REDIRECT_URI: &str = "https://app.example/callback";

/// A provider that rotates refresh tokens, and as every answer of the old one is repeated for a while, forgives one
/// that was lost.
pub const ROTATION_WITH_LEEWAY: RefreshPolicy = RefreshPolicy::Rotate {
    reuse_detection: true,
    leeway: Duration::from_secs(60),
};

/// A cluster with a vault that knows the provider `acme`, which is `server`.
pub struct Vault {
    /// A superuser's session.
    pub db: Client,
    pub cluster: Cluster,
    pub server: OAuthServer,
}

/// A row of `vault.tokens`.
#[derive(Debug)]
pub struct Token {
    pub generation: i64,
    pub status: String,
    pub last_error: Option<String>,
    pub is_scheduled: bool,
}

impl Vault {
    /// Preloaded, the provider's certificate trusted, and one client whose refresh tokens rotate without leeway.
    pub fn start() -> Result<Self> {
        Self::start_with(&Options::new().without_fsync())
    }

    /// The same with other options.
    pub fn start_with(options: &Options) -> Result<Self> {
        let vault = Self::start_untrusting(options)?;
        vault.trust_provider()?;
        Ok(vault)
    }

    /// Without trust in the provider's certificate.
    pub fn start_untrusting(options: &Options) -> Result<Self> {
        let server = OAuthServer::start(Config::default())?;
        let cluster = Cluster::start_new(options)?;
        let mut db = cluster.create_vault(DATABASE)?;
        register_provider(&mut db, &server)?;
        let mut vault = Self {
            db,
            cluster,
            server,
        };
        vault.add_client(CLIENT)?;
        Ok(vault)
    }

    /// Makes the extension trust the provider, and returns when every new session knows.
    pub fn trust_provider(&self) -> Result<()> {
        self.cluster.trust(self.server.ca_pem())?;
        self.wait_for_setting("token_vault.ca_file", |value| !value.is_empty())
    }

    /// Waits until a reload has reached the postmaster, and so every session that begins from now on.
    pub fn wait_for_setting(&self, name: &str, holds: impl Fn(&str) -> bool) -> Result<()> {
        wait_for(name, LIMIT, || {
            let mut session = self.cluster.connect("postgres", "postgres")?;
            let row =
                session.query_one("SELECT coalesce(current_setting($1, true), '')", &[&name])?;
            Ok(holds(row.get(0)).then_some(()))
        })
    }

    /// Changes a setting as an administrator does, and reloads.
    pub fn alter_system(&mut self, name: &str, value: &str) -> Result<()> {
        self.db
            .batch_execute(&format!("ALTER SYSTEM SET {name} = '{value}'"))?;
        self.cluster.reload()?;
        self.wait_for_setting(name, |now| now == value)
    }

    /// One more session of the superuser.
    pub fn session(&self) -> Result<Client> {
        self.cluster.connect(DATABASE, "postgres")
    }

    /// Registers a client of this name (and `client_id`) at the provider and in the vault.
    pub fn add_client(&mut self, name: &str) -> Result<()> {
        self.register_at_provider(name, RefreshPolicy::default());
        self.db.execute(
            "SELECT vault.register_client($1, provider => 'acme', client_id => $1, client_secret => $2)",
            &[&name, &secret(name)],
        )?;
        Ok(())
    }

    /// Changes how the provider treats a client's refresh tokens.
    pub fn register_at_provider(&self, client: &str, refresh: RefreshPolicy) {
        let config = ClientConfig::confidential(client, &secret(client), REDIRECT_URI);
        self.server.register(ClientConfig { refresh, ..config });
    }

    /// A grant at the provider, stored in the vault; returns its access token.
    pub fn grant(&mut self, subject: &str) -> Result<String> {
        self.grant_for(subject, json!({}))
    }

    /// The same with an access token that the vault takes for expired: due at once.
    pub fn grant_that_is_due(&mut self, subject: &str) -> Result<String> {
        self.grant_for(subject, json!({ "expires_in": 0 }))
    }

    /// The same with members of the provider's answer changed.
    pub fn grant_for(&mut self, subject: &str, changes: Value) -> Result<String> {
        self.grant_of(CLIENT, subject, changes)
    }

    /// The same for a certain client.
    pub fn grant_of(&mut self, client: &str, subject: &str, changes: Value) -> Result<String> {
        let mut answer = self.server.issue(client, subject, "profile");
        let members = changes.as_object().cloned().unwrap_or_default();
        answer
            .as_object_mut()
            .ok_or("the provider answers with an object")?
            .extend(members);
        self.db.execute(
            "SELECT vault.store_token_response('acme', $1, $2::jsonb, client => $3)",
            &[&subject, &Json(&answer), &client],
        )?;
        Ok(access_token(&answer))
    }

    /// Makes a stored token expire without telling the worker, which still believes it due much later.
    pub fn expire(&mut self, subject: &str) -> Result<()> {
        self.db.execute(
            "UPDATE vault.token SET expires_at = clock_timestamp() - interval '1 second' WHERE subject = $1",
            &[&subject],
        )?;
        Ok(())
    }

    /// What everybody may see of the subject's token.
    pub fn token(&mut self, subject: &str) -> Result<Token> {
        let row = self.db.query_one(
            "SELECT generation, status, last_error, refresh_due_at IS NOT NULL
             FROM vault.tokens WHERE subject = $1",
            &[&subject],
        )?;
        Ok(Token {
            generation: row.get(0),
            status: row.get(1),
            last_error: row.get(2),
            is_scheduled: row.get(3),
        })
    }

    /// Waits until the subject's row of `vault.tokens` meets a condition in SQL.
    pub fn wait_for_token(&mut self, subject: &str, condition: &str) -> Result<()> {
        let query = format!(
            "SELECT coalesce(bool_or({condition}), false) FROM vault.tokens WHERE subject = '{subject}'"
        );
        wait_for_sql(&mut self.db, &query, LIMIT)
    }

    /// Waits until the provider has been asked for so many refreshes, and returns them.
    pub fn wait_for_refreshes(&self, count: usize) -> Result<Vec<Entry>> {
        let enough =
            |entries: &[Entry]| entries.iter().filter(|entry| is_refresh(entry)).count() >= count;
        let journal = self.server.wait_for_journal(enough, LIMIT)?;
        Ok(journal.into_iter().filter(is_refresh).collect())
    }

    /// The refreshes that the provider has been asked for so far.
    pub fn refreshes(&self) -> Vec<Entry> {
        self.server
            .journal()
            .into_iter()
            .filter(is_refresh)
            .collect()
    }

    /// What became of them at the provider.
    pub fn outcomes(&self) -> Vec<Outcome> {
        self.refreshes()
            .into_iter()
            .map(|entry| entry.outcome)
            .collect()
    }

    /// Whom the provider's API takes the bearer of an access token for (RFC 6750).
    pub fn who_is(&self, access_token: &str) -> Result<String> {
        who_is(&self.server.issuer(), self.server.ca_pem(), access_token)
    }

    /// The process of the database's refresher, once there is one.
    pub fn refresher(&mut self) -> Result<i32> {
        refresher(&mut self.db, DATABASE)
    }
}

/// The client secret that [`Vault::add_client`] gives a client.
pub fn secret(client: &str) -> String {
    format!("cs-{client}-7d1f0c93ab5e4826")
}

/// Makes `server` known as provider `acme`.
pub fn register_provider(db: &mut Client, server: &OAuthServer) -> Result<()> {
    db.execute(
        "SELECT vault.register_provider('acme', token_endpoint => $1)",
        &[&format!("{}/token", server.issuer())],
    )?;
    Ok(())
}

/// Whom the API of the provider `issuer` takes the bearer of an access token for.
fn who_is(issuer: &str, ca_pem: &str, access_token: &str) -> Result<String> {
    let roots = RootCerts::new_with_certs(&[Certificate::from_pem(ca_pem.as_bytes())?]);
    let tls = TlsConfig::builder().root_certs(roots).build();
    let config = ureq::Agent::config_builder().tls_config(tls).build();
    let mut answer = config
        .new_agent()
        .get(format!("{issuer}/api/me"))
        .header("authorization", format!("Bearer {access_token}"))
        .call()?;
    let body: Value = serde_json::from_str(&answer.body_mut().read_to_string()?)?;
    Ok(body["subject"].as_str().unwrap_or_default().to_owned())
}

/// The process of a database's refresher, once there is one.
pub fn refresher(db: &mut Client, database: &str) -> Result<i32> {
    wait_for("one refresher", LIMIT, || {
        let pids = db.query(
            "SELECT pid FROM pg_stat_activity
             WHERE backend_type = 'token_vault refresher' AND datname = $1",
            &[&database],
        )?;
        // While it starts, a second one may be there that finds it and ends.
        Ok((pids.len() == 1).then(|| pids[0].get(0)))
    })
}

fn is_refresh(entry: &Entry) -> bool {
    entry.grant_type.as_deref() == Some("refresh_token")
}
