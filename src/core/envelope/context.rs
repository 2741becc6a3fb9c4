//! What an envelope is bound to: the associated data of its encryption.
//!
//! A ciphertext that somebody moves to another row, column, tenant or purpose does not open there. Every part is
//! length-prefixed, so that no two contexts share an encoding (`("ab", "c")` and `("a", "bc")` differ).

use super::header::HEADER_LEN;

/// Separates these envelopes from any other use of the same key.
const DOMAIN: &[u8] = b"token_vault envelope 1";

/// The purpose of an envelope and the place it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Context<'a> {
    /// One of the secrets in a row of `vault.token`.
    Token {
        /// The row's tenant.
        tenant: &'a str,
        /// The row's provider.
        provider: &'a str,
        /// The row's subject.
        subject: &'a str,
        /// The row's label; empty for the first token of a grant.
        label: &'a str,
        /// Which of the row's secrets.
        field: TokenField,
    },
    /// A client secret.
    ClientSecret {
        /// Tenant the client belongs to; empty for a shared client.
        tenant: &'a str,
        /// Name of the client.
        client: &'a str,
        /// Provider the client is registered at.
        provider: &'a str,
    },
    /// A value of type `vault.secret` in a user's table.
    Column {
        /// The context the user named; empty by default.
        context: &'a str,
    },
    /// A data key, wrapped by the master key.
    DataKey {
        /// Tenant the key belongs to; empty for the shared key.
        tenant: &'a str,
    },
    /// A master key that a command printed, kept in shared memory while the server runs. Never stored.
    MasterKey {
        /// The command.
        source: &'a str,
    },
}

/// The secrets of one token row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenField {
    /// `access_token`
    AccessToken,
    /// `refresh_token`
    RefreshToken,
    /// `id_token`
    IdToken,
    /// `unread_answer`: an answer to a refresh that was not understood.
    UnreadAnswer,
}

impl Context<'_> {
    /// The associated data of an envelope with this header in this context.
    pub(super) fn associated_data(&self, header: &[u8; HEADER_LEN]) -> Vec<u8> {
        match *self {
            Self::Token {
                tenant,
                provider,
                subject,
                label,
                field,
            } => {
                let field = [field.code()];
                let parts = [tenant, provider, subject, label].map(str::as_bytes);
                encode(header, 1, &[parts[0], parts[1], parts[2], parts[3], &field])
            }
            Self::ClientSecret {
                tenant,
                client,
                provider,
            } => encode(
                header,
                2,
                &[tenant.as_bytes(), client.as_bytes(), provider.as_bytes()],
            ),
            Self::Column { context } => encode(header, 3, &[context.as_bytes()]),
            Self::DataKey { tenant } => encode(header, 4, &[tenant.as_bytes()]),
            // 5 is not in use.
            Self::MasterKey { source } => encode(header, 6, &[source.as_bytes()]),
        }
    }
}

impl TokenField {
    /// All of them, in the order of the row's columns.
    pub const ALL: [TokenField; 4] = [
        Self::AccessToken,
        Self::RefreshToken,
        Self::IdToken,
        Self::UnreadAnswer,
    ];

    fn code(self) -> u8 {
        match self {
            Self::AccessToken => 1,
            Self::RefreshToken => 2,
            Self::IdToken => 3,
            Self::UnreadAnswer => 4,
        }
    }
}

/// Domain, header and purpose have fixed lengths; the parts that follow carry theirs.
fn encode(header: &[u8; HEADER_LEN], purpose: u8, parts: &[&[u8]]) -> Vec<u8> {
    let variable: usize = parts.iter().map(|part| size_of::<u32>() + part.len()).sum();
    let mut data = Vec::with_capacity(DOMAIN.len() + HEADER_LEN + 1 + variable);
    data.extend_from_slice(DOMAIN);
    data.extend_from_slice(header);
    data.push(purpose);
    for part in parts {
        let length = u32::try_from(part.len())
            .expect("names come from PostgreSQL values, which end at 1 GiB");
        data.extend_from_slice(&length.to_be_bytes());
        data.extend_from_slice(part);
    }
    data
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoding_is_fixed_for_all_time() {
        let context = Context::Token {
            tenant: "default",
            provider: "p",
            subject: "user-42",
            label: "",
            field: TokenField::RefreshToken,
        };
        let header = [1, 1, 0, 0, 0, 0, 0, 0, 0, 7];
        let expected = b"token_vault envelope 1\x01\x01\0\0\0\0\0\0\0\x07\x01\
            \0\0\0\x07default\0\0\0\x01p\0\0\0\x07user-42\0\0\0\0\0\0\0\x01\x02";
        assert_eq!(context.associated_data(&header), expected);
    }
}
