//! What a session wants from the refresher it starts for itself, where there is no standing one. It travels as
//! text, because a background worker is told things by text.

use crate::pg::time::UnixMicros;
use crate::store::schedule::TenantHash;

/// Which tokens to refresh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Errand {
    /// This one, due or not, unless it has a newer generation by then: another session was faster.
    Token { token: i64, generation: i64 },
    /// Those that are due by this time, of one tenant or of all, but not more than so many.
    Due {
        until: UnixMicros,
        limit: usize,
        tenant: Option<TenantHash>,
    },
}

impl Errand {
    pub fn to_text(&self) -> String {
        match self {
            Errand::Token { token, generation } => format!("token {token} {generation}"),
            Errand::Due {
                until,
                limit,
                tenant,
            } => match tenant {
                Some(tenant) => format!("due {until} {limit} {tenant}"),
                None => format!("due {until} {limit}"),
            },
        }
    }

    pub fn parse(text: &str) -> Option<Errand> {
        let words: Vec<&str> = text.split(' ').collect();
        match words[..] {
            ["token", token, generation] => Some(Errand::Token {
                token: token.parse().ok()?,
                generation: generation.parse().ok()?,
            }),
            ["due", until, limit, ref tenant @ ..] if tenant.len() <= 1 => Some(Errand::Due {
                until: until.parse().ok()?,
                limit: limit.parse().ok()?,
                tenant: match tenant.first() {
                    Some(tenant) => Some(tenant.parse().ok()?),
                    None => None,
                },
            }),
            _ => None,
        }
    }
}
