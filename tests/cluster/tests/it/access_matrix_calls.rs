//! One call of every function of the vault, with the right that it needs.

/// What a call is about, and so which rules cover it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum About {
    /// A token of subject `ann` at `acme`.
    Token,
    /// What subject `ann` has.
    Subject,
    /// A client at `acme`.
    Client,
    /// A whole tenant.
    Tenant,
    /// A value of type `vault.secret`; the tenant is the session's.
    Value,
    /// A rule for a whole tenant.
    Rule,
    /// The whole vault.
    Vault,
    /// Rows that are looked at one by one: every rule lets in.
    Rows,
    /// It refuses nobody by privilege: says what the caller may do, has a right of its own, or tells no secret.
    Open,
}

/// One call; `{tenant}` is the tenant it is about. What it names is qualified, so that it means the same in any
/// `search_path`.
pub struct Call {
    pub function: &'static str,
    pub sql: &'static str,
    pub privilege: &'static str,
    pub about: About,
}

const fn call(
    function: &'static str,
    privilege: &'static str,
    about: About,
    sql: &'static str,
) -> Call {
    Call {
        function,
        sql,
        privilege,
        about,
    }
}

/// Functions that SQL can't call by themselves: PostgreSQL calls them for values of the type, and they are tried by the
/// casts below and in binary form by column.rs.
pub const NOT_CALLABLE: [&str; 2] = ["secret_recv", "secret_send"];

