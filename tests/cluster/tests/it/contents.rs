//! A vault with something of everything in it, for what copies, moves or upgrades whole databases.

use postgres::Client;
use token_vault_cluster::Result;

use crate::audit_harness::problems;

/// Data of every kind: tokens under two data keys, a tenant's key, client secrets, rules, an encrypted column, the audit log.
pub fn fill(db: &mut Client) -> Result<()> {
    db.batch_execute(
        "DO $$ BEGIN IF to_regrole('web') IS NULL THEN CREATE ROLE web LOGIN; CREATE ROLE ops LOGIN; END IF; END $$;
         SET token_vault.audit = 'all';
         SELECT vault.register_provider('acme', token_endpoint => 'https://acme.example/token');
         SELECT vault.register_client('app', provider => 'acme', client_id => 'app', client_secret => 'cs-1');
         SELECT vault.grant_access('web', '{read,write}');
         SELECT vault.grant_access('ops', '{admin,export,refresh}');
         SELECT vault.store_token('acme', 'alice', 'at-alice', refresh_token => 'rt-alice', expires_in => 86400, client => 'app');
         SELECT vault.create_tenant_key('globex');
         SELECT vault.store_token('acme', 'gina', 'at-gina', tenant => 'globex');
         CREATE TABLE webhook (id bigint PRIMARY KEY, key vault.secret);
         INSERT INTO webhook VALUES (1, 'whsec-1'::text);
         SELECT vault.rotate_key();
         SELECT vault.store_token('acme', 'bob', 'at-bob');
         INSERT INTO webhook VALUES (2, 'whsec-2'::text);
         SELECT vault.get_token('acme', 'alice');
         SELECT vault.audit_seal();
         RESET token_vault.audit",
    )?;
    Ok(())
}

/// Everything that was stored, opened.
pub fn opened(db: &mut Client) -> Result<String> {
    let row = db.query_one(
        "SELECT concat_ws(' ', vault.get_token('acme', 'alice'), vault.get_token('acme', 'bob'),
                vault.get_token('acme', 'gina', tenant => 'globex'),
                (SELECT refresh_token FROM vault.export_token_set('acme', 'alice')),
                (SELECT string_agg(client_secret, ' ') FROM vault.export_client_secrets('app')),
                (SELECT string_agg(vault.reveal(key), ' ' ORDER BY id) FROM webhook),
                (SELECT string_agg(outcome, ' ') FROM vault.verify() WHERE outcome <> 'ok'))",
        &[],
    )?;
    assert_eq!(problems(db)?, Vec::<String>::new());
    Ok(row.get(0))
}

/// What [`opened`] finds of what [`fill`] has stored.
pub const OPENED: &str = "at-alice at-bob at-gina rt-alice cs-1 whsec-1 whsec-2";
