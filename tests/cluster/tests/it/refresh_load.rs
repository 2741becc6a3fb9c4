//! An application at work while its server is killed: tokens of three kinds of grants that are refreshed all the time,
//! sessions that read them, and one that stores new ones.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use postgres::Client;
use postgres::types::Json;
use serde_json::Value;
use token_vault_cluster::wait::{wait_for, wait_for_sql};
use token_vault_cluster::{Options, Result};
use token_vault_oauth_server::{Behaviour, ClientConfig, OAuthServer, RefreshPolicy};

use crate::provider::{DATABASE, LIMIT, ROTATION_WITH_LEEWAY, Vault, secret};
use crate::refresh_ledger::{Interruption, Ledger, Stored};

/// How long access tokens live; half of it passes between two refreshes. Short, so that each is refreshed often.
const LIFETIME: Duration = Duration::from_secs(2);

/// How long the provider takes for an answer after it has rotated, in ms: most kills come in this time.
const ANSWER: u64 = 50;

/// What sessions may be told while the server is killed and grants are lost: the end of their connection, of the server,
/// and that the user has to authorize again.
const EXPECTED: [&str; 5] = ["57P01", "57P02", "57P03", "08006", "TV031"];

/// The three ways in which providers treat refresh tokens.
pub const POLICIES: [(&str, RefreshPolicy); 3] = [
    ("static", RefreshPolicy::Static),
    ("leeway", ROTATION_WITH_LEEWAY),
    (STRICT, STRICT_ROTATION),
];

/// The client whose refresh tokens rotate without any leeway: who repeats one ends the grant.
pub const STRICT: &str = "strict";

const STRICT_ROTATION: RefreshPolicy = RefreshPolicy::Rotate {
    reuse_detection: true,
    leeway: Duration::ZERO,
};

/// A vault under load, and the book that is kept on it.
pub struct Load {
    pub vault: Vault,
    pub ledger: Ledger,
    stop: Arc<AtomicBool>,
    sessions: Vec<JoinHandle<Result<()>>>,
}

/// A vault with a client for each policy, and no token yet.
pub fn vault_with_policies(options: &Options) -> Result<Vault> {
    let mut vault = Vault::start_with(options)?;
    for (client, policy) in POLICIES {
        vault.add_client(client)?;
        register(&vault.server, client, policy, LIFETIME);
    }
    Ok(vault)
}

fn register(server: &OAuthServer, client: &str, refresh: RefreshPolicy, lifetime: Duration) {
    let config =
        ClientConfig::confidential(client, &secret(client), "https://app.example/callback");
    server.register(ClientConfig {
        refresh,
        expires_in: Some(lifetime),
        ..config
    });
}

/// The subject of this number at a client.
fn subject(client: &str, number: usize) -> String {
    format!("{client}-{number}")
}

impl Load {
    /// So many tokens at each of the clients, sessions that read them, and one that stores others.
    pub fn start(options: &Options, tokens: usize, readers: usize) -> Result<Self> {
        let vault = vault_with_policies(options)?;
        let mut load = Self {
            vault,
            ledger: Ledger::new(LIFETIME / 2),
            stop: Arc::default(),
            sessions: Vec::new(),
        };
        load.answer_after(ANSWER);
        for (client, _) in POLICIES {
            for number in 0..tokens {
                load.grant(client, &subject(client, number))?;
            }
        }
        for number in 0..readers {
            load.start_reader(tokens, number)?;
        }
        Ok(load)
    }

    /// From now on the provider takes so many milliseconds for an answer, after it has rotated.
    pub fn answer_after(&self, ms: u64) {
        self.vault.server.behave();
        self.vault.server.misbehave(Behaviour::Delay { ms }, None);
    }

    /// The user authorizes, and the application stores the answer.
    pub fn grant(&mut self, client: &str, subject: &str) -> Result<()> {
        let answer = self.vault.server.issue(client, subject, "profile");
        self.ledger.granted(client, subject, &answer, Stored::Yes);
        Ok(store(&mut self.vault.db, client, subject, &answer)?)
    }

    /// The same with an access token that the vault takes for expired: due at once.
    pub fn grant_that_is_due(&mut self, client: &str, subject: &str) -> Result<()> {
        let mut answer = self.vault.server.issue(client, subject, "profile");
        answer["expires_in"] = 0.into();
        self.ledger.granted(client, subject, &answer, Stored::Yes);
        Ok(store(&mut self.vault.db, client, subject, &answer)?)
    }

