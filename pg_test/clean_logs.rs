//! Which functions take or return secrets: the list that clean logs are made by is complete.

#[pgrx::pg_schema]
mod tests {
    use pgrx::prelude::*;

    use crate::sqlfn::WITH_SECRETS;

    /// Those that don't. A new function is put here or into `WITH_SECRETS`.
    const WITHOUT: &[&str] = &[
        "add_tenant_authority",
        "adopt_installation",
        "audit_entries",
        "audit_head",
        "audit_seal",
        "audit_verify",
        "can_administer",
        "can_grant",
        "can_see",
        "can_see_all",
        "create_master_key",
        "create_tenant_key",
        "delete_subject",
        "delete_tenant",
        "delete_token",
        "disable_client",
        "drop_client",
        "drop_client_secrets",
        "drop_provider",
        "drop_tenant_authority",
        "enable_client",
        "envelope_key",
        "grant_access",
        "has_token",
        "is_current",
        "is_valid",
        "key_usage",
        "pause_reencryption",
        "reencrypt",
        "refresh_due",
        "refresh_token",
        "register_provider",
        "resume_reencryption",
        "revoke_access",
        "role_can",
        "rotate_key",
        "rotate_master_key",
        "secret_in",
        "secret_out",
        "secret_recv",
        "secret_send",
        "set_refresh_policy",
        "shred_tenant",
        "status",
        "token_status",
        "verify",
    ];

    #[pg_test]
    fn each_function_takes_secrets_or_does_not() {
        let listed = "SELECT string_agg(proname, ',' ORDER BY proname COLLATE \"C\")
                      FROM (SELECT DISTINCT proname FROM pg_proc WHERE pronamespace = 'vault'::regnamespace) AS f";
        let listed: String = Spi::get_one(listed).unwrap().unwrap();
        let mut known: Vec<&str> = WITH_SECRETS.iter().chain(WITHOUT).copied().collect();
        known.sort_unstable();
        assert_eq!(listed, known.join(","));
    }
}
