//! PostgreSQL's own privileges that go with those on the vault: without EXECUTE a role can't even call a
//! function. They open the door; what is behind it is checked by [`crate::store::access`].

use std::collections::HashSet;

use crate::pg::spi::{self, Statement};
use crate::store::access::Privilege;

/// What every role with any privilege gets.
const COMMON: [&str; 3] = [
    "USAGE ON SCHEMA vault",
    "SELECT ON vault.providers",
    "EXECUTE ON FUNCTION vault.enter_tenant",
];

/// Functions, views and types for one privilege.
fn objects(privilege: Privilege) -> &'static [&'static str] {
    match privilege {
        Privilege::Read => &[
            "EXECUTE ON FUNCTION vault.get_token, vault.authorization_header, vault.get_token_set, vault.get_tokens, \
             vault.has_token, vault.is_valid, vault.token_status, vault.reveal, vault.can_see, vault.can_see_all, vault.audit_entries",
            "SELECT ON vault.tokens, vault.clients, vault.attention, vault.audit_log",
            "USAGE ON TYPE vault.secret",
        ],
        Privilege::Write => &[
            "EXECUTE ON FUNCTION vault.store_token, vault.store_token_response, vault.delete_token, \
             vault.delete_subject, vault.set_refresh_policy, vault.seal, vault.secret_from_text",
            "USAGE ON TYPE vault.secret",
        ],
        Privilege::Refresh => &["EXECUTE ON FUNCTION vault.refresh_token, vault.refresh_due"],
        Privilege::Export => {
            &["EXECUTE ON FUNCTION vault.export_token_set, vault.export_client_secrets"]
        }
        // Checked by the type's input.
        Privilege::Restore => &["USAGE ON TYPE vault.secret"],
        Privilege::Admin => &[
            "EXECUTE ON FUNCTION vault.register_provider, vault.drop_provider, vault.register_client, \
             vault.add_client_secret, vault.drop_client_secrets, vault.enable_client, vault.disable_client, \
             vault.drop_client, vault.create_master_key, vault.rotate_key, vault.create_tenant_key, \
             vault.rotate_master_key, vault.shred_tenant, vault.verify, vault.grant_access, vault.revoke_access, \
             vault.adopt_installation, vault.delete_tenant, vault.status, vault.can_administer, vault.can_see, \
             vault.can_see_all, vault.can_grant, vault.add_tenant_authority, vault.drop_tenant_authority, \
             vault.pause_reencryption, vault.resume_reencryption, vault.key_usage, vault.audit_seal, vault.audit_head, \
             vault.audit_verify, vault.audit_entries",
            "EXECUTE ON PROCEDURE vault.reencrypt",
            "SELECT ON vault.tokens, vault.clients, vault.attention, vault.audit_log, vault.keys, vault.access_rules, \
             vault.tenant_authorities, vault.reencryption",
        ],
    }
}

/// Opens the objects of `privileges` to a role that exists.
pub fn open(role: &str, privileges: &[Privilege]) {
    let objects = COMMON.into_iter().chain(
        privileges
            .iter()
            .flat_map(|privilege| objects(*privilege))
            .copied(),
    );
    run(objects, |objects| {
        format!("GRANT {objects} TO {}", quote(role))
    });
}

/// Closes everything to a role, and opens what goes with the privileges it keeps.
pub fn close(role: &str, kept: &[Privilege]) {
    let all = COMMON.into_iter().chain(
        Privilege::ALL
            .into_iter()
            .flat_map(|privilege| objects(privilege))
            .copied(),
    );
    run(all, |objects| {
        format!("REVOKE {objects} FROM {}", quote(role))
    });
    if !kept.is_empty() {
        open(role, kept);
    }
}

/// Runs `statement` for what is there of each list: between the installation of another version's library and ALTER EXTENSION
/// UPDATE, the objects are those of the earlier version.
fn run(lists: impl Iterator<Item = &'static str>, statement: impl Fn(&str) -> String) {
    static NAMES: Statement = Statement::new(
        "SELECT 'vault' UNION ALL SELECT proname::text FROM pg_proc WHERE pronamespace = 'vault'::regnamespace
         UNION ALL SELECT relname::text FROM pg_class WHERE relnamespace = 'vault'::regnamespace
         UNION ALL SELECT typname::text FROM pg_type WHERE typnamespace = 'vault'::regnamespace",
        &[],
    );
    spi::session(|session| {
        let names: Vec<String> = session.query(&NAMES, &[], |row| row.required(1));
        let there: HashSet<&str> = names.iter().map(String::as_str).collect();
        for objects in lists.filter_map(|list| existing(list, &there)) {
            session.run_once(&statement(&objects), &[], &[]);
        }
    });
}

/// `RIGHT ON KIND name, name` with the names that are there.
fn existing(list: &str, there: &HashSet<&str>) -> Option<String> {
    let begin = list.find("vault")?;
    let is_there = |name: &&str| there.contains(name.trim_start_matches("vault."));
    let names: Vec<&str> = list[begin..].split(", ").filter(is_there).collect();
    (!names.is_empty()).then(|| format!("{}{}", &list[..begin], names.join(", ")))
}

fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
