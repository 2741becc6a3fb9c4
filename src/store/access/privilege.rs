//! The privileges on a vault.

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Privilege {
    /// Get access tokens; reveal encrypted columns.
    Read,
    /// Store and delete tokens; encrypt.
    Write,
    /// Have tokens refreshed now.
    Refresh,
    /// Read refresh tokens and client secrets.
    Export,
    /// Write ciphertext as it is.
    Restore,
    /// Providers, clients, keys, access.
    Admin,
}

impl Privilege {
    pub const ALL: [Privilege; 6] = [
        Privilege::Read,
        Privilege::Write,
        Privilege::Refresh,
        Privilege::Export,
        Privilege::Restore,
        Privilege::Admin,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Privilege::Read => "read",
            Privilege::Write => "write",
            Privilege::Refresh => "refresh",
            Privilege::Export => "export",
            Privilege::Restore => "restore",
            Privilege::Admin => "admin",
        }
    }

    pub fn by_name(name: &str) -> Option<Privilege> {
        Self::ALL
            .into_iter()
            .find(|privilege| privilege.name() == name)
    }
}

/// A set of privileges, one bit each.
#[derive(Clone, Copy, Default)]
pub struct Privileges(u8);

impl Privileges {
    pub const ALL: Privileges = Privileges(u8::MAX);

    /// Names that are none are left out.
    pub fn by_names(names: &[String]) -> Privileges {
        let known = names.iter().filter_map(|name| Privilege::by_name(name));
        Privileges(known.fold(0, |bits, privilege| bits | 1 << privilege as u8))
    }

    pub fn has(self, privilege: Privilege) -> bool {
        self.0 & (1 << privilege as u8) != 0
    }

    pub fn and(self, others: Privileges) -> Privileges {
        Privileges(self.0 | others.0)
    }
}
