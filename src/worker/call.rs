//! From a claim to the requests that are sent for it, and from an answer to its outcome.

use std::rc::Rc;

use token_vault_core::oauth::{
    self, Answer, Client as CoreClient, Expiry, Failure, Grant, KeptAnswer, Provider, Rotation,
    TokenRequest, TokenResponse, Unreadable,
};
use token_vault_core::refresh::{self, Report, Verdict};
use token_vault_core::secret::{AccessToken, RefreshToken};
use token_vault_http::{CallError, HttpAnswer};

use crate::pg::time::{self, UnixMicros};
use crate::worker::claim::Claim;
use crate::worker::credentials::Credentials;

/// A claim with everything its requests need, decrypted. It lives only while the token is in flight.
pub struct Call {
    pub claim: Claim,
    pub provider: Rc<Provider>,
    pub credentials: Rc<Credentials>,
    /// How many of the client's secrets have been tried.
    pub tried: usize,
    pub access_token: AccessToken,
    pub refresh_token: Option<RefreshToken>,
}

/// How an attempt ended.
pub enum Outcome {
    /// The provider issued tokens.
    Refreshed(Box<TokenResponse>),
    /// It prolonged the ones we have.
    Extended(Expiry),
    /// It did not, for this reason; `retry_after` in seconds, if it said when.
    Failed {
        verdict: Verdict,
        error: String,
        retry_after: Option<i64>,
    },
    /// The request was sent and no answer came, or none that can be understood: the provider may have rotated the
    /// refresh token. What may hold it is kept.
    Unknown {
        error: String,
        answer: Option<KeptAnswer>,
        /// It looks as if the request was served and the refresh token rotated: to repeat it would end the grant, while
        /// mending the provider's row saves it.
        is_likely_served: bool,
    },
    /// Nothing was sent, because the token's policy does not want it: not before this time, or not until it is used.
    Unwanted(Option<UnixMicros>),
    /// Nothing was sent, because only somebody who mends the provider's row can help: not before this time, or never.
    Rested(Option<UnixMicros>),
}

/// What to do with an answer.
pub enum Next {
    /// Write this.
    Apply(Outcome, Report),
    /// Send this: the provider refused the client secret, and there is another one.
    Send(TokenRequest),
}

impl Outcome {
    pub fn misconfigured(error: impl Into<String>) -> Outcome {
        Outcome::Failed {
            verdict: Verdict::Misconfigured,
            error: error.into(),
            retry_after: None,
        }
    }
}

impl Call {
    /// The request with the next of the client's secrets.
    pub fn next_request(&mut self) -> std::result::Result<TokenRequest, Outcome> {
        let client = &self.credentials.client;
        let secret = self.credentials.secrets.get(self.tried);
        self.tried += 1;
        let core_client = CoreClient {
            client_id: &client.client_id,
            client_secret: secret,
            metadata: &client.metadata,
        };
        let grant = Grant {
            access_token: Some(&self.access_token),
            refresh_token: self.refresh_token.as_ref(),
            scope: self.claim.scope.as_deref().or(client.scope.as_deref()),
            metadata: &self.claim.metadata,
        };
        oauth::refresh_request(&self.provider, &core_client, &grant)
            .map_err(|problem| Outcome::misconfigured(problem.to_string()))
    }

    /// Judges an answer.
    pub fn judge(&mut self, result: std::result::Result<HttpAnswer, CallError>) -> Next {
        let (outcome, report) = match result {
            Ok(answer) => self.outcome(answer),
            Err(error @ CallError::NotSent(_)) => (
                Outcome::Failed {
                    verdict: Verdict::Transient,
                    error: error.to_string(),
                    retry_after: None,
                },
                Report::ProviderInTrouble(None),
            ),
            Err(error) => (
                Outcome::Unknown {
                    error: error.to_string(),
                    answer: None,
                    is_likely_served: false,
                },
                Report::ProviderInTrouble(None),
            ),
        };
        // Only a refused client lets the next secret be tried: a refused grant would be spent again and again.
        if report == Report::ClientRefused && self.tried < self.credentials.secrets.len() {
            return match self.next_request() {
                Ok(request) => Next::Send(request),
                Err(outcome) => Next::Apply(outcome, report),
            };
        }
        Next::Apply(outcome, report)
    }

    fn outcome(&self, answer: HttpAnswer) -> (Outcome, Report) {
        let content_type = answer.content_type.as_deref();
        let read = oauth::read_answer(
            &self.provider,
            answer.status,
            content_type,
            answer.body.expose(),
        );
        match read {
            Answer::Success(response) => (Outcome::Refreshed(Box::new(response)), Report::Answered),
            Answer::Extended(expiry) => (Outcome::Extended(expiry), Report::Answered),
            Answer::Unreadable(unreadable) => (
                Outcome::Unknown {
                    error: format!("unreadable answer with status {}", unreadable.status),
                    is_likely_served: is_likely_served(&self.provider, unreadable),
                    answer: unreadable.may_hold_tokens().then_some(KeptAnswer {
                        status: answer.status,
                        content_type: answer.content_type,
                        body: answer.body,
                    }),
                },
                Report::ProviderInTrouble(None),
            ),
            Answer::Failure(failure) => {
                let verdict = refresh::classify(&self.provider, &failure);
                let retry_after = answer
                    .retry_after
                    .as_deref()
                    .and_then(|value| refresh::parse_retry_after(value, time::now()));
                let report = Report::of_failure(verdict, answer.status, retry_after);
                let error = describe(&failure);
                let failed = Outcome::Failed {
                    verdict,
                    error,
                    retry_after,
                };
                (failed, report)
            }
        }
    }
}

/// What an answer that was kept says, now that the provider's row may have been mended.
pub enum Reading {
    /// It is understood.
    Understood(Outcome),
    /// Still not; but it looks as if the refresh token was rotated.
    LikelyServed,
    /// Nothing.
    Nothing,
}

/// Reads an answer that was kept.
pub fn read_again(provider: &Provider, kept: &KeptAnswer) -> Reading {
    let content_type = kept.content_type.as_deref();
    match oauth::read_answer(provider, kept.status, content_type, kept.body.expose()) {
        Answer::Success(response) => Reading::Understood(Outcome::Refreshed(Box::new(response))),
        Answer::Extended(expiry) => Reading::Understood(Outcome::Extended(expiry)),
        Answer::Unreadable(unreadable) if is_likely_served(provider, unreadable) => {
            Reading::LikelyServed
        }
        Answer::Failure(_) | Answer::Unreadable(_) => Reading::Nothing,
    }
}

/// Whether the provider has very likely issued tokens, and taken back the refresh token that was sent.
fn is_likely_served(provider: &Provider, unreadable: Unreadable) -> bool {
    unreadable.resembles_tokens && provider.rotates_refresh_token != Rotation::No
}

/// A refusal in a word: the provider's code, or the status.
fn describe(failure: &Failure) -> String {
    match &failure.error {
        Some(code) => code.clone(),
        None => format!("status {}", failure.status),
    }
}
