//! Who listens to a vault's events.

use std::time::Duration;

use postgres::Client;
use postgres::fallible_iterator::FallibleIterator;
use serde_json::Value;
use token_vault_cluster::{Result, wait::wait_for};

use crate::provider::{LIMIT, Vault};

/// A session that listens, and what it has heard and nobody has asked for.
pub struct Listener {
    session: Client,
    heard: Vec<Value>,
    /// Every payload as it came.
    pub payloads: Vec<String>,
}

impl Listener {
    pub fn start(vault: &Vault) -> Result<Self> {
        Self::of(vault.session()?)
    }

    /// The same with a session of any vault's.
    pub fn of(mut session: Client) -> Result<Self> {
        session.batch_execute("LISTEN token_vault")?;
        Ok(Self {
            session,
            heard: Vec::new(),
            payloads: Vec::new(),
        })
    }

    /// Waits for the next event of this name, and takes it.
    pub fn wait_for(&mut self, event: &str) -> Result<Value> {
        wait_for(event, LIMIT, || {
            self.listen()?;
            let found = self.heard.iter().position(|heard| heard["event"] == event);
            Ok(found.map(|position| self.heard.remove(position)))
        })
    }

    /// How many events of this name have come, besides those that were taken.
    pub fn count(&mut self, event: &str) -> Result<usize> {
        // What was sent before this answer has come before it.
        self.session.simple_query("SELECT")?;
        self.listen()?;
        let heard = self.heard.iter();
        Ok(heard.filter(|heard| heard["event"] == event).count())
    }

    fn listen(&mut self) -> Result<()> {
        let mut notifications = self.session.notifications();
        let mut waiting = notifications.timeout_iter(Duration::from_millis(20));
        while let Some(notification) = waiting.next()? {
            self.payloads.push(notification.payload().to_owned());
            self.heard
                .push(serde_json::from_str(notification.payload())?);
        }
        Ok(())
    }
}
