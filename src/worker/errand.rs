//! What a session wants from the refresher it starts for itself, where there is no standing one. It travels as
//! text, because a background worker is told things by text.

use crate::pg::time::UnixMicros;

/// Which tokens to refresh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Errand {
    /// This one, due or not, unless it has a newer generation by then: another session was faster.
    Token { token: i64, generation: i64 },
    /// Those that are due by this time, but not more than so many.
    Due { until: UnixMicros, limit: usize },
}

impl Errand {
    pub fn to_text(&self) -> String {
        match self {
            Errand::Token { token, generation } => format!("token {token} {generation}"),
            Errand::Due { until, limit } => format!("due {until} {limit}"),
        }
    }

    pub fn parse(text: &str) -> Option<Errand> {
        let mut words = text.split(' ');
        let (kind, first, second) = (words.next()?, words.next()?, words.next()?);
        match kind {
            _ if words.next().is_some() => None,
            "token" => Some(Errand::Token {
                token: first.parse().ok()?,
                generation: second.parse().ok()?,
            }),
            "due" => Some(Errand::Due {
                until: first.parse().ok()?,
                limit: second.parse().ok()?,
            }),
            _ => None,
        }
    }
}
