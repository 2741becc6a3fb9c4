//! Adding, changing and removing clients.

use pgrx::JsonB;
use serde_json::{Map, Value};

use super::secret::{self, insert_secret};
use super::{Client, find};
use crate::error::{Error, Result};
use crate::pg::inval::{self, Topic};
use crate::pg::spi::BuiltinOid::{BOOLOID, INT8OID, JSONBOID, TEXTOID};
use crate::pg::spi::{self, Session, Statement};
use crate::store::{rules, schedule};

/// What `register_client` was given.
pub struct Registration<'a> {
    pub tenant: Option<&'a str>,
    pub name: &'a str,
    pub provider: &'a str,
    pub client_id: &'a str,
    pub client_secret: Option<&'a str>,
    pub scope: Option<&'a str>,
    pub redirect_uri: Option<&'a str>,
    pub metadata: Option<JsonB>,
    /// Changes to what [`SETTINGS`] names; null stands for the default.
    pub settings: Option<Map<String, Value>>,
}

/// Columns of `vault.client` that say how its tokens are refreshed.
const SETTINGS: [&str; 4] = [
    "refresh_policy",
    "max_concurrent_requests",
    "rate_limit_requests",
    "rate_limit_seconds",
];

/// Adds a client, or changes the one of this name: what is not given stays as it was; a secret that is
/// given replaces all earlier ones.
pub fn register(registration: Registration) -> Result<()> {
    static UPSERT: Statement = Statement::new(
        "INSERT INTO vault.client AS c (tenant, name, provider, client_id, scope, redirect_uri, metadata)
         VALUES ($1, $2, $3, $4, $5, $6, coalesce($7, '{}'))
         ON CONFLICT (tenant, name) DO UPDATE SET
             provider = EXCLUDED.provider, client_id = EXCLUDED.client_id,
             scope = coalesce(EXCLUDED.scope, c.scope), redirect_uri = coalesce(EXCLUDED.redirect_uri, c.redirect_uri),
             metadata = CASE WHEN $7 IS NULL THEN c.metadata ELSE EXCLUDED.metadata END,
             active = true, updated_at = statement_timestamp()
         RETURNING id",
        &[TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, JSONBOID],
    );
    static FORGET_SECRETS: Statement = Statement::new(
        "DELETE FROM vault.client_secret WHERE client = $1",
        &[INT8OID],
    );
    let secret = registration
        .client_secret
        .map(|secret| {
            secret::seal(
                registration.tenant,
                registration.name,
                registration.provider,
                secret,
            )
        })
        .transpose()?;
    let moved = find(registration.tenant, registration.name)
        .ok()
        .filter(|client| client.provider != registration.provider);
    if let Some(client) = &moved {
        refuse_if_in_use(client)?;
    }
    spi::session(|session| {
        let id: i64 = session
            .write(
                &UPSERT,
                &[
                    registration.tenant.into(),
                    registration.name.into(),
                    registration.provider.into(),
                    registration.client_id.into(),
                    registration.scope.into(),
                    registration.redirect_uri.into(),
                    registration.metadata.into(),
                ],
                |row| row.required(1),
            )
            .pop()
            .expect("an upsert returns its row");
        // Secrets are bound to the provider: at another one the old ones mean nothing.
        if secret.is_some() || moved.is_some() {
            session.run(&FORGET_SECRETS, &[id.into()]);
        }
        if let Some(secret) = secret {
            insert_secret(session, id, 1, secret);
        }
        mended(session, id);
        adopt_tokens(session, id);
    });
    apply_settings(
        registration.tenant,
        registration.name,
        registration.settings,
    )
}

