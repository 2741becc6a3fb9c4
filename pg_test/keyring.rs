//! The data keys that a backend remembers, and when it forgets them.

#[pgrx::pg_schema]
mod tests {
    use pgrx::prelude::*;
    use token_vault_core::envelope::Context;

    use crate::error::Error;
    use crate::pg::inval::{self, Topic};
    use crate::store::keyring;

    const CONTEXT: Context<'static> = Context::Column { context: "pg_test" };

    fn with_key() {
        Spi::run("SELECT vault.create_master_key() WHERE NOT EXISTS (SELECT FROM vault.key)").unwrap();
    }

    #[pg_test]
    fn a_sealed_value_opens_in_its_context_only() {
        with_key();
        let envelope = keyring::seal("", &CONTEXT, b"plaintext").unwrap();
        assert_eq!(keyring::open(&CONTEXT, &envelope, "it").unwrap().expose(), b"plaintext");
        let elsewhere = keyring::open(&Context::Column { context: "other" }, &envelope, "it");
        assert!(matches!(elsewhere, Err(Error::Undecryptable { what: "it" })));
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
        assert!(matches!(destroyed, Err(Error::KeyUnavailable { state: "destroyed", .. })));
        assert!(matches!(keyring::require_key(""), Err(Error::NoDataKey)));
    }

    #[pg_test]
    fn a_tenant_s_own_key_is_used_for_its_values_only() {
        with_key();
        let shared = keyring::seal("red", &CONTEXT, b"x").unwrap();
        let also_shared = keyring::seal("blue", &CONTEXT, b"x").unwrap();
        let key = |envelope: &[u8]| token_vault_core::envelope::key_id(envelope).unwrap();
        assert_eq!(key(&shared), key(&also_shared));
    }
}
