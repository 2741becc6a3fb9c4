//! What the requests of a batch of claims need, decrypted: each client once, each token for itself.

use std::collections::HashMap;
use std::rc::Rc;

use token_vault_core::envelope::TokenField;
use token_vault_core::oauth::{KeptAnswer, Provider};
use token_vault_core::refresh::{self, RefreshPolicy};
use token_vault_core::secret::{
    AccessToken, ClientSecret, RefreshToken, SecretBytes, SecretString,
};

use crate::error::{Error, Result};
use crate::pg::{random, time};
use crate::store::client::{self, Client};
use crate::store::{keyring, provider};
use crate::worker::apply;
use crate::worker::arrival::Arrival;
use crate::worker::call::{self, Call, Outcome, Reading};
use crate::worker::claim::{self, Claim};

/// A client with its secrets, in the order in which they are tried.
pub struct Credentials {
    pub client: Client,
    pub secrets: Vec<ClientSecret>,
}

/// Clients that were looked up for this batch; by number, or by provider and tenant where the token has none.
#[derive(Default)]
pub struct Preparation {
    clients: HashMap<(Option<i64>, String, String), Rc<Credentials>>,
}

/// What becomes of a claim.
pub enum Prepared {
    /// It is sent.
    Ready(Box<Call>),
    /// Nothing is sent: its outcome is known.
    Settled(Box<Arrival>),
}

impl Preparation {
    /// Decrypts what the claim's requests need. An error is the claim's outcome: nothing was sent.
    pub fn prepare(&mut self, claim: Claim) -> Prepared {
        if let Some(outcome) = leave_alone(&claim, self.policy(&claim)) {
            return settled(claim, None, outcome);
        }
        let provider = match provider::find(&claim.key.provider) {
            Ok(provider) => provider,
            Err(error) => return settled(claim, None, Outcome::misconfigured(error.message())),
        };
        let kept = read_kept(&claim).map(|kept| call::read_again(&provider, &kept));
        match kept {
            Some(Reading::Understood(outcome)) => return settled(claim, Some(provider), outcome),
            Some(Reading::LikelyServed) if !claim.is_dead => {
                if let Some(outcome) = wait_for_mending(&claim) {
                    return settled(claim, None, outcome);
                }
            }
            _ => {}
        }
        if claim.is_dead {
            return settled(claim, None, Outcome::Rested(None));
        }
        match self.parts(&claim) {
            Ok((credentials, access_token, refresh_token)) => Prepared::Ready(Box::new(Call {
                claim,
                provider,
                credentials,
                tried: 0,
                access_token,
                refresh_token,
            })),
            Err(error) => settled(claim, None, Outcome::misconfigured(error.message())),
        }
    }

    /// The token's own policy, or its client's.
    fn policy(&mut self, claim: &Claim) -> RefreshPolicy {
        claim.policy.unwrap_or_else(|| {
            // Without a client the request fails, and says why.
            let credentials = self.credentials(claim).ok();
            credentials.map_or(RefreshPolicy::default(), |found| found.client.policy)
        })
    }

    fn parts(
        &mut self,
        claim: &Claim,
    ) -> Result<(Rc<Credentials>, AccessToken, Option<RefreshToken>)> {
        let credentials = self.credentials(claim)?;
        let access_token = AccessToken::new(open_text(
            claim,
            TokenField::AccessToken,
            &claim.access_token,
        )?);
        let refresh_token = (claim.refresh_token.as_ref())
            .map(|envelope| open_text(claim, TokenField::RefreshToken, envelope))
            .transpose()?
            .map(RefreshToken::new);
        Ok((credentials, access_token, refresh_token))
    }

    fn credentials(&mut self, claim: &Claim) -> Result<Rc<Credentials>> {
        let (provider, tenant) = (&claim.key.provider, &claim.key.tenant);
        let key = match claim.client {
            Some(id) => (Some(id), String::new(), String::new()),
            None => (None, provider.clone(), tenant.clone()),
        };
        if let Some(known) = self.clients.get(&key) {
            return Ok(Rc::clone(known));
        }
        let client = match claim.client {
            Some(id) => client::by_id(id).filter(|client| client.active),
            None => client::only(provider, tenant)?,
        };
        let client = client.ok_or_else(|| Error::NoActiveClient {
            provider: provider.clone(),
        })?;
        let secrets = client::secrets(&client)?;
        let credentials = Rc::new(Credentials { client, secrets });
        self.clients.insert(key, Rc::clone(&credentials));
        Ok(credentials)
    }
}

/// To ask again would end the grant, while mending the provider's row saves it: not as long as the access token lives,
/// and after that in its turn only, not whenever a session asks.
fn wait_for_mending(claim: &Claim) -> Option<Outcome> {
    let now = time::now();
    let lives_until = apply::lives_until(claim, now);
    let until = if claim.is_asked_for {
        claim.was_due_at.max(lives_until)
    } else {
        lives_until
    };
    (claim.is_asked_for || now < lives_until).then_some(Outcome::Rested(Some(until)))
}

fn settled(claim: Claim, provider: Option<Rc<Provider>>, outcome: Outcome) -> Prepared {
    Prepared::Settled(Box::new(Arrival::settled(claim, provider, outcome)))
}

/// Whether the token's policy wants it left alone for now.
fn leave_alone(claim: &Claim, policy: RefreshPolicy) -> Option<Outcome> {
    // Whatever the policy: what was sent needs an outcome, and who asks gets an answer.
    if claim.lost_attempt.is_some() || claim.is_asked_for {
        return None;
    }
    let is_wanted = match policy {
        RefreshPolicy::Always => true,
        RefreshPolicy::OnUse => claim::is_used(claim.token),
        RefreshPolicy::Never => return Some(Outcome::Unwanted(None)),
    };
    if is_wanted {
        return None;
    }
    // An unused token's grant is kept alive all the same.
    let Some(dies_at) = claim.refresh_token_expires_at else {
        return Some(Outcome::Unwanted(None));
    };
    let earliest = refresh::keep_alive_at(claim.issued_at, dies_at, 0);
    (time::now() < earliest).then(|| {
        let at = refresh::keep_alive_at(claim.issued_at, dies_at, random::number());
        Outcome::Unwanted(Some(at))
    })
}

/// The answer that was kept with the token. One that can't be opened any more is as good as none.
fn read_kept(claim: &Claim) -> Option<KeptAnswer> {
    let envelope = claim.unread_answer.as_ref()?;
    let bytes = open(claim, TokenField::UnreadAnswer, envelope).ok()?;
    KeptAnswer::from_bytes(bytes.expose())
}

fn open(claim: &Claim, field: TokenField, envelope: &[u8]) -> Result<SecretBytes> {
    keyring::open(&claim.key.context(field), envelope, "a token")
}

fn open_text(claim: &Claim, field: TokenField, envelope: &[u8]) -> Result<String> {
    let text = SecretString::try_from(open(claim, field, envelope)?)
        .map_err(|_| Error::Undecryptable { what: "a token" })?;
    Ok(text.expose().to_owned())
}
