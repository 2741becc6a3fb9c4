//! Refreshing now.

use std::time::{Duration, Instant};

use pgrx::datum::{Interval, TimestampWithTimeZone};
use pgrx::iter::TableIterator;
use pgrx::{default, name, pg_extern};
use token_vault_core::refresh::RefreshPolicy;

use crate::error::{Error, Obstacle, OrRaise, Result};
use crate::pg::role::{self, Role};
use crate::pg::{settings, shmem, tenant as session, time};
use crate::sqlfn::arguments;
use crate::store::access::{self, Privilege, Resource};
use crate::store::audit;
use crate::store::token::{self, State, Target};
use crate::store::{provider, schedule};
use crate::worker::request;

/// `refresh_due` refreshes at most so many tokens in one call.
const MAX_TOKENS: i32 = 1000;
/// Requests run several at a time, so many tokens need less than so many times one token's wait.
const WAIT_FACTOR: u32 = 6;

#[pg_extern(schema = "vault", volatile, parallel_unsafe)]
fn refresh_token(
    provider: Option<&str>,
    subject: Option<&str>,
    tenant: default!(Option<&str>, "NULL"),
    label: default!(Option<&str>, "''"),
) -> Option<TimestampWithTimeZone> {
    let refresh = || -> Result<Option<TimestampWithTimeZone>> {
        let key = arguments::token_key(tenant, provider, subject, label)?;
        access::require(Privilege::Refresh, &key.resource())?;
        let provider = provider::find(&key.provider)?;
        let token = token::find(&key).ok_or(Error::NoSuchToken)?;
        if token.state == State::ReauthorizationRequired {
            return Err(Error::ReauthorizationRequired {
                error: token.last_error,
            });
        }
        if !provider::can_refresh(&provider, token.has_refresh_token) {
            return Err(Error::NotRefreshable(Obstacle::Credential));
        }
        let target = token::target(token.id).ok_or(Error::NoSuchToken)?;
        if target.policy == RefreshPolicy::Never {
            return Err(Error::NotRefreshable(Obstacle::Policy));
        }
        request::require_possible()?;
        Ok(request::refresh(&target)?.expires_at.map(time::to_sql))
    };
    refresh().or_raise()
}

#[pg_extern(schema = "vault", volatile, parallel_unsafe)]
fn set_refresh_policy(
    provider: Option<&str>,
    subject: Option<&str>,
    policy: Option<&str>,
    tenant: default!(Option<&str>, "NULL"),
    label: default!(Option<&str>, "''"),
) -> bool {
    let set = || -> Result<bool> {
        let key = arguments::token_key(tenant, provider, subject, label)?;
        access::require(Privilege::Write, &key.resource())?;
        provider::find(&key.provider)?;
        let policy = policy.map(policy_named).transpose()?;
        let exists = token::set_refresh_policy(&key, policy);
        if exists {
            let facts = [("policy", policy.map(RefreshPolicy::name).into())];
            audit::changed("refresh_policy_set", (&key).into(), audit::detail(facts));
        }
        request::refresher_wanted();
        Ok(exists)
    };
    set().or_raise()
}

fn policy_named(name: &str) -> Result<RefreshPolicy> {
    RefreshPolicy::parse(name).ok_or_else(|| Error::InvalidArgument {
        name: "policy",
        problem: "it is none of always, on_use and never".into(),
    })
}

#[pg_extern(schema = "vault", volatile, parallel_unsafe)]
#[allow(clippy::type_complexity)]
fn refresh_due(
    within: default!(Option<Interval>, "NULL"),
    max_tokens: default!(Option<i32>, "100"),
) -> TableIterator<
    'static,
    (
        name!(tenant, String),
        name!(provider, String),
        name!(subject, String),
        name!(label, String),
        name!(outcome, &'static str),
        name!(error, Option<String>),
        name!(expires_at, Option<TimestampWithTimeZone>),
    ),
> {
    let refresh = || -> Result<Vec<(Target, Option<Target>)>> {
        access::require(Privilege::Refresh, &Resource::Rows)?;
        let within = within.as_ref().map_or(0, time::interval_micros);
        if within < 0 {
            return Err(Error::InvalidArgument {
                name: "within",
                problem: "it is negative".into(),
            });
        }
        let max_tokens = arguments::required("max_tokens", max_tokens)?;
        if !(1..=MAX_TOKENS).contains(&max_tokens) {
            let problem = format!("it is not between 1 and {MAX_TOKENS}");
            return Err(Error::InvalidArgument {
                name: "max_tokens",
                problem,
            });
        }
        request::require_possible()?;
        let until = time::now().saturating_add(within);
        let tenant = session::bound();
        let hash = tenant.as_deref().map(schedule::tenant_hash);
        let due = schedule::list_due_for(limited_role(), hash, until, max_tokens.into());
        let theirs: Vec<&Target> = due.iter().filter(|target| !target.is_ours).collect();
        let wait = settings::refresh_wait()
            .saturating_mul(WAIT_FACTOR)
            .max(Duration::from_millis(1));
        if shmem::is_preloaded() || may_refresh_all_of(tenant.as_deref()) {
            request::refresh_all(&theirs, until, hash, wait);
        } else {
            one_by_one(&theirs, wait);
        }
        Ok(due
            .into_iter()
            .map(|before| (token::target(before.id), before))
            .map(|(after, before)| (before, after))
            .collect())
    };
    TableIterator::new(refresh().or_raise().into_iter().map(|(before, after)| {
        let outcome = outcome(&before, after.as_ref());
        let error = after
            .as_ref()
            .filter(|_| outcome != "refreshed")
            .and_then(|after| after.last_error.clone());
        let expires_at = after.and_then(|after| after.expires_at).map(time::to_sql);
        let key = before.key;
        (
            key.tenant,
            key.provider,
            key.subject,
            key.label,
            outcome,
            error,
            expires_at,
        )
    }))
}

/// The calling role, if there are tokens that it may not refresh.
fn limited_role() -> Option<Role> {
    let role = role::current();
    (!access::allows_everything(role, Privilege::Refresh)).then_some(role)
}

fn may_refresh_all_of(tenant: Option<&str>) -> bool {
    let all = tenant.map_or(Resource::Vault, Resource::Tenant);
    access::allows(role::current(), Privilege::Refresh, &all)
}

/// An errand for all that is due would take others' tokens along. What became of each is in its row.
fn one_by_one(targets: &[&Target], wait: Duration) {
    let deadline = Instant::now() + wait;
    for target in targets {
        if Instant::now() >= deadline {
            return;
        }
        let _ = request::refresh(target);
    }
}

fn outcome(before: &Target, after: Option<&Target>) -> &'static str {
    match after {
        None => "deleted",
        Some(after) if after.generation > before.generation => "refreshed",
        Some(after) if after.state == State::ReauthorizationRequired => "reauthorization_required",
        Some(after) if after.failures > before.failures => "failed",
        Some(_) => "pending",
    }
}