    /// Writes a grant in the open transaction of `session`; what becomes of it is in `stored`.
    pub fn grant_in(
        &mut self,
        session: &mut Client,
        client: &str,
        subject: &str,
        stored: Stored,
    ) -> Result<()> {
        let answer = self.vault.server.issue(client, subject, "profile");
        self.ledger.granted(client, subject, &answer, stored);
        Ok(store(session, client, subject, &answer)?)
    }

    /// Lets users authorize again whose grants were lost; notes what the vault says of them.
    pub fn authorize_again(&mut self) -> Result<()> {
        let lost = self.vault.db.query(
            "SELECT client, subject, coalesce(last_error, '') FROM vault.tokens WHERE status = 'reauthorization_required'",
            &[],
        )?;
        for row in lost {
            let (client, subject, error): (String, String, String) =
                (row.get(0), row.get(1), row.get(2));
            self.ledger.reported(&subject, &error);
            self.grant(&client, &subject)?;
        }
        Ok(())
    }

    /// A session of the superuser's after the server has been killed.
    pub fn reconnect(&mut self) -> Result<()> {
        self.vault.db = wait_for("the server after it was killed", LIMIT, || {
            let Ok(mut db) = self.vault.cluster.connect(DATABASE, "postgres") else {
                return Ok(None);
            };
            Ok(db.batch_execute("SELECT 1").is_ok().then_some(db))
        })?;
        Ok(())
    }

    /// How often the server has ended all its processes because one was killed.
    pub fn crashes(&self) -> Result<usize> {
        self.vault.cluster.crashes()
    }

    /// Waits until it has done so once more; until then it may still let sessions in.
    pub fn wait_for_crash(&self, before: usize) -> Result<()> {
        self.vault.cluster.wait_for_crash(before)
    }

    /// Notes that a refresher died after `begin`, when there is another one. The provider may have come to the dead one's
    /// last requests until then.
    pub fn note_interruption(&mut self, begin: SystemTime) -> Result<()> {
        self.vault.refresher()?;
        let end = SystemTime::now();
        self.ledger.interrupted(Interruption { begin, end });
        Ok(())
    }

    /// Ends the load: every token is refreshed once more, for a long time, and no attempt is left.
    pub fn settle(&mut self) -> Result<()> {
        self.stop.store(true, Ordering::Relaxed);
        for session in self.sessions.drain(..) {
            session.join().expect("the session's thread")?;
        }
        self.let_tokens_live_long();
        wait_for_sql(
            &mut self.vault.db,
            "SELECT NOT EXISTS (
                 SELECT FROM vault.tokens WHERE status <> 'reauthorization_required'
                     AND (expires_at < clock_timestamp() + interval '20 minutes' OR refresh_attempt IS NOT NULL))",
            LIMIT,
        )
    }

    /// The next refresh of each token is its last one in this test.
    pub fn let_tokens_live_long(&self) {
        for (client, policy) in POLICIES {
            register(
                &self.vault.server,
                client,
                policy,
                Duration::from_secs(3600),
            );
        }
    }

    /// A session that reads tokens until the load ends, and connects again when the server was killed.
    fn start_reader(&mut self, tokens: usize, number: usize) -> Result<()> {
        let connection = self.vault.cluster.connection(DATABASE, "postgres");
        let stop = Arc::clone(&self.stop);
        self.sessions.push(std::thread::spawn(move || {
            let mut turn = number * 7919;
            while !stop.load(Ordering::Relaxed) {
                let Ok(mut db) = connection.connect(postgres::NoTls) else {
                    std::thread::sleep(Duration::from_millis(20));
                    continue;
                };
                while !stop.load(Ordering::Relaxed) && !db.is_closed() {
                    turn += 1;
                    let (client, _) = POLICIES[turn % POLICIES.len()];
                    let read = "SELECT vault.get_token('acme', $1), pg_sleep(0.002)";
                    expect_only_the_usual(db.query_one(read, &[&subject(client, turn % tokens)]))?;
                }
            }
            Ok(())
        }));
        Ok(())
    }
}

fn expect_only_the_usual<T>(result: std::result::Result<T, postgres::Error>) -> Result<()> {
    match result {
        Err(error)
            if error
                .code()
                .is_some_and(|code| !EXPECTED.contains(&code.code())) =>
        {
            Err(format!("a session was told: {error:?}").into())
        }
        _ => Ok(()),
    }
}

fn store(
    db: &mut Client,
    client: &str,
    subject: &str,
    answer: &Value,
) -> std::result::Result<(), postgres::Error> {
    db.execute(
        "SELECT vault.store_token_response('acme', $1, $2::jsonb, client => $3)",
        &[&subject, &Json(answer), &client],
    )?;
    Ok(())
}
