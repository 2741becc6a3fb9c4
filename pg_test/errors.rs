//! How each error reaches a client: SQLSTATE, message, detail and hint, as PostgreSQL's style guide wants them.

#[pgrx::pg_schema]
mod tests {
    use std::collections::HashMap;

    use pgrx::prelude::*;

    use crate::error::{Error, KeySource, Obstacle};

    /// Standard codes (errcodes.h) that our errors share with PostgreSQL's.
    const STANDARD: &[&str] = &[
        "22001", "22004", "22023", "42501", "42704", "53200", "55000", "55006",
    ];

    /// One of each variant, and of each shape of it.
    fn samples() -> Vec<Error> {
        let text = || "text".to_owned();
        vec![
            Error::MissingArgument("argument"),
            Error::InvalidArgument {
                name: "argument",
                problem: "it is empty".into(),
            },
            Error::TooLong {
                name: "argument",
                bytes: 513,
                limit: 512,
            },
            Error::InvalidResponse("it has no access_token".into()),
            Error::TenantMismatch {
                call: text(),
                bound: text(),
            },
            Error::TenantProofRefused {
                problem: "it has expired",
            },
            Error::TenantProofRequired,
            Error::PrivilegeMissing {
                role: text(),
                privilege: "read",
                not_covered: None,
            },
            Error::PrivilegeMissing {
                role: text(),
                privilege: "read",
                not_covered: Some(text()),
            },
            Error::MasterKeyNotConfigured,
            Error::MasterKeyUnusable {
                source: KeySource::File(text()),
                problem: "it is not a regular file".into(),
            },
            Error::MasterKeyUnusable {
                source: KeySource::Command,
                problem: "it ended with exit status 1".into(),
            },
            Error::MasterKeyUnchanged {
                fingerprint: text(),
            },
            Error::NoTenantKey { tenant: text() },
            Error::TenantKeyExists { tenant: text() },
            Error::KeyJustRotated,
            Error::NoKeyMemory { problem: text() },
            Error::WrongMasterKey {
                found: text(),
                wanted: text(),
                failed: None,
            },
            Error::WrongMasterKey {
                found: text(),
                wanted: text(),
                failed: Some(text()),
            },
            Error::MasterKeyExists {
                fingerprint: text(),
            },
            Error::NoDataKey,
            Error::KeyUnavailable {
                key: text(),
                state: "destroyed",
            },
            Error::Undecryptable { what: "the secret" },
            Error::EnvelopeNotAccepted {
                problem: "it is damaged",
            },
            Error::UnknownProvider(text()),
            Error::BuiltInProvider(text()),
            Error::UnknownClient {
                client: text(),
                tenant: None,
            },
            Error::UnknownClient {
                client: text(),
                tenant: Some(text()),
            },
            Error::NoActiveClient { provider: text() },
            Error::AmbiguousClient {
                provider: text(),
                clients: text(),
            },
            Error::ClientInUse {
                client: text(),
                tokens: 1,
            },
            Error::UnknownRole(text()),
            Error::NoSuchToken,
            Error::TokenExpired(Some(Obstacle::Credential)),
            Error::TokenExpired(Some(Obstacle::Policy)),
            Error::TokenExpired(None),
            Error::NotRefreshable(Obstacle::Credential),
            Error::NotRefreshable(Obstacle::Policy),
            Error::ValidityTooLong,
            Error::ReauthorizationRequired { error: None },
            Error::ReauthorizationRequired {
                error: Some("invalid_grant".into()),
            },
            Error::RefreshFailed { error: None },
            Error::RefreshFailed {
                error: Some("transport".into()),
            },
            Error::RefreshTimeout {
                milliseconds: 10_000,
            },
            Error::RefreshUnavailable {
                reason: "this server is a standby".into(),
            },
            Error::RowLockedHere,
            Error::InsecureTransport,
            Error::ReadLimitExceeded {
                whose: text(),
                limit: 60,
            },
            Error::AuditReasonRequired,
            Error::AuditFull,
            Error::AuditImpossible,
            Error::ReencryptionRunning { process: None },
            Error::ReencryptionRunning { process: Some(1) },
            Error::ReencryptionPaused,
        ]
    }

