//! Grants and their refresh tokens. A grant is a *family*: everything that descends from one authorization, which a
//! detected reuse revokes as a whole (RFC 9700 §4.14.2).

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::{Granted, Position, Refused, Store, TokenAnswer};
use crate::config::RefreshPolicy;
use crate::credential::Handle;
use crate::error::OAuthError;
use crate::journal::Outcome;

pub(super) struct Family {
    pub client_id: String,
    pub subject: String,
    pub scope: String,
    pub revoked: bool,
    /// Rotations so far.
    generation: u32,
    /// Rotations whose answer may still be asked for again, oldest first.
    repeatable: VecDeque<Rotation>,
}

struct Rotation {
    spent: Handle,
    at: Instant,
    answer: TokenAnswer,
}

pub(super) struct RefreshToken {
    pub family: usize,
    spent: bool,
}

impl RefreshToken {
    pub(super) fn new(family: usize) -> Self {
        Self {
            family,
            spent: false,
        }
    }
}

impl Store {
    /// Starts a grant and issues its first tokens. Returns the family's index and the answer.
    pub(crate) fn open_grant(
        &mut self,
        client_id: &str,
        subject: &str,
        scope: &str,
    ) -> (usize, TokenAnswer) {
        let family = self.families.len();
        self.families.push(Family {
            client_id: client_id.to_owned(),
            subject: subject.to_owned(),
            scope: scope.to_owned(),
            revoked: false,
            generation: 0,
            repeatable: VecDeque::new(),
        });
        (family, self.new_tokens(family, scope.to_owned(), true))
    }

    /// The refresh grant (RFC 6749 §6). `scope` may narrow what the new access token is for.
    pub(crate) fn refresh(
        &mut self,
        client_id: &str,
        refresh_token: &str,
        scope: Option<&str>,
    ) -> Result<Granted, Refused> {
        let handle = Handle::of(refresh_token);
        let Some((family, spent)) = self
            .refresh_tokens
            .get(&handle)
            .map(|token| (token.family, token.spent))
        else {
            return Err(OAuthError::invalid_grant("the refresh token is unknown").into());
        };
        if self.families[family].client_id != client_id {
            return Err(OAuthError::invalid_grant("the refresh token is another client's").into());
        }
        if self.families[family].revoked {
            return Err(self.refused(family, OAuthError::invalid_grant("the grant is revoked")));
        }
        let policy = self
            .client(client_id)
            .map(|client| client.refresh)
            .unwrap_or_default();
        if spent {
            return self.spent_again(family, handle, policy);
        }
        let scope = self.narrowed_scope(family, scope)?;
        match policy {
            RefreshPolicy::Static => Ok(self.keep(family, scope)),
            RefreshPolicy::Rotate { leeway, .. } => Ok(self.rotate(family, handle, scope, leeway)),
        }
    }

    /// Exchanges an access token for a new one of the same grant, as providers without refresh tokens do.
    pub(crate) fn renew(
        &mut self,
        client_id: &str,
        access_token: &str,
    ) -> Result<Granted, Refused> {
        let error =
            || OAuthError::invalid_grant("the access token is unknown or its grant revoked");
        let Some(family) = self.access_tokens.family(access_token) else {
            return Err(error().into());
        };
        let grant = &self.families[family];
        if grant.client_id != client_id || grant.revoked {
            return Err(self.refused(family, error()));
        }
        let scope = grant.scope.clone();
        Ok(self.keep(family, scope))
    }

    /// A grant to the client itself (RFC 6749 §4.4), without a refresh token.
    pub(crate) fn grant_to_client(&mut self, client_id: &str) -> Granted {
        let (family, mut answer) = self.open_grant(client_id, client_id, "");
        answer.refresh_token = None;
        Granted {
            outcome: Outcome::Issued,
            answer,
            position: self.position(family),
        }
    }

    /// Where a grant stands when nothing has moved it.
    pub(super) fn position(&self, family: usize) -> Position {
        let generation = self.families[family].generation;
        Position {
            family: family as u64,
            generation_before: generation,
            generation_after: generation,
        }
    }

    fn keep(&mut self, family: usize, scope: String) -> Granted {
        Granted {
            outcome: Outcome::Refreshed,
            answer: self.new_tokens(family, scope, false),
            position: self.position(family),
        }
    }

    fn rotate(&mut self, family: usize, spent: Handle, scope: String, leeway: Duration) -> Granted {
        let before = self.position(family);
        let answer = self.new_tokens(family, scope, true);
        if let Some(token) = self.refresh_tokens.get_mut(&spent) {
            token.spent = true;
        }
        let grant = &mut self.families[family];
        grant.generation += 1;
        while grant
            .repeatable
            .front()
            .is_some_and(|oldest| oldest.at.elapsed() >= leeway)
        {
            grant.repeatable.pop_front();
        }
        if !leeway.is_zero() {
            grant.repeatable.push_back(Rotation {
                spent,
                at: Instant::now(),
                answer: answer.clone(),
            });
        }
        Granted {
            outcome: Outcome::Rotated,
            answer,
            position: Position {
                generation_after: grant.generation,
                ..before
            },
        }
    }

    /// A spent refresh token: a lost answer inside the leeway, a stolen token after it.
    fn spent_again(
        &mut self,
        family: usize,
        token: Handle,
        policy: RefreshPolicy,
    ) -> Result<Granted, Refused> {
        let error = OAuthError::invalid_grant("the refresh token has been used");
        let RefreshPolicy::Rotate {
            reuse_detection,
            leeway,
        } = policy
        else {
            return Err(self.refused(family, error));
        };
        let grant = &mut self.families[family];
        let repeated = grant
            .repeatable
            .iter()
            .find(|rotation| rotation.spent == token && rotation.at.elapsed() < leeway);
        if let Some(rotation) = repeated {
            return Ok(Granted {
                outcome: Outcome::Repeated,
                answer: rotation.answer.clone(),
                position: self.position(family),
            });
        }
        let mut refused = self.refused(family, error);
        if reuse_detection {
            self.families[family].revoked = true;
            refused.outcome = Outcome::ReuseDetected;
        }
        Err(refused)
    }

    fn refused(&self, family: usize, error: OAuthError) -> Refused {
        Refused {
            outcome: Outcome::Refused,
            error,
            position: Some(self.position(family)),
        }
    }

    /// The scope asked for, which must lie within the granted one (RFC 6749 §6).
    fn narrowed_scope(&self, family: usize, scope: Option<&str>) -> Result<String, Refused> {
        let granted = &self.families[family].scope;
        let Some(scope) = scope else {
            return Ok(granted.clone());
        };
        let within = scope
            .split(' ')
            .all(|wanted| granted.split(' ').any(|known| known == wanted));
        if within {
            Ok(scope.to_owned())
        } else {
            Err(self.refused(
                family,
                OAuthError::invalid_scope("the scope exceeds the granted one"),
            ))
        }
    }
}
