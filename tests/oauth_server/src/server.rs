//! The handle that owns a running server.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::runtime;
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;

use crate::app::App;
use crate::authority::LocalAuthority;
use crate::behaviour::Behaviour;
use crate::config::{ClientConfig, Config};
use crate::endpoint::Public;
use crate::endpoint::control::Control;
use crate::endpoint::dialect::issued;
use crate::fault::{ConnectionFault, Fault};
use crate::journal::{Entry, WaitTimeout};
use crate::listener::{Loopback, Tls};
use crate::store::Store;

/// Shortest access token that keeps its shape; see [`Config::access_token_bytes`].
const MIN_ACCESS_TOKEN_BYTES: usize = 64;

/// A running authorization server. Dropping it closes every connection and ends its thread.
pub struct OAuthServer {
    app: Arc<App>,
    authority: LocalAuthority,
    acceptor: TlsAcceptor,
    control_url: String,
    runtime: runtime::Handle,
    /// How often it was told to behave; ends the faults of all ports.
    healed: Arc<AtomicU64>,
    /// Dropped first, which ends the thread.
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl OAuthServer {
    /// Starts a server on loopback. It accepts connections when this returns.
    ///
    /// # Errors
    /// Where the port is taken, where the machine runs out of something, and for access tokens of less than 64
    /// characters.
    pub fn start(config: Config) -> io::Result<Self> {
        if config.access_token_bytes < MIN_ACCESS_TOKEN_BYTES {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "access tokens need 64 characters at least",
            ));
        }
        let authority = LocalAuthority::generate()?;
        let acceptor = authority.acceptor()?;
        let public = Loopback::bind(config.port)?;
        let control = Loopback::bind(0)?;
        let control_url = format!("http://127.0.0.1:{}", control.port);
        let issuer = format!("https://localhost:{}", public.port);
        let app = Arc::new(App::new(issuer, config.record, Store::new(&config)));

        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        {
            let _inside = runtime.enter();
            public.accept(Tls::On(acceptor.clone()), Public(Arc::clone(&app)))?;
            control.accept(Tls::Off, Control(Arc::clone(&app)))?;
        }
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = thread::Builder::new()
            .name("oauth-server".to_owned())
            .spawn(move || {
                // An error means that the sender is gone, which is the signal.
                let _ = runtime.block_on(stopped);
            })?;
        Ok(Self {
            app,
            authority,
            acceptor,
            control_url,
            runtime: handle,
            healed: Arc::default(),
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// The issuer identifier, `https://localhost:PORT`; endpoints are `/authorize`, `/token`, `/revoke`, `/api/me`.
    pub fn issuer(&self) -> String {
        self.app.issuer.clone()
    }

    /// `http://127.0.0.1:PORT`, for callers in other processes.
    pub fn control_url(&self) -> String {
        self.control_url.clone()
    }

    /// The certificate a client has to trust.
    pub fn ca_pem(&self) -> &str {
        &self.authority.ca_pem
    }

    /// Registers a client, or replaces its registration; what was issued to it stays valid.
    pub fn register(&self, client: ClientConfig) {
        self.app.store().register(client);
    }

    /// Replaces the valid secrets of a client.
    ///
    /// # Panics
    /// Where the client is not registered.
    pub fn set_secrets(&self, client_id: &str, client_secrets: Vec<String>) {
        let known = self.app.store().set_secrets(client_id, client_secrets);
        assert!(known, "client {client_id} is not registered");
    }

    /// Misbehaves at the next `times` token requests, or, with `None`, until [`OAuthServer::behave`]. What is asked for
    /// while another misbehaviour is still on comes after it.
    pub fn misbehave(&self, behaviour: Behaviour, times: Option<u32>) {
        self.app.behaviours.push(None, behaviour, times);
    }

    /// The same for the requests of one client.
    pub fn misbehave_to(&self, client_id: &str, behaviour: Behaviour, times: Option<u32>) {
        self.app
            .behaviours
            .push(Some(client_id.to_owned()), behaviour, times);
    }

    /// Opens one more port, whose connections fail like this until [`OAuthServer::behave`]; then it is as good as the
    /// first one. Its endpoints are those below `https://localhost:PORT`.
    ///
    /// # Errors
    /// Where the machine runs out of ports.
    pub fn open_faulty_port(&self, fault: ConnectionFault) -> io::Result<u16> {
        let loopback = Loopback::bind(0)?;
        let port = loopback.port;
        let fault = Fault::new(fault, &self.authority, &self.healed)?;
        let _inside = self.runtime.enter();
        let tls = Tls::Faulty(fault, self.acceptor.clone());
        loopback.accept(tls, Public(Arc::clone(&self.app)))?;
        Ok(port)
    }

    /// Ends every misbehaviour.
    pub fn behave(&self) {
        self.app.behaviours.clear();
        self.healed.fetch_add(1, Ordering::Relaxed);
    }

    /// The requests to the token and revocation endpoints so far; empty without [`Config::record`].
    pub fn journal(&self) -> Vec<Entry> {
        self.app.journal.since(0)
    }

    /// Blocks until `predicate` holds for the journal, at most for `timeout`. The predicate sees the whole journal each
    /// time, and the server waits for it: it should be quick.
    ///
    /// # Errors
    /// The journal as it was when the time was up.
    pub fn wait_for_journal(
        &self,
        predicate: impl FnMut(&[Entry]) -> bool,
        timeout: Duration,
    ) -> Result<Vec<Entry>, WaitTimeout> {
        self.app.journal.wait_for(predicate, timeout)
    }

    /// Token requests so far, counted with or without [`Config::record`].
    pub fn token_requests(&self) -> u64 {
        self.app.token_requests()
    }

    /// Plaintext of every token, code and client secret there ever was, for the canary search; empty without
    /// [`Config::record`].
    pub fn issued_secrets(&self) -> Vec<String> {
        self.app.store().issued()
    }

    /// Makes every access token issued so far expire.
    pub fn expire_access_tokens(&self) {
        self.app.store().expire_access_tokens();
    }

    /// Revokes a grant, named as in [`Entry::family`]. Returns whether there is one of this number.
    pub fn revoke_family(&self, family: u64) -> bool {
        self.app.store().revoke_family(family)
    }

    /// Makes a grant without a user agent, for tests that need many. Returns the answer of RFC 6749 §5.1.
    ///
    /// # Panics
    /// Where the client is not registered.
    pub fn issue(&self, client_id: &str, subject: &str, scope: &str) -> Value {
        let mut store = self.app.store();
        let known = store.client(client_id).is_some();
        // Not inside the assertion: it would be raised while the store is locked.
        if !known {
            drop(store);
            panic!("client {client_id} is not registered");
        }
        json!(store.open_grant(client_id, subject, scope).1)
    }

    /// The same, with the answer in the client's dialect.
    ///
    /// # Panics
    /// Where the client is not registered, or has no dialect.
    pub fn issue_in_dialect(&self, client_id: &str, subject: &str, scope: &str) -> Value {
        let mut store = self.app.store();
        let client = store.client(client_id);
        let Some(dialect) = client.and_then(|client| client.dialect.clone()) else {
            drop(store);
            panic!("client {client_id} is not registered with a dialect");
        };
        let (_, answer) = store.open_grant(client_id, subject, scope);
        dialect.success.fill(&issued(answer))
    }
}

impl Drop for OAuthServer {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // The thread's panic, if there was one, has been printed; dropping must not raise another.
            let _ = thread.join();
        }
    }
}
