//! Access tokens: who they speak for, and until when.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::Store;
use crate::credential::Handle;

#[derive(Default)]
pub(super) struct AccessTokens {
    tokens: HashMap<Handle, AccessToken>,
    next_serial: u64,
    /// Tokens with a smaller serial have been made to expire all at once.
    expired_below: u64,
}

struct AccessToken {
    family: usize,
    expires_at: Instant,
    serial: u64,
}

impl AccessTokens {
    pub(super) fn add(&mut self, token: &str, family: usize, expires_in: Duration) {
        let serial = self.next_serial;
        self.next_serial += 1;
        let token_facts = AccessToken {
            family,
            expires_at: Instant::now() + expires_in,
            serial,
        };
        self.tokens.insert(Handle::of(token), token_facts);
    }

    /// The family of a token that has neither expired nor been revoked by itself.
    fn family_of_valid(&self, token: &str) -> Option<usize> {
        let token = self.tokens.get(&Handle::of(token))?;
        (token.serial >= self.expired_below && token.expires_at > Instant::now())
            .then_some(token.family)
    }

    fn remove(&mut self, token: &str) {
        self.tokens.remove(&Handle::of(token));
    }

    pub(super) fn family(&self, token: &str) -> Option<usize> {
        self.tokens
            .get(&Handle::of(token))
            .map(|token| token.family)
    }
}

/// Whom an access token speaks for.
pub(crate) struct Bearer {
    pub client_id: String,
    pub subject: String,
    pub scope: String,
}

impl Store {
    /// Checks an access token as a protected resource does.
    pub(crate) fn bearer(&self, access_token: &str) -> Option<Bearer> {
        let family = &self.families[self.access_tokens.family_of_valid(access_token)?];
        (!family.revoked).then(|| Bearer {
            client_id: family.client_id.clone(),
            subject: family.subject.clone(),
            scope: family.scope.clone(),
        })
    }

    /// Makes every access token issued so far expire.
    pub(crate) fn expire_access_tokens(&mut self) {
        self.access_tokens.expired_below = self.access_tokens.next_serial;
    }

    /// Forgets one access token; its grant stays.
    pub(super) fn revoke_access_token(&mut self, access_token: &str) {
        self.access_tokens.remove(access_token);
    }
}
