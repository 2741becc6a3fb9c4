//! Authorization codes: single use, short-lived, bound to client, redirect URI and code challenge.

use std::time::{Duration, Instant};

use super::{Granted, Refused, Store};
use crate::credential::{Handle, random_secret, s256_challenge};
use crate::error::OAuthError;
use crate::journal::Outcome;

/// RFC 6749 §4.1.2 recommends ten minutes at most; nobody here has to read a consent page.
const CODE_LIFETIME: Duration = Duration::from_secs(60);

/// What the user has approved.
pub(crate) struct AuthorizationRequest {
    pub client_id: String,
    pub redirect_uri: String,
    pub subject: String,
    pub scope: String,
    /// S256 (RFC 7636).
    pub code_challenge: String,
}

pub(super) struct Code {
    request: AuthorizationRequest,
    expires_at: Instant,
    used: Use,
}

enum Use {
    Unused,
    /// An attempt with the wrong verifier or redirect URI has spent it.
    Burnt,
    /// Exchanged for the grant of this number.
    Exchanged(usize),
}

impl Store {
    /// A code for an approved request.
    pub(crate) fn issue_code(&mut self, request: AuthorizationRequest) -> String {
        let code = random_secret();
        let facts = Code {
            request,
            expires_at: Instant::now() + CODE_LIFETIME,
            used: Use::Unused,
        };
        self.codes.insert(Handle::of(&code), facts);
        self.remember(&code);
        code
    }

    /// Exchanges a code (RFC 6749 §4.1.3). A second use revokes what the first one got (§4.1.2).
    pub(crate) fn redeem_code(
        &mut self,
        client_id: &str,
        code: &str,
        redirect_uri: &str,
        code_verifier: &str,
    ) -> Result<Granted, Refused> {
        let handle = Handle::of(code);
        let known = self
            .codes
            .get_mut(&handle)
            .filter(|code| code.request.client_id == client_id);
        let Some(known) = known else {
            return Err(
                OAuthError::invalid_grant("the code is unknown or another client's").into(),
            );
        };
        match known.used {
            Use::Exchanged(family) => return Err(self.code_reused(family)),
            Use::Burnt => return Err(OAuthError::invalid_grant("the code has been used").into()),
            Use::Unused => known.used = Use::Burnt,
        }
        if known.expires_at <= Instant::now() {
            return Err(OAuthError::invalid_grant("the code has expired").into());
        }
        if known.request.redirect_uri != redirect_uri {
            return Err(OAuthError::invalid_grant(
                "redirect_uri differs from the authorization request's",
            )
            .into());
        }
        if known.request.code_challenge != s256_challenge(code_verifier) {
            return Err(
                OAuthError::invalid_grant("code_verifier does not match the challenge").into(),
            );
        }
        let (subject, scope) = (known.request.subject.clone(), known.request.scope.clone());
        let (family, answer) = self.open_grant(client_id, &subject, &scope);
        if let Some(known) = self.codes.get_mut(&handle) {
            known.used = Use::Exchanged(family);
        }
        Ok(Granted {
            outcome: Outcome::Issued,
            answer,
            position: self.position(family),
        })
    }

    fn code_reused(&mut self, family: usize) -> Refused {
        self.families[family].revoked = true;
        Refused {
            outcome: Outcome::ReuseDetected,
            error: OAuthError::invalid_grant("the code has been used"),
            position: Some(self.position(family)),
        }
    }
}
