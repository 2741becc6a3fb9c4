//! What a session wants from the refresher it starts for itself, where there is no standing one. It travels as
//! text, because a background worker is told things by text.

use crate::pg::time::UnixMicros;

/// Which tokens to refresh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Errand {
    /// This one, due or not.
    Token(i64),
    /// Those that are due by this time, but not more than so many.
    Due { until: UnixMicros, limit: usize },
}

impl Errand {
    pub fn to_text(&self) -> String {
        match self {
            Errand::Token(token) => format!("token {token}"),
            Errand::Due { until, limit } => format!("due {until} {limit}"),
        }
    }

    pub fn parse(text: &str) -> Option<Errand> {
        match text.split_once(' ')? {
            ("token", token) => Some(Errand::Token(token.parse().ok()?)),
            ("due", rest) => {
                let (until, limit) = rest.split_once(' ')?;
                Some(Errand::Due {
                    until: until.parse().ok()?,
                    limit: limit.parse().ok()?,
                })
            }
            _ => None,
        }
    }
}