/// Every function of schema vault, an overloaded one as often as there are of it.
#[rustfmt::skip] // a table
pub const CALLS: &[Call] = &[
    // Tokens
    call("store_token", "write", About::Token, "SELECT vault.store_token('acme', 'ann', 'at', tenant => '{tenant}')"),
    call("store_token_response", "write", About::Token, r#"SELECT vault.store_token_response('acme', 'ann', '{"access_token": "a"}', tenant => '{tenant}')"#),
    call("get_token", "read", About::Token, "SELECT vault.get_token('acme', 'ann', tenant => '{tenant}')"),
    call("get_token_set", "read", About::Token, "SELECT vault.get_token_set('acme', 'ann', tenant => '{tenant}')"),
    call("get_tokens", "read", About::Token, "SELECT vault.get_tokens('acme', ARRAY['ann'], tenant => '{tenant}')"),
    call("authorization_header", "read", About::Token, "SELECT vault.authorization_header('acme', 'ann', tenant => '{tenant}')"),
    call("has_token", "read", About::Token, "SELECT vault.has_token('acme', 'ann', tenant => '{tenant}')"),
    call("is_valid", "read", About::Token, "SELECT vault.is_valid('acme', 'ann', tenant => '{tenant}')"),
    call("token_status", "read", About::Token, "SELECT vault.token_status('acme', 'ann', tenant => '{tenant}')"),
    call("export_token_set", "export", About::Token, "SELECT vault.export_token_set('acme', 'ann', tenant => '{tenant}')"),
    call("delete_token", "write", About::Token, "SELECT vault.delete_token('acme', 'ann', tenant => '{tenant}')"),
    call("delete_subject", "write", About::Subject, "SELECT vault.delete_subject('ann', tenant => '{tenant}')"),
    call("delete_tenant", "admin", About::Tenant, "SELECT vault.delete_tenant('{tenant}')"),
    call("refresh_token", "refresh", About::Token, "SELECT vault.refresh_token('acme', 'ann', tenant => '{tenant}')"),
    call("set_refresh_policy", "write", About::Token, "SELECT vault.set_refresh_policy('acme', 'ann', 'always', tenant => '{tenant}')"),
    call("refresh_due", "refresh", About::Rows, "SELECT vault.refresh_due()"),
    // Clients and providers
    call("register_client", "admin", About::Client, "SELECT vault.register_client('new', 'acme', 'id', tenant => '{tenant}')"),
    call("add_client_secret", "admin", About::Client, "SELECT vault.add_client_secret('app', 's', tenant => '{tenant}')"),
    call("drop_client_secrets", "admin", About::Client, "SELECT vault.drop_client_secrets('app', tenant => '{tenant}')"),
    call("enable_client", "admin", About::Client, "SELECT vault.enable_client('app', tenant => '{tenant}')"),
    call("disable_client", "admin", About::Client, "SELECT vault.disable_client('app', tenant => '{tenant}')"),
    call("drop_client", "admin", About::Client, "SELECT vault.drop_client('app', tenant => '{tenant}')"),
    call("export_client_secrets", "export", About::Client, "SELECT vault.export_client_secrets('app', tenant => '{tenant}')"),
    call("register_provider", "admin", About::Vault, "SELECT vault.register_provider('p', 'https://p.example/')"),
    call("drop_provider", "admin", About::Vault, "SELECT vault.drop_provider('acme')"),
    // Encrypted columns
    call("secret_in", "write", About::Value, "SELECT 'literal'::vault.secret"),
    call("secret_out", "write", About::Value, "SELECT vault.secret_out(vault.seal('x'))"),
    call("secret_from_text", "write", About::Value, "SELECT vault.secret_from_text('x')"),
    call("seal", "write", About::Value, "SELECT vault.seal('x')"),
    call("reveal", "read", About::Value, "SELECT vault.reveal(key) FROM public.webhook"),
    call("envelope_key", "", About::Open, "SELECT vault.envelope_key(key) FROM public.webhook"),
    call("envelope_key", "", About::Open, "SELECT vault.envelope_key('\\x01'::pg_catalog.bytea)"),
    call("is_current", "", About::Open, "SELECT vault.is_current('{tenant}', '\\x01')"),
    // Keys
    call("create_master_key", "admin", About::Vault, "SELECT vault.create_master_key()"),
    call("rotate_master_key", "admin", About::Vault, "SELECT vault.rotate_master_key()"),
    call("rotate_key", "admin", About::Tenant, "SELECT vault.rotate_key('{tenant}')"),
    call("create_tenant_key", "admin", About::Tenant, "SELECT vault.create_tenant_key('{tenant}')"),
    call("shred_tenant", "admin", About::Tenant, "SELECT vault.shred_tenant('{tenant}')"),
    call("verify", "admin", About::Vault, "SELECT vault.verify()"),
    call("key_usage", "admin", About::Vault, "SELECT vault.key_usage()"),
    call("reencrypt", "admin", About::Vault, "CALL vault.reencrypt()"),
    call("pause_reencryption", "admin", About::Vault, "SELECT vault.pause_reencryption()"),
    call("resume_reencryption", "admin", About::Vault, "SELECT vault.resume_reencryption()"),
    // Access and tenants
    call("grant_access", "admin", About::Rule, "SELECT vault.grant_access('nobody', '{read}', tenant => '{tenant}')"),
    call("revoke_access", "admin", About::Rule, "SELECT vault.revoke_access('nobody', tenant => '{tenant}')"),
    call("add_tenant_authority", "admin", About::Vault, "SELECT vault.add_tenant_authority('a', pg_catalog.decode(pg_catalog.repeat('00', 32), 'hex'))"),
    call("drop_tenant_authority", "admin", About::Vault, "SELECT vault.drop_tenant_authority('a')"),
    call("enter_tenant", "", About::Open, "SELECT vault.enter_tenant('{tenant}', 'no proof')"),
    call("can_see", "", About::Open, "SELECT vault.can_see('{tenant}', 'acme', 'ann')"),
    call("can_see_all", "", About::Open, "SELECT vault.can_see_all()"),
    call("can_administer", "", About::Open, "SELECT vault.can_administer()"),
    call("can_grant", "", About::Open, "SELECT vault.can_grant('{tenant}', '*', '*')"),
    call("role_can", "", About::Open, "SELECT vault.role_can('nobody'::pg_catalog.regrole, 'read', '{tenant}', 'acme', 'ann')"),
    // The installation
    call("adopt_installation", "admin", About::Vault, "SELECT vault.adopt_installation()"),
    call("audit_seal", "admin", About::Vault, "SELECT vault.audit_seal()"),
    call("audit_head", "admin", About::Vault, "SELECT vault.audit_head()"),
    call("audit_verify", "admin", About::Vault, "SELECT vault.audit_verify()"),
    call("audit_entries", "", About::Open, "SELECT vault.audit_entries('')"),
    call("status", "admin", About::Vault, "SELECT vault.status()"),
];