/// Takes over the settings that were given; the others stay. Its tokens follow its refresh policy.
fn apply_settings(
    tenant: Option<&str>,
    name: &str,
    settings: Option<Map<String, Value>>,
) -> Result<()> {
    static SET: Statement = Statement::new(
        "UPDATE vault.client SET
             refresh_policy = CASE WHEN $2 ? 'refresh_policy' THEN coalesce($2 ->> 'refresh_policy', 'always') ELSE refresh_policy END,
             max_concurrent_requests = CASE WHEN $2 ? 'max_concurrent_requests'
                 THEN ($2 ->> 'max_concurrent_requests')::integer ELSE max_concurrent_requests END,
             rate_limit_requests = CASE WHEN $2 ? 'rate_limit_requests'
                 THEN ($2 ->> 'rate_limit_requests')::integer ELSE rate_limit_requests END,
             rate_limit_seconds = CASE WHEN $2 ? 'rate_limit_seconds'
                 THEN coalesce(($2 ->> 'rate_limit_seconds')::bigint, 60) ELSE rate_limit_seconds END
         WHERE id = $1",
        &[INT8OID, JSONBOID],
    );
    if let Some(settings) = settings {
        if let Some(unknown) = settings
            .keys()
            .find(|key| !SETTINGS.contains(&key.as_str()))
        {
            return Err(Error::InvalidArgument {
                name: "settings",
                problem: format!("\"{unknown}\" is not one of {}", SETTINGS.join(", ")),
            });
        }
        rules::check(&settings)?;
        let id = find(tenant, name)?.id;
        spi::session(|session| session.run(&SET, &[id.into(), JsonB(settings.into()).into()]));
        schedule::follow_policy(None, Some(id));
    }
    inval::announce(Topic::Clients);
    Ok(())
}

/// Tokens that were stored when their provider had no client become this one's, if they can have no other.
fn adopt_tokens(session: &Session, client: i64) {
    static ADOPT: Statement = Statement::new(
        "UPDATE vault.token AS t SET client = c.id
         FROM vault.client AS c
         WHERE c.id = $1 AND c.active AND t.client IS NULL AND t.provider = c.provider
           AND (t.tenant = c.tenant OR c.tenant IS NULL)
           AND NOT EXISTS (SELECT FROM vault.client AS o
                           WHERE o.id <> c.id AND o.provider = c.provider AND o.active
                             AND (o.tenant = t.tenant OR o.tenant IS NULL AND c.tenant IS NULL))",
        &[INT8OID],
    );
    if session.run(&ADOPT, &[client.into()]) > 0 {
        schedule::change_lanes(session, client);
    }
}

/// Somebody has seen to a client: what the provider refused before is tried again at once.
pub(super) fn mended(session: &Session, client: i64) {
    static MEND: Statement = Statement::new(
        "UPDATE vault.client SET broken_since = NULL, broken_error = NULL WHERE id = $1 AND broken_since IS NOT NULL",
        &[INT8OID],
    );
    static DUE: Statement = Statement::new(
        "UPDATE vault.refresh_schedule AS s SET due_at = clock_timestamp()
         FROM vault.token AS t WHERE t.id = s.token AND t.client = $1 AND s.failures > 0
           AND (s.due_at > clock_timestamp() OR s.attempt IS NOT NULL)",
        &[INT8OID],
    );
    if session.run(&MEND, &[client.into()]) > 0 {
        session.run(&DUE, &[client.into()]);
    }
}

/// Switches a client on or off. A client that is off is not used for refreshes.
pub fn set_active(client: &Client, active: bool) {
    static SET: Statement = Statement::new(
        "UPDATE vault.client SET active = $2, updated_at = statement_timestamp() WHERE id = $1",
        &[INT8OID, BOOLOID],
    );
    spi::session(|session| {
        session.run(&SET, &[client.id.into(), active.into()]);
        if active {
            mended(session, client.id);
            adopt_tokens(session, client.id);
        }
    });
    inval::announce(Topic::Clients);
}

/// Deletes all clients of a tenant, of which no token is left; returns their number.
pub fn delete_tenant(tenant: &str) -> i64 {
    static DELETE: Statement =
        Statement::new("DELETE FROM vault.client WHERE tenant = $1", &[TEXTOID]);
    let deleted = spi::session(|session| session.run(&DELETE, &[tenant.into()])) as i64;
    inval::announce(Topic::Clients);
    deleted
}

/// Removes a client that no token was obtained with.
pub fn remove(client: &Client) -> Result<()> {
    static REMOVE: Statement = Statement::new("DELETE FROM vault.client WHERE id = $1", &[INT8OID]);
    refuse_if_in_use(client)?;
    spi::session(|session| session.run(&REMOVE, &[client.id.into()]));
    inval::announce(Topic::Clients);
    Ok(())
}

fn refuse_if_in_use(client: &Client) -> Result<()> {
    static TOKENS: Statement = Statement::new(
        "SELECT count(*) FROM vault.token WHERE client = $1",
        &[INT8OID],
    );
    let tokens: i64 = spi::session(|session| {
        session.query_one(&TOKENS, &[client.id.into()], |row| row.required(1))
    })
    .expect("an aggregate has one row");
    if tokens > 0 {
        return Err(Error::ClientInUse {
            client: client.name.clone(),
            tokens,
        });
    }
    Ok(())
}
