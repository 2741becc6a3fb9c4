//! From a claim to the requests that are sent for it, and from an answer to its outcome.

use std::rc::Rc;

use token_vault_core::envelope::TokenField;
use token_vault_core::oauth::{
    self, Answer, Client as CoreClient, Expiry, Failure, Grant, Provider, TokenRequest,
    TokenResponse,
};
use token_vault_core::refresh::{self, Verdict};
use token_vault_core::secret::{
    AccessToken, ClientSecret, RefreshToken, SecretBytes, SecretString,
};
use token_vault_http::{CallError, HttpAnswer};

use crate::error::{Error, Result};
use crate::pg::time;
use crate::store::client::{self, Client};
use crate::store::{keyring, provider};
use crate::worker::claim::Claim;

/// A claim with everything its requests need, decrypted. It lives only while the token is in flight.
pub struct Call {
    pub claim: Claim,
    pub provider: Rc<Provider>,
    client: Client,
    /// Secrets not tried yet, the next one first.
    secrets: Vec<ClientSecret>,
    access_token: AccessToken,
    refresh_token: Option<RefreshToken>,
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
    /// The request was sent and no answer came: the provider may have rotated the refresh token.
    Unknown { error: String },
}

/// What to do with an answer.
pub enum Next {
    /// Write this.
    Apply(Outcome),
    /// Send this: the provider refused the client secret, and there is another one.
    Send(TokenRequest),
}

impl Outcome {
    fn misconfigured(error: impl Into<String>) -> Outcome {
        Outcome::Failed {
            verdict: Verdict::Misconfigured,
            error: error.into(),
            retry_after: None,
        }
    }
}

/// Decrypts what the claim's requests need. An error here is the claim's outcome: nothing was sent.
pub fn prepare(claim: Claim) -> std::result::Result<Call, Box<(Claim, Outcome)>> {
    match parts(&claim) {
        Ok((provider, client, secrets, access_token, refresh_token)) => Ok(Call {
            claim,
            provider,
            client,
            secrets,
            access_token,
            refresh_token,
        }),
        Err(error) => {
            let outcome = Outcome::misconfigured(error.message());
            Err(Box::new((claim, outcome)))
        }
    }
}

type Parts = (
    Rc<Provider>,
    Client,
    Vec<ClientSecret>,
    AccessToken,
    Option<RefreshToken>,
);

fn parts(claim: &Claim) -> Result<Parts> {
    let provider = provider::find(&claim.key.provider)?;
    let client = match claim.client {
        Some(id) => client::by_id(id).filter(|client| client.active),
        None => client::only(&claim.key.provider, &claim.key.tenant)?,
    };
    let client = client.ok_or_else(|| Error::NoActiveClient {
        provider: claim.key.provider.clone(),
    })?;
    let mut secrets = client::secrets(&client)?;
    secrets.reverse();
    let access_token = AccessToken::new(open(claim, TokenField::AccessToken, &claim.access_token)?);
    let refresh_token = match &claim.refresh_token {
        Some(envelope) => Some(RefreshToken::new(open(
            claim,
            TokenField::RefreshToken,
            envelope,
        )?)),
        None => None,
    };
    Ok((provider, client, secrets, access_token, refresh_token))
}

fn open(claim: &Claim, field: TokenField, envelope: &[u8]) -> Result<String> {
    let plaintext: SecretBytes = keyring::open(&claim.key.context(field), envelope, "a token")?;
    let text =
        SecretString::try_from(plaintext).map_err(|_| Error::Undecryptable { what: "a token" })?;
    Ok(text.expose().to_owned())
}

impl Call {
    /// The first request.
    pub fn first_request(&mut self) -> std::result::Result<TokenRequest, Outcome> {
        let secret = self.secrets.pop();
        self.request(secret.as_ref())
    }

    fn request(&self, secret: Option<&ClientSecret>) -> std::result::Result<TokenRequest, Outcome> {
        let client = CoreClient {
            client_id: &self.client.client_id,
            client_secret: secret,
            metadata: &self.client.metadata,
        };
        let grant = Grant {
            access_token: Some(&self.access_token),
            refresh_token: self.refresh_token.as_ref(),
            scope: self.claim.scope.as_deref().or(self.client.scope.as_deref()),
            metadata: &self.claim.metadata,
        };
        oauth::refresh_request(&self.provider, &client, &grant)
            .map_err(|problem| Outcome::misconfigured(problem.to_string()))
    }

    /// Judges an answer.
    pub fn judge(&mut self, result: std::result::Result<HttpAnswer, CallError>) -> Next {
        let outcome = match result {
            Ok(answer) => self.outcome(&answer),
            Err(error @ CallError::NotSent(_)) => Outcome::Failed {
                verdict: Verdict::Transient,
                error: error.to_string(),
                retry_after: None,
            },
            Err(error) => Outcome::Unknown {
                error: error.to_string(),
            },
        };
        // Only a refused client lets the next secret be tried: a refused grant would be spent again and again.
        if matches!(
            outcome,
            Outcome::Failed {
                verdict: Verdict::ClientBroken,
                ..
            }
        ) && let Some(secret) = self.secrets.pop()
        {
            return match self.request(Some(&secret)) {
                Ok(request) => Next::Send(request),
                Err(outcome) => Next::Apply(outcome),
            };
        }
        Next::Apply(outcome)
    }

    fn outcome(&self, answer: &HttpAnswer) -> Outcome {
        let read = oauth::read_answer(
            &self.provider,
            answer.status,
            answer.content_type.as_deref(),
            answer.body.expose(),
        );
        match read {
            Answer::Success(response) => Outcome::Refreshed(Box::new(response)),
            Answer::Extended(expiry) => Outcome::Extended(expiry),
            Answer::Unreadable(unreadable) => Outcome::Unknown {
                error: format!("unreadable answer with status {}", unreadable.status),
            },
            Answer::Failure(failure) => Outcome::Failed {
                verdict: refresh::classify(&self.provider, &failure),
                error: describe(&failure),
                retry_after: answer
                    .retry_after
                    .as_deref()
                    .and_then(|value| refresh::parse_retry_after(value, time::now())),
            },
        }
    }
}

/// A refusal in a word: the provider's code, or the status.
fn describe(failure: &Failure) -> String {
    match &failure.error {
        Some(code) => code.clone(),
        None => format!("status {}", failure.status),
    }
}
