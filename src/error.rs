//! Everything that can go wrong. What a client is told about it stands in `text`; the README's table of errors lists the
//! same codes, and a test compares the two.
//!
//! An error carries names and numbers, never a secret or part of one.

mod text;

use crate::pg::report::{self, Report};

/// The result of the vault's functions.
pub type Result<T> = std::result::Result<T, Error>;

/// Where a master key comes from.
#[derive(Clone, Debug)]
pub enum KeySource {
    File(String),
    Command,
}

/// Why a token can't be refreshed.
#[derive(Clone, Debug)]
pub enum Obstacle {
    /// There is nothing to refresh it with.
    Credential,
    /// Its refresh policy is "never".
    Policy,
}

#[derive(Clone, Debug)]
pub enum Error {
    // Arguments.
    MissingArgument(&'static str),
    InvalidArgument {
        name: &'static str,
        problem: String,
    },
    TooLong {
        name: &'static str,
        bytes: usize,
        limit: usize,
    },
    InvalidResponse(String),
    TenantMismatch {
        /// What the call is about.
        call: String,
        bound: String,
    },
    TenantProofRefused {
        problem: &'static str,
    },
    TenantProofRequired,
    // Rights.
    PrivilegeMissing {
        role: String,
        privilege: &'static str,
        /// What the call is about, if the role has the privilege for something else.
        not_covered: Option<String>,
    },
    // Keys.
    MasterKeyNotConfigured,
    MasterKeyUnusable {
        source: KeySource,
        problem: String,
    },
    WrongMasterKey {
        found: String,
        wanted: String,
        /// What is wrong with another source, which may have the right one.
        failed: Option<String>,
    },
    MasterKeyExists {
        fingerprint: String,
    },
    MasterKeyUnchanged {
        fingerprint: String,
    },
    NoDataKey,
    NoTenantKey {
        tenant: String,
    },
    TenantKeyExists {
        tenant: String,
    },
    KeyJustRotated,
    NoKeyMemory {
        problem: String,
    },
    KeyUnavailable {
        key: String,
        state: &'static str,
    },
    // Envelopes.
    Undecryptable {
        what: &'static str,
    },
    EnvelopeNotAccepted {
        problem: &'static str,
    },
    // Providers and clients.
    UnknownProvider(String),
    BuiltInProvider(String),
    UnknownClient {
        client: String,
        tenant: Option<String>,
    },
    NoActiveClient {
        provider: String,
    },
    AmbiguousClient {
        provider: String,
        clients: String,
    },
    ClientInUse {
        client: String,
        tokens: i64,
    },
    UnknownRole(String),
    // Tokens.
    NoSuchToken,
    /// What keeps a refresh from helping; None: the call does not want one.
    TokenExpired(Option<Obstacle>),
    NotRefreshable(Obstacle),
    ValidityTooLong,
    ReauthorizationRequired {
        error: Option<String>,
    },
    RefreshFailed {
        error: Option<String>,
    },
    RefreshTimeout {
        milliseconds: u128,
    },
    RefreshUnavailable {
        reason: String,
    },
    RowLockedHere,
    // Limits and the audit log.
    InsecureTransport,
    ReadLimitExceeded {
        /// The role or the tenant.
        whose: String,
        limit: u32,
    },
    AuditReasonRequired,
    AuditFull,
    AuditImpossible,
    // Re-encryption.
    ReencryptionRunning {
        process: Option<i32>,
    },
    ReencryptionPaused,
}

impl Error {
    /// Ends the statement with this error.
    pub fn raise(self) -> ! {
        report::raise(self.report())
    }

    /// The message alone, for the row of the token it befell.
    pub fn message(self) -> String {
        self.report().message
    }

    /// SQLSTATE and message, for the row of the token it befell.
    pub fn code_and_message(self) -> (&'static str, String) {
        let report = self.report();
        (report.sqlstate, report.message)
    }

    fn report(self) -> Report {
        let (sqlstate, message, detail, hint) = self.parts();
        Report {
            sqlstate,
            message,
            detail,
            hint: hint.map(str::to_owned),
        }
    }
}

/// Raises the error of a result; the last step of every SQL function.
pub trait OrRaise<T> {
    fn or_raise(self) -> T;
}

impl<T> OrRaise<T> for Result<T> {
    fn or_raise(self) -> T {
        match self {
            Ok(value) => value,
            Err(error) => error.raise(),
        }
    }
}
