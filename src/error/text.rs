//! What a client is told: SQLSTATE, message, detail and hint, in PostgreSQL's style, in one place.

use super::{Error, KeySource, Obstacle};

/// SQLSTATE, message, detail, hint.
pub(super) type Parts = (&'static str, String, Option<String>, Option<&'static str>);

impl Error {
    pub(super) fn parts(self) -> Parts {
        use Error::*;
        match self {
            MissingArgument(name) => (
                "22004",
                format!("\"{name}\" must not be null"),
                None,
                Some("Give it a value, or leave it out where it has a default."),
            ),
            InvalidArgument { name, problem } => (
                "22023",
                format!("invalid value for \"{name}\": {problem}"),
                None,
                Some("The function's comment (\\df+ in psql) says what it accepts."),
            ),
            TooLong { name, bytes, limit } => (
                "22001",
                format!("\"{name}\" is too long"),
                Some(format!(
                    "It has {bytes} bytes; at most {limit} are allowed."
                )),
                Some("Pass a shorter value."),
            ),
            InvalidResponse(problem) => (
                "TV040",
                format!("not a token response: {problem}"),
                None,
                Some("Pass the provider's JSON answer as it came (RFC 6749, section 5.1)."),
            ),
            TenantMismatch { call, bound } => (
                "TV041",
                format!("this session is bound to tenant \"{bound}\""),
                Some(format!("The call is about {call}.")),
                Some(
                    "Leave the tenant out, change token_vault.tenant, or enter the other tenant with a proof.",
                ),
            ),
            TenantProofRefused { problem } => (
                "TV042",
                format!("the proof for the tenant is not accepted: {problem}"),
                None,
                Some(
                    "Have the application sign a new one, with the key of a tenant authority (vault.tenant_authorities).",
                ),
            ),
            TenantProofRequired => (
                "TV043",
                "this session has entered no tenant".into(),
                Some("The setting token_vault.require_tenant_proof is on.".into()),
                Some("Call vault.enter_tenant() with a proof first."),
            ),
            PrivilegeMissing {
                role,
                privilege,
                not_covered,
            } => (
                "42501",
                match &not_covered {
                    None => {
                        format!("role \"{role}\" has no privilege \"{privilege}\" on the vault")
                    }
                    Some(_) => format!("role \"{role}\" has no privilege \"{privilege}\" for this"),
                },
                not_covered.map(|call| {
                    format!("The call is about {call}, which none of its rules covers.")
                }),
                Some("An administrator can grant it with vault.grant_access()."),
            ),
            MasterKeyNotConfigured => (
                "TV001",
                "no master key is configured".into(),
                None,
                Some(
                    "Set token_vault.master_key_file to a path outside the data directory, or token_vault.master_key_command to a command that prints the key, and reload.",
                ),
            ),
            MasterKeyUnusable {
                source: KeySource::File(path),
                problem,
            } => (
                "TV002",
                format!("the master key file \"{path}\" can't be used: {problem}"),
                None,
                Some(
                    "Restore the file: 32 bytes as hex or base64, readable only by the server's operating system user (mode 0600 or 0400). For a new vault, vault.create_master_key() writes one.",
                ),
            ),
            MasterKeyUnusable {
                source: KeySource::Command,
                problem,
            } => (
                "TV002",
                format!("the master key command failed: {problem}"),
                None,
                Some(
                    "Run the command by hand as the server's operating system user: it must print 32 bytes as hex or base64 in one line, and end with status 0 within token_vault.master_key_timeout.",
                ),
            ),
            WrongMasterKey {
                found,
                wanted,
                failed,
            } => (
                "TV003",
                "the configured master key is not the one this database was encrypted with".into(),
                Some(match failed {
                    None => format!("Its fingerprint is {found}; the data keys need {wanted}."),
                    Some(failed) => format!(
                        "Its fingerprint is {found}; the data keys need {wanted}. Another source failed: {failed}."
                    ),
                }),
                Some(
                    "Configure the master key with the fingerprint that is needed. While it is being replaced, name the old one in token_vault.previous_master_key_file or token_vault.previous_master_key_command.",
                ),
            ),
            MasterKeyExists { fingerprint } => (
                "TV005",
                "this vault has a master key already".into(),
                Some(format!("Its fingerprint is {fingerprint}.")),
                Some("There is nothing to do: every value is sealed under it."),
            ),
            MasterKeyUnchanged { fingerprint } => (
                "TV009",
                "every data key is wrapped by the configured master key already".into(),
                Some(format!("Its fingerprint is {fingerprint}.")),
                Some(
                    "To replace it, name the new key in token_vault.master_key_file (a new file is written) or token_vault.master_key_command, the old one in token_vault.previous_master_key_file or token_vault.previous_master_key_command, reload, and call this again.",
                ),
            ),
            NoTenantKey { tenant } => (
                "TV007",
                format!("tenant \"{tenant}\" has no data key of its own"),
                Some("Its values are sealed with the key that all tenants share.".into()),
                Some(
                    "vault.create_tenant_key() gives it one; vault.delete_tenant() deletes its tokens.",
                ),
            ),
            TenantKeyExists { tenant } => (
                "TV008",
                format!("tenant \"{tenant}\" has a data key of its own already"),
                None,
                Some("vault.rotate_key(tenant => '...') replaces it."),
            ),
            KeyJustRotated => (
                "TV012",
                "another session has just replaced this key".into(),
                None,
                Some("There is nothing to do, or call this again to replace the newest one."),
            ),
            NoKeyMemory { problem } => (
                "53200",
                format!("no protected memory for keys: {problem}"),
                None,
                Some("Free memory on the server, and try again."),
            ),
            NoDataKey => (
                "TV004",
                "the vault has no encryption key yet".into(),
                None,
                Some("An administrator creates it once with SELECT vault.create_master_key()."),
            ),
            KeyUnavailable { key, state } => (
                "TV006",
                format!("data key {key} is {state}"),
                None,
                Some(
                    "Values sealed with it can't be read in this database. The backup that a value came from has its key in vault.key.",
                ),
            ),
            Undecryptable { what } => (
                "TV010",
                format!("{what} can't be decrypted"),
                Some(
                    "The value is damaged, or was moved here from another row, column or vault."
                        .into(),
                ),
                Some("Restore the value from a backup, or store it again."),
            ),
            EnvelopeNotAccepted { problem } => (
                "TV011",
                format!("an encrypted value is not accepted as input: {problem}"),
                None,
                Some(
                    "Pass the plaintext. Restoring ciphertext needs the privilege \"restore\"; vault.seal() encrypts any text, also one that begins with \"tv1.\".",
                ),
            ),
            UnknownProvider(name) => (
                "TV020",
                format!("unknown provider \"{name}\""),
                None,
                Some("vault.providers lists the providers; vault.register_provider() adds one."),
            ),
            BuiltInProvider(name) => (
                "TV025",
                format!("provider \"{name}\" is built in"),
                None,
                Some(
                    "Built-in providers can't be dropped; vault.register_provider() overrides one.",
                ),
            ),
            UnknownClient { client, tenant } => (
                "TV021",
                match tenant {
                    Some(tenant) => format!("unknown client \"{client}\" for tenant \"{tenant}\""),
                    None => format!("unknown client \"{client}\""),
                },
                None,
                Some(
                    "vault.clients lists the clients; vault.register_client() adds one. A disabled client is not used.",
                ),
            ),
            NoActiveClient { provider } => (
                "TV024",
                format!("provider \"{provider}\" has no active client"),
                None,
                Some(
                    "Register one with vault.register_client(), or enable it with vault.enable_client().",
                ),
            ),
            AmbiguousClient { provider, clients } => (
                "TV022",
                format!("provider \"{provider}\" has several clients"),
                Some(format!("Clients: {clients}.")),
                Some("Name the one that obtained the token: client => '...'."),
            ),
            ClientInUse { client, tokens } => (
                "TV023",
                format!("client \"{client}\" is in use"),
                Some(format!("Tokens obtained with it: {tokens}.")),
                Some("Delete those tokens first, or disable the client."),
            ),
            UnknownRole(name) => (
                "42704",
                format!("role \"{name}\" does not exist"),
                None,
                Some("Create the role first; names are taken as they are, in exact case."),
            ),
            NoSuchToken => (
                "TV035",
                "there is no such token".into(),
                None,
                Some("vault.tokens lists the tokens."),
            ),
            TokenExpired(obstacle) => (
                "TV030",
                "the access token has expired".into(),
                Some(match &obstacle {
                    Some(obstacle) => obstacle.detail().into(),
                    None => "The call says not to wait for a refresh.".into(),
                }),
                Some(match obstacle {
                    Some(Obstacle::Credential) => "Re-authorize the user and store the new token.",
                    Some(Obstacle::Policy) => ALLOW_REFRESH,
                    None => "Leave out auto_refresh => false, or call vault.refresh_token().",
                }),
            ),
            NotRefreshable(obstacle) => (
                "TV037",
                "the token can't be refreshed".into(),
                Some(obstacle.detail().into()),
                Some(match obstacle {
                    Obstacle::Credential => {
                        "Re-authorize the user before it expires, and store the new token."
                    }
                    Obstacle::Policy => ALLOW_REFRESH,
                }),
            ),
            ValidityTooLong => (
                "TV038",
                "the provider's tokens don't live as long as min_validity".into(),
                None,
                Some("Ask for a shorter min_validity."),
            ),
            ReauthorizationRequired { error } => (
                "TV031",
                "the provider no longer accepts this grant".into(),
                error.map(|error| format!("Its answer was \"{error}\".")),
                Some("Re-authorize the user and store the new token."),
            ),
            RefreshFailed { error } => (
                "TV032",
                "the token could not be refreshed".into(),
                error.map(|error| format!("Last error: {error}.")),
                Some("It is tried again later; vault.tokens shows when, and the last error."),
            ),
            RefreshTimeout { milliseconds } => (
                "TV033",
                format!("the token was not refreshed within {milliseconds} ms"),
                None,
                Some("The refresh goes on. Try again, or raise token_vault.refresh_wait."),
            ),
            RefreshUnavailable { reason } => (
                "TV034",
                format!("the token can't be refreshed here: {reason}"),
                None,
                Some("vault.status() shows what is missing."),
            ),
            RowLockedHere => (
                "TV036",
                "the token can't be refreshed while this transaction has changed it".into(),
                None,
                Some("Commit first."),
            ),
            InsecureTransport => (
                "TV050",
                "secrets are not handed out over this connection, which is not encrypted".into(),
                Some("The setting token_vault.require_secure_transport is on.".into()),
                Some("Connect with TLS (sslmode=require), or through a Unix socket or the loopback."),
            ),
            ReadLimitExceeded { whose, limit } => (
                "TV051",
                format!("{whose} has read too many secrets in a minute"),
                Some(format!("The limit is {limit}.")),
                Some("Wait a moment; or an administrator raises token_vault.read_limit or token_vault.tenant_read_limit."),
            ),
            AuditReasonRequired => (
                "TV052",
                "secrets are handed out only to sessions that say why".into(),
                Some("The setting token_vault.audit_reason_required is on.".into()),
                Some("SET token_vault.audit_reason to a ticket, a job or a person's words first."),
            ),
            AuditFull => (
                "TV053",
                "the audit log can't take this read now".into(),
                Some("The buffer is full, and token_vault.audit_overflow is \"fail\".".into()),
                Some("Try again; if it stays so, see the server's log, and raise token_vault.audit_buffer."),
            ),
            AuditImpossible => (
                "TV054",
                "this read can't be written into the audit log".into(),
                Some("It would have to be written by this transaction, which is read-only or part of a parallel query.".into()),
                Some("Read in another transaction; with the library in shared_preload_libraries, the buffer takes the entry."),
            ),
            ReencryptionRunning { process } => (
                "55006",
                match process {
                    Some(process) => {
                        format!("re-encryption is running in process {process} already")
                    }
                    None => "re-encryption is running in another process already".into(),
                },
                None,
                Some("vault.reencryption shows how far it is."),
            ),
            ReencryptionPaused => (
                "55000",
                "re-encryption is paused".into(),
                None,
                Some("Let it go on with SELECT vault.resume_reencryption()."),
            ),
        }
    }
}

const ALLOW_REFRESH: &str = "Change the policy of the token with vault.set_refresh_policy(), or that of its client with vault.register_client().";

impl Obstacle {
    fn detail(&self) -> &'static str {
        match self {
            Obstacle::Credential => "It has no refresh token, or its provider has no refresh.",
            Obstacle::Policy => "Its refresh policy is \"never\".",
        }
    }
}
