//! Which tokens are refreshed ahead of time.

use serde::Deserialize;

/// What the owner of a token wants; said for a client, and for single tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefreshPolicy {
    /// Before it expires, used or not.
    #[default]
    Always,
    /// Before it expires if it was used since it was issued; else when it is used again.
    OnUse,
    /// By nobody.
    Never,
}

impl RefreshPolicy {
    /// Every policy.
    pub const ALL: [Self; 3] = [Self::Always, Self::OnUse, Self::Never];

    /// The name in tables and settings.
    pub fn name(self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::OnUse => "on_use",
            Self::Never => "never",
        }
    }

    /// The policy of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|policy| policy.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for policy in RefreshPolicy::ALL {
            assert_eq!(RefreshPolicy::parse(policy.name()), Some(policy));
        }
        assert_eq!(RefreshPolicy::parse("sometimes"), None);
        assert_eq!(RefreshPolicy::default(), RefreshPolicy::Always);
    }
}