    /// The variant's name. A new variant needs a sample above: the compiler says so here.
    fn variant(error: &Error) -> &'static str {
        macro_rules! names {
            ($($name:ident),* $(,)?) => {
                match error { $(Error::$name { .. } => stringify!($name),)* }
            };
        }
        names!(
            MissingArgument,
            InvalidArgument,
            TooLong,
            InvalidResponse,
            TenantMismatch,
            TenantProofRefused,
            TenantProofRequired,
            PrivilegeMissing,
            MasterKeyNotConfigured,
            MasterKeyUnusable,
            MasterKeyUnchanged,
            NoTenantKey,
            TenantKeyExists,
            KeyJustRotated,
            NoKeyMemory,
            WrongMasterKey,
            MasterKeyExists,
            NoDataKey,
            KeyUnavailable,
            Undecryptable,
            EnvelopeNotAccepted,
            UnknownProvider,
            BuiltInProvider,
            UnknownClient,
            NoActiveClient,
            AmbiguousClient,
            ClientInUse,
            UnknownRole,
            NoSuchToken,
            TokenExpired,
            NotRefreshable,
            ValidityTooLong,
            ReauthorizationRequired,
            RefreshFailed,
            RefreshTimeout,
            RefreshUnavailable,
            RowLockedHere,
            InsecureTransport,
            ReadLimitExceeded,
            AuditReasonRequired,
            AuditFull,
            AuditImpossible,
            ReencryptionRunning,
            ReencryptionPaused,
        )
    }

    #[pg_extern]
    fn raise_sample(number: i32) {
        samples().swap_remove(number as usize).raise();
    }

    /// What a client is told: code, message, detail, hint, and the code of a standard error raised right after.
    fn told(number: usize) -> [String; 5] {
        let row = Spi::get_one_with_args::<Vec<String>>(
            "SELECT tests.told($1)",
            &[(number as i32).into()],
        );
        row.unwrap().unwrap().try_into().unwrap()
    }

    extension_sql!(
        r"CREATE FUNCTION tests.told(number integer) RETURNS text[] LANGUAGE plpgsql AS $$
          DECLARE code text; message text; detail text; hint text; next text;
          BEGIN
              BEGIN
                  PERFORM tests.raise_sample(number);
              EXCEPTION WHEN OTHERS THEN
                  GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
              END;
              BEGIN
                  PERFORM 1 / 0;
              EXCEPTION WHEN OTHERS THEN
                  next := SQLSTATE;
              END;
              RETURN ARRAY[code, message, detail, hint, next];
          END $$;",
        name = "told",
        requires = [raise_sample]
    );

    #[pg_test]
    fn every_variant_has_a_code_of_its_own_or_a_standard_one() {
        let mut owners: HashMap<String, &str> = HashMap::new();
        for (number, sample) in samples().iter().enumerate() {
            let [code, ..] = told(number);
            let name = variant(sample);
            let is_ours = code.len() == 5
                && code.starts_with("TV")
                && code[2..].bytes().all(|digit| digit.is_ascii_digit());
            assert!(
                is_ours || STANDARD.contains(&code.as_str()),
                "{name}: {code}"
            );
            if is_ours {
                assert_eq!(
                    *owners.entry(code.clone()).or_insert(name),
                    name,
                    "two errors have the code {code}"
                );
            }
        }
    }

    #[pg_test]
    fn texts_follow_the_style_guide() {
        for (number, sample) in samples().iter().enumerate() {
            let [code, message, detail, hint, _] = told(number);
            let name = variant(sample);
            let starts_low =
                message.starts_with(|first: char| first.is_lowercase() || first == '"');
            assert!(
                starts_low && !message.ends_with('.') && !message.contains('\n'),
                "{name}: {message}"
            );
            assert!(
                is_sentence(&detail) || detail.is_empty(),
                "{name}: {detail}"
            );
            assert!(
                is_sentence(&hint),
                "{name} ({code}) has no hint, or one that is no sentence: {hint}"
            );
        }
    }

    /// PostgreSQL's style guide wants details and hints to be whole sentences; ours may begin with a function's name.
    fn is_sentence(text: &str) -> bool {
        text.ends_with('.') && (text.starts_with(char::is_uppercase) || text.starts_with("vault."))
    }

    #[pg_test]
    fn a_code_does_not_stick_to_the_next_error() {
        for number in 0..samples().len() {
            assert_eq!(told(number)[4], "22012");
        }
    }
}
