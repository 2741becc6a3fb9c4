//! What a rule of access reaches: patterns over tenant, provider and subject.

mod pattern;

pub use pattern::{BadPattern, Pattern};

/// What a call is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource<'a> {
    /// The tokens of one subject at one provider.
    Token {
        /// Whose they are.
        tenant: &'a str,
        /// Who issued them.
        provider: &'a str,
        /// For whom.
        subject: &'a str,
    },
    /// What one subject has at providers that are looked at one by one.
    Subject {
        /// Whose tokens they are.
        tenant: &'a str,
        /// For whom they were issued.
        subject: &'a str,
    },
    /// An OAuth client.
    Client {
        /// None: all tenants share it.
        tenant: Option<&'a str>,
        /// Where it is registered.
        provider: &'a str,
    },
    /// Everything a tenant has.
    Tenant(&'a str),
    /// A value of type `vault.secret`. None: it belongs to no tenant.
    Value(Option<&'a str>),
    /// A rule of access that is granted or revoked.
    Rule(&'a Reach),
    /// What all tenants share: providers, keys, access.
    Vault,
    /// A set whose rows are looked at one by one.
    Rows,
}

impl<'a> Resource<'a> {
    /// The tenant it belongs to; None: to none, or to several.
    pub fn tenant(&self) -> Option<&'a str> {
        match *self {
            Resource::Token { tenant, .. }
            | Resource::Subject { tenant, .. }
            | Resource::Tenant(tenant) => Some(tenant),
            Resource::Client { tenant, .. } | Resource::Value(tenant) => tenant,
            Resource::Rule(reach) => reach.tenant.name(),
            Resource::Vault | Resource::Rows => None,
        }
    }
}

/// What a rule reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reach {
    /// Whose tokens and clients.
    pub tenant: Pattern,
    /// Issued by whom.
    pub provider: Pattern,
    /// For whom.
    pub subject: Pattern,
}

impl Reach {
    /// Whether it reaches the whole of `resource`.
    pub fn covers(&self, resource: &Resource) -> bool {
        match *resource {
            Resource::Token {
                tenant,
                provider,
                subject,
            } => {
                self.tenant.matches(tenant)
                    && self.provider.matches(provider)
                    && self.subject.matches(subject)
            }
            Resource::Subject { tenant, subject } => {
                self.tenant.matches(tenant) && self.subject.matches(subject)
            }
            Resource::Client {
                tenant: Some(tenant),
                provider,
            } => {
                self.tenant.matches(tenant)
                    && self.provider.matches(provider)
                    && self.subject.is_everything()
            }
            Resource::Client {
                tenant: None,
                provider,
            } => {
                self.tenant.is_everything()
                    && self.provider.matches(provider)
                    && self.subject.is_everything()
            }
            Resource::Tenant(tenant) | Resource::Value(Some(tenant)) => {
                self.tenant.matches(tenant)
                    && self.provider.is_everything()
                    && self.subject.is_everything()
            }
            Resource::Rule(reach) => self.contains(reach),
            Resource::Value(None) | Resource::Vault => self.is_everything(),
            Resource::Rows => true,
        }
    }

    /// Whether it reaches everything that `other` reaches.
    pub fn contains(&self, other: &Reach) -> bool {
        self.tenant.contains(&other.tenant)
            && self.provider.contains(&other.provider)
            && self.subject.contains(&other.subject)
    }

    /// Whether it reaches the whole vault.
    pub fn is_everything(&self) -> bool {
        self.tenant.is_everything() && self.provider.is_everything() && self.subject.is_everything()
    }
}

#[cfg(test)]
mod tests {
    use super::{Pattern, Reach, Resource};

    fn reach(tenant: &str, provider: &str, subject: &str) -> Reach {
        let pattern = |text| Pattern::parse(text).expect("a pattern");
        Reach {
            tenant: pattern(tenant),
            provider: pattern(provider),
            subject: pattern(subject),
        }
    }

    const TOKEN: Resource = Resource::Token {
        tenant: "blue",
        provider: "acme",
        subject: "ann",
    };
    const SUBJECT: Resource = Resource::Subject {
        tenant: "blue",
        subject: "ann",
    };
    const CLIENT: Resource = Resource::Client {
        tenant: Some("blue"),
        provider: "acme",
    };
    const SHARED_CLIENT: Resource = Resource::Client {
        tenant: None,
        provider: "acme",
    };
    const TENANT: Resource = Resource::Tenant("blue");
    const VALUE: Resource = Resource::Value(Some("blue"));
    const SHARED_VALUE: Resource = Resource::Value(None);

    /// What each rule reaches, and by omission what not.
    #[test]
    fn what_each_rule_reaches() {
        let all = [
            TOKEN,
            SUBJECT,
            CLIENT,
            SHARED_CLIENT,
            TENANT,
            VALUE,
            SHARED_VALUE,
            Resource::Vault,
            Resource::Rows,
        ];
        let rows = Resource::Rows;
        for (rule, reached) in [
            (reach("*", "*", "*"), &all[..]),
            (
                reach("blue", "*", "*"),
                &[TOKEN, SUBJECT, CLIENT, TENANT, VALUE, rows],
            ),
            (reach("blue", "acme", "*"), &[TOKEN, SUBJECT, CLIENT, rows]),
            (reach("blue", "acme", "ann"), &[TOKEN, SUBJECT, rows]),
            (reach("blue", "*", "ann"), &[TOKEN, SUBJECT, rows]),
            (
                reach("*", "acme", "*"),
                &[TOKEN, SUBJECT, CLIENT, SHARED_CLIENT, rows],
            ),
            (reach("*", "*", "ann"), &[TOKEN, SUBJECT, rows]),
            (reach("blue", "other", "*"), &[SUBJECT, rows]),
            (reach("blue", "*", "bob"), &[rows]),
            (reach("red", "*", "*"), &[rows]),
        ] {
            for resource in all {
                let expected = reached.contains(&resource);
                assert_eq!(rule.covers(&resource), expected, "{rule:?} {resource:?}");
            }
        }
    }

    #[test]
    fn a_rule_contains_what_is_not_wider_in_any_part() {
        let wide = reach("blue*", "*", "*");
        assert!(wide.contains(&wide));
        assert!(wide.covers(&Resource::Rule(&wide)));
        assert!(!wide.covers(&Resource::Rule(&reach("*", "*", "*"))));
        assert!(wide.contains(&reach("blue", "*", "*")));
        assert!(wide.contains(&reach("blue-*", "acme", "ann")));
        assert!(!wide.contains(&reach("*", "acme", "ann")));
        assert!(!reach("blue", "acme", "*").contains(&reach("blue", "*", "*")));
        assert!(!reach("blue", "*", "ann").contains(&reach("blue", "*", "*")));
    }
}
