//! Revocation of grants and of single access tokens.

use super::{Position, Refused, Store};
use crate::credential::Handle;
use crate::error::OAuthError;

impl Store {
    /// Revokes a grant. Returns whether there is one of this number.
    pub(crate) fn revoke_family(&mut self, family: u64) -> bool {
        let family = usize::try_from(family)
            .ok()
            .and_then(|family| self.families.get_mut(family));
        family.map(|family| family.revoked = true).is_some()
    }

    /// Revokes what `token` stands for (RFC 7009 §2.1): a refresh token takes its whole grant along, an access token
    /// only itself. Returns the grant; `None` for a token that is unknown, which is no error.
    pub(crate) fn revoke(
        &mut self,
        client_id: &str,
        token: &str,
    ) -> Result<Option<Position>, Refused> {
        let refresh_family = self
            .refresh_tokens
            .get(&Handle::of(token))
            .map(|token| token.family);
        let Some(family) = refresh_family.or_else(|| self.access_tokens.family(token)) else {
            return Ok(None);
        };
        if self.families[family].client_id != client_id {
            return Err(OAuthError::invalid_grant("the token is another client's").into());
        }
        match refresh_family {
            Some(family) => self.families[family].revoked = true,
            None => self.revoke_access_token(token),
        }
        Ok(Some(self.position(family)))
    }
}
