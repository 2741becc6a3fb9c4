//! The data keys that a backend remembers, and when it forgets them.

#[pgrx::pg_schema]
mod tests {
    use pgrx::prelude::*;
    use token_vault_core::envelope::{self, Context, KeyId};

    use crate::error::Error;
    use crate::pg::inval::{self, Topic};
    use crate::pg::random;
    use crate::store::{keyring, master_key};

    const CONTEXT: Context<'static> = Context::Column { context: "pg_test" };

    fn with_key() {
        Spi::run("SELECT vault.create_master_key() WHERE NOT EXISTS (SELECT FROM vault.key)")
            .unwrap();
    }

    #[pg_test]
    fn a_sealed_value_opens_in_its_context_only() {
        with_key();
        let envelope = keyring::seal("", &CONTEXT, b"plaintext").unwrap();
        assert_eq!(
            keyring::open(&CONTEXT, &envelope, "it").unwrap().expose(),
            b"plaintext"
        );
        let elsewhere = keyring::open(&Context::Column { context: "other" }, &envelope, "it");
        assert!(matches!(
            elsewhere,
            Err(Error::Undecryptable { what: "it" })
        ));
    }

    #[pg_test]
    fn an_invalidation_drops_the_keys() {
        with_key();
        let envelope = keyring::seal("", &CONTEXT, b"plaintext").unwrap();
        Spi::run("UPDATE vault.key SET state = 'destroyed', wrapped_key = NULL").unwrap();
        // Nobody has been told yet: the key is still in memory ...
        assert!(keyring::open(&CONTEXT, &envelope, "it").is_ok());
        inval::announce(Topic::Keys);
        Spi::run("SELECT 1").unwrap();
        // ... and now it is not.
        let destroyed = keyring::open(&CONTEXT, &envelope, "it");
        assert!(matches!(
            destroyed,
            Err(Error::KeyUnavailable {
                state: "destroyed",
                ..
            })
        ));
        assert!(matches!(keyring::require_key(""), Err(Error::NoDataKey)));
    }

    #[pg_test]
    fn a_tenant_s_own_key_seals_its_values_only() {
        with_key();
        let own = give_key_to("blue");
        let key = |tenant| {
            let envelope = keyring::seal(tenant, &CONTEXT, b"plaintext").unwrap();
            assert_eq!(
                keyring::open(&CONTEXT, &envelope, "it").unwrap().expose(),
                b"plaintext"
            );
            envelope::key_id(&envelope).unwrap()
        };
        assert_eq!(key("blue"), own);
        assert_ne!(key("red"), own);
        assert_eq!(key("red"), key(""));
    }

    fn give_key_to(tenant: &str) -> KeyId {
        let master = master_key::current().unwrap();
        let id = KeyId(i64::from_be_bytes(random::bytes()) & i64::MAX);
        let wrapped = master.wrap(id, tenant, &random::bytes(), &random::bytes());
        let fingerprint = master.fingerprint().to_vec();
        Spi::run_with_args(
            "INSERT INTO vault.key (id, tenant, wrapped_key, master_key_fingerprint) VALUES ($1, $2, $3, $4)",
            &[id.0.into(), tenant.into(), wrapped.into(), fingerprint.into()],
        )
        .unwrap();
        inval::announce(Topic::Keys);
        id
    }
}
