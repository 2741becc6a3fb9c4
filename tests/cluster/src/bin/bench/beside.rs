//! A vault with its provider beside it, which every measurement of refreshing needs.

use std::time::Duration;

use postgres::Client;
use postgres::types::Json;
use serde_json::Value;
use token_vault_cluster::wait::wait_for;
use token_vault_cluster::{Cluster, Options, Result};
use token_vault_oauth_server::{ClientConfig, Config, OAuthServer};

use crate::process;

/// How long anything that is no measurement may take.
pub const LIMIT: Duration = Duration::from_secs(300);

const CLIENT: &str = "bench";
const CLIENT_SECRET: &str = "cs-bench-7d1f0c93ab5e4826";
/// Tokens that are stored with one statement.
const BATCH: u32 = 1000;
/// The provider's thread, and so its processor time.
const PROVIDER_THREAD: &str = "oauth-server";

/// A server whose extension trusts `provider`: TLS, rotation, access tokens of 1.2 kB.
pub struct Beside {
    pub cluster: Cluster,
    pub provider: OAuthServer,
}

impl Beside {
    /// Starts both. Nothing is refreshed before [`Beside::refresh`] says so.
    pub fn start(options: &Options, expires_in: Duration) -> Result<Self> {
        let provider = OAuthServer::start(Config {
            expires_in,
            record: false,
            ..Config::default()
        })?;
        provider.register(ClientConfig::confidential(
            CLIENT,
            CLIENT_SECRET,
            "https://bench.example/callback",
        ));
        let cluster = Cluster::start_new(options)?;
        cluster.trust(provider.ca_pem())?;
        Ok(Self { cluster, provider })
    }

    /// A database whose vault knows the provider.
    pub fn vault(&self, database: &str) -> Result<Client> {
        let mut db = self.cluster.create_vault(database)?;
        db.execute(
            "SELECT vault.register_provider('bench', token_endpoint => $1)",
            &[&format!("{}/token", self.provider.issuer())],
        )?;
        db.execute(
            "SELECT vault.register_client($1, provider => 'bench', client_id => $1, client_secret => $2)",
            &[&CLIENT, &CLIENT_SECRET],
        )?;
        Ok(db)
    }

    /// Stores grants of the provider for the subjects of these numbers.
    pub fn store(&self, db: &mut Client, numbers: impl Iterator<Item = u32>) -> Result<()> {
        let mut numbers = numbers.peekable();
        while numbers.peek().is_some() {
            let (subjects, answers): (Vec<String>, Vec<Json<Value>>) = numbers
                .by_ref()
                .take(BATCH as usize)
                .map(crate::dataset::subject)
                .map(|subject| {
                    let answer = self.provider.issue(CLIENT, &subject, "profile");
                    (subject, Json(answer))
                })
                .unzip();
            db.execute(
                "SELECT count(vault.store_token_response('bench', subject, answer))
                 FROM unnest($1::text[], $2::jsonb[]) AS t (subject, answer)",
                &[&subjects, &answers],
            )?;
        }
        Ok(())
    }

    /// Turns refreshing on or off, and wakes the refreshers.
    pub fn refresh(&self, db: &mut Client, on: bool) -> Result<()> {
        let value = if on { "on" } else { "off" };
        db.batch_execute(&format!(
            "ALTER SYSTEM SET token_vault.refresh_enabled = {value}"
        ))?;
        self.cluster.reload()
    }

    /// Waits until the provider has been asked so often.
    pub fn wait_for_requests(&self, number: u64) -> Result<()> {
        wait_for("the provider's requests", LIMIT, || {
            Ok((self.provider.token_requests() >= number).then_some(()))
        })
    }

    /// Processor time of the provider so far.
    pub fn provider_time(&self) -> Result<Duration> {
        process::cpu_time_of_threads(PROVIDER_THREAD)
    }
}

/// The process that refreshes a database's tokens.
pub fn refresher(db: &mut Client) -> Result<i32> {
    wait_for("a refresher", LIMIT, || {
        let row = db.query_opt(
            "SELECT pid FROM pg_stat_activity
             WHERE backend_type = 'token_vault refresher' AND datname = current_database()",
            &[],
        )?;
        Ok(row.map(|row| row.get(0)))
    })
}

/// Has the refresher look at the whole schedule, which a statement has changed behind its back.
pub fn look(db: &mut Client) -> Result<()> {
    Ok(db.batch_execute("SELECT vault.adopt_installation()")?)
}

/// How often tokens have been replaced: what is durable of the provider's answers.
pub fn replacements(db: &mut Client) -> Result<u64> {
    let row = db.query_one(
        "SELECT coalesce(sum(generation - 1), 0)::bigint FROM vault.token",
        &[],
    )?;
    Ok(row.get::<_, i64>(0) as u64)
}
