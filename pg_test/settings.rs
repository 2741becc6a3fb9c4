//! The settings: who may change each, and when it takes effect.

#[pgrx::pg_schema]
mod tests {
    use pgrx::prelude::*;

    use crate::pg::settings;

    /// Name, context, default, and whether only the server's owner sees it.
    const SETTINGS: &[(&str, &str, Option<&str>, bool)] = &[
        ("token_vault.allowed_networks", "sighup", Some(""), true),
        ("token_vault.audit", "superuser", Some("writes"), false),
        (
            "token_vault.audit_buffer",
            "postmaster",
            Some("4096"),
            false,
        ),
        (
            "token_vault.audit_overflow",
            "superuser",
            Some("write"),
            false,
        ),
        ("token_vault.audit_reason", "user", None, false),
        (
            "token_vault.audit_reason_required",
            "superuser",
            Some("off"),
            false,
        ),
        ("token_vault.audit_retention", "sighup", Some("0"), false),
        ("token_vault.ca_file", "sighup", None, true),
        ("token_vault.clean_logs", "superuser", Some("on"), false),
        ("token_vault.connections", "sighup", Some("16"), false),
        ("token_vault.key_retention", "sighup", Some("0"), false),
        (
            "token_vault.key_rotation_interval",
            "sighup",
            Some("0"),
            false,
        ),
        ("token_vault.master_key_command", "sighup", None, true),
        ("token_vault.master_key_file", "sighup", None, true),
        (
            "token_vault.master_key_timeout",
            "sighup",
            Some("10000"),
            false,
        ),
        ("token_vault.notify_refreshed", "sighup", Some("on"), false),
        (
            "token_vault.previous_master_key_command",
            "sighup",
            None,
            true,
        ),
        ("token_vault.previous_master_key_file", "sighup", None, true),
        ("token_vault.proxy", "sighup", None, true),
        ("token_vault.read_limit", "superuser", Some("0"), false),
        ("token_vault.refresh_enabled", "sighup", Some("on"), false),
        ("token_vault.refresh_wait", "user", Some("10000"), false),
        (
            "token_vault.request_timeout",
            "sighup",
            Some("30000"),
            false,
        ),
        (
            "token_vault.require_secure_transport",
            "sighup",
            Some("on"),
            false,
        ),
        (
            "token_vault.require_tenant_proof",
            "superuser",
            Some("off"),
            false,
        ),
        ("token_vault.tenant", "user", None, false),
        (
            "token_vault.tenant_proof_lifetime",
            "sighup",
            Some("300"),
            false,
        ),
        (
            "token_vault.tenant_read_limit",
            "superuser",
            Some("0"),
            false,
        ),
        (
            "token_vault.unusual_reads",
            "superuser",
            Some("1000"),
            false,
        ),
        (
            "token_vault.wait_on_new_timeline",
            "sighup",
            Some("off"),
            false,
        ),
    ];

    fn shown(query: &str) -> String {
        Spi::get_one(query).unwrap().unwrap_or_default()
    }

    #[pg_test]
    fn each_has_its_context_and_default() {
        let defined = "SELECT string_agg(format('%s|%s|%s', name, context, boot_val), E'\\n' ORDER BY name COLLATE \"C\")
                       FROM pg_settings WHERE name LIKE 'token\\_vault.%'";
        let expected: Vec<String> = SETTINGS
            .iter()
            .map(|(name, context, default, _)| {
                format!("{name}|{context}|{}", default.unwrap_or_default())
            })
            .collect();
        assert_eq!(shown(defined), expected.join("\n"));
    }

    #[pg_test]
    fn where_keys_and_networks_are_is_not_shown_to_everybody() {
        Spi::run("CREATE ROLE test_nobody; SET LOCAL ROLE test_nobody").unwrap();
        let visible = shown(
            "SELECT string_agg(name, E'\\n' ORDER BY name COLLATE \"C\") FROM pg_settings WHERE name LIKE 'token\\_vault.%'",
        );
        let expected: Vec<&str> = SETTINGS
            .iter()
            .filter(|setting| !setting.3)
            .map(|setting| setting.0)
            .collect();
        assert_eq!(visible, expected.join("\n"));
    }

    #[pg_test(error = "parameter \"token_vault.master_key_file\" cannot be changed now")]
    fn no_session_chooses_its_own_key() {
        Spi::run("SET token_vault.master_key_file = '/dev/null'").unwrap();
    }

    #[pg_test]
    fn an_empty_tenant_is_none() {
        Spi::run("SET LOCAL token_vault.tenant = ''").unwrap();
        assert_eq!(settings::tenant(), None);
        Spi::run("SET LOCAL token_vault.tenant = 'blue'").unwrap();
        assert_eq!(settings::tenant().as_deref(), Some("blue"));
    }
}
