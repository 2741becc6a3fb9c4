//! The comparison of catalogs finds every kind of difference, and nothing where there is none.

use token_vault_cluster::{Cluster, Options, Result};

use crate::catalog::{differences, snapshot};

/// What somebody changes, and the property that must be named.
const CHANGES: [(&str, &str); 62] = [
    // functions and procedures
    ("ALTER FUNCTION vault.has_token IMMUTABLE", ", provolatile: +\"i\""),
    ("ALTER FUNCTION vault.has_token STRICT", "proisstrict"),
    ("ALTER FUNCTION vault.has_token PARALLEL SAFE", "proparallel"),
    ("ALTER FUNCTION vault.has_token LEAKPROOF", "proleakproof"),
    ("ALTER FUNCTION vault.has_token SECURITY DEFINER", "prosecdef"),
    ("ALTER FUNCTION vault.has_token SET search_path = public", "proconfig"),
    ("ALTER FUNCTION vault.has_token COST 7", "procost"),
    ("ALTER FUNCTION vault.status ROWS 7", "prorows"),
    ("ALTER FUNCTION vault.has_token OWNER TO eve", "proowner"),
    ("GRANT EXECUTE ON FUNCTION vault.has_token TO eve", ", proacl: +eve=X/postgres"),
    ("ALTER FUNCTION vault.has_token RENAME TO had_token", "function vault.had_token"),
    ("ALTER FUNCTION vault.has_token SET SCHEMA public", "function public.has_token"),
    ("ALTER PROCEDURE vault.reencrypt SECURITY DEFINER", "procedure vault.reencrypt"),
    ("CREATE OR REPLACE FUNCTION vault.envelope_key(envelope bytea) RETURNS bigint LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
        AS '$libdir/token_vault', 'secret_key_wrapper'", "prosrc"),
    ("CREATE OR REPLACE FUNCTION vault.has_token(provider text, subject text, tenant text DEFAULT 'x', label text DEFAULT '')
        RETURNS boolean LANGUAGE c AS '$libdir/token_vault', 'has_token_wrapper'", "definition"),
    // what is there
    ("ALTER EXTENSION token_vault DROP VIEW vault.attention; DROP VIEW vault.attention", "view vault.attention"),
    ("ALTER EXTENSION token_vault DROP FUNCTION vault.has_token", "function vault.has_token"),
    ("CREATE TABLE vault.more (); ALTER EXTENSION token_vault ADD TABLE vault.more", "table vault.more"),
    ("CREATE OPERATOR vault.+ (LEFTARG = vault.secret, RIGHTARG = text, FUNCTION = vault.f);
      ALTER EXTENSION token_vault ADD OPERATOR vault.+ (vault.secret, text)", "operator vault.+"),
    ("CREATE AGGREGATE vault.most (text) (SFUNC = text_larger, STYPE = text);
      ALTER EXTENSION token_vault ADD AGGREGATE vault.most (text)", "aggfnoid"),
    ("CREATE TYPE vault.kind AS ENUM ('one'); ALTER EXTENSION token_vault ADD TYPE vault.kind", "enumlabel"),
    ("CREATE DOMAIN vault.name AS text CHECK (VALUE <> ''); ALTER EXTENSION token_vault ADD DOMAIN vault.name", "domain constraint"),
    ("ALTER FUNCTION vault.has_token DEPENDS ON EXTENSION plpgsql", "depends on: +x extension plpgsql"),
    // types and casts
    ("ALTER TYPE vault.secret SET (STORAGE = main)", "type vault.secret, typstorage"),
    ("ALTER TYPE vault.secret OWNER TO eve", "typowner"),
    ("GRANT USAGE ON TYPE vault.secret TO eve", "type vault.secret, typacl"),
    ("ALTER EXTENSION token_vault DROP CAST (text AS vault.secret); DROP CAST (text AS vault.secret);
      CREATE CAST (text AS vault.secret) WITH FUNCTION vault.secret_from_text(text) AS IMPLICIT;
      ALTER EXTENSION token_vault ADD CAST (text AS vault.secret)", "castcontext"),
    // views
    ("ALTER VIEW vault.tokens SET (security_barrier = false)", "view vault.tokens, reloptions"),
    ("CREATE OR REPLACE VIEW vault.tenant_authorities WITH (security_barrier) AS
        SELECT name, public_key, added_by, added_at FROM vault.tenant_authority", "rule \"_RETURN\" on vault.tenant_authorities, definition"),
    ("ALTER VIEW vault.tokens OWNER TO eve", "relowner"),
    // tables
    ("ALTER TABLE vault.token ADD COLUMN colour text", "vault.token colour"),
    ("ALTER TABLE vault.audit_run ADD COLUMN colour text; ALTER TABLE vault.audit_run DROP COLUMN since", "vault.audit_run, columns"),
    ("ALTER TABLE vault.installation ALTER COLUMN system_identifier TYPE varchar(99)", "atttypmod"),
    ("ALTER TABLE vault.token ALTER COLUMN access_token DROP NOT NULL", "attnotnull"),
    ("ALTER TABLE vault.token ALTER COLUMN label SET DEFAULT 'x'", "default value for vault.token.label, definition"),
    ("ALTER TABLE vault.token ALTER COLUMN subject SET STORAGE external", "attstorage"),
    ("ALTER TABLE vault.token ALTER COLUMN subject SET COMPRESSION pglz", "attcompression"),
    ("ALTER TABLE vault.token ALTER COLUMN subject SET STATISTICS 7", "attstattarget"),
    ("ALTER TABLE vault.token ALTER COLUMN subject SET (n_distinct = 7)", "vault.token subject, attoptions"),
    ("ALTER TABLE vault.token SET (fillfactor = 77)", "table vault.token, reloptions"),
    ("ALTER TABLE vault.audit_run SET UNLOGGED", "relpersistence"),
    ("ALTER TABLE vault.token REPLICA IDENTITY FULL", "relreplident"),
    ("ALTER TABLE vault.token ENABLE ROW LEVEL SECURITY", "relrowsecurity"),
    ("CREATE POLICY none ON vault.token USING (subject = 'x')", "policy \"none\" on vault.token, definition"),
    ("ALTER TABLE vault.token ADD CONSTRAINT short CHECK (length(subject) < 9)", "table constraint short on vault.token, definition"),
    ("CREATE INDEX more ON vault.token (upper(subject)) WHERE label = ''", "index vault.more, definition"),
    ("CREATE STATISTICS vault.more ON tenant, subject FROM vault.token", "statistics object vault.more"),
    ("CREATE TRIGGER more BEFORE UPDATE ON vault.token FOR EACH ROW WHEN (NEW.label = 'x') EXECUTE FUNCTION suppress_redundant_updates_trigger()",
     "trigger more on vault.token, definition"),
    ("CREATE RULE more AS ON DELETE TO vault.token WHERE OLD.label = 'x' DO INSTEAD NOTHING", "rule more on vault.token, definition"),
    ("CREATE TABLE vault.more PARTITION OF vault.audit_entry FOR VALUES FROM ('2000-01-01') TO ('2000-02-01'); ALTER EXTENSION token_vault ADD TABLE vault.more", "vault.more"),
    ("GRANT SELECT ON vault.token TO eve", "table vault.token, relacl"),
    ("GRANT SELECT (subject) ON vault.token TO eve", "vault.token subject, attacl"),
    ("ALTER TABLE vault.token OWNER TO eve", "table vault.token, depends on the role"),
    ("ALTER SEQUENCE vault.token_id_seq INCREMENT 7", "seqincrement"),
    ("UPDATE vault.provider SET pkce = 'none' WHERE name = 'adobe'", "built-in provider adobe, pkce"),
    // what is said about objects
    ("COMMENT ON FUNCTION vault.has_token IS 'x'", ", description: +\"x\""),
    ("COMMENT ON COLUMN vault.tokens.subject IS 'x'", "vault.tokens.subject, description"),
    ("COMMENT ON SCHEMA vault IS NULL", "schema vault, description"),
    ("GRANT USAGE ON SCHEMA vault TO eve", "schema vault, nspacl"),
    ("UPDATE pg_extension SET extcondition[1] = 'WHERE false' WHERE extname = 'token_vault'", "is dumped: +WHERE false"),
    ("UPDATE pg_extension SET extversion = '0' WHERE extname = 'token_vault'", "extension token_vault, extversion"),
    ("DELETE FROM pg_init_privs WHERE objoid = 'vault.tokens'::regclass", "view vault.tokens, initprivs"),
];

#[test]
fn two_installations_are_the_same() -> Result<()> {
    let cluster = Cluster::start_new(&Options::new().without_fsync().not_preloaded())?;
    let mut one = cluster.create_vault("one")?;
    let mut two = cluster.create_vault("two")?;
    let (one, two) = (snapshot(&mut one)?, snapshot(&mut two)?);
    assert!(one.len() > 10_000, "{} properties", one.len());
    assert_eq!(differences(&one, &two), Vec::<String>::new());
    Ok(())
}

#[test]
fn every_kind_of_difference_is_found() -> Result<()> {
    let cluster = Cluster::start_new(&Options::new().without_fsync().not_preloaded())?;
    let mut db = cluster.create_vault("app")?;
    db.batch_execute(
        "CREATE ROLE eve; GRANT CREATE ON SCHEMA vault TO eve; SET allow_system_table_mods = on;
         CREATE FUNCTION vault.f(vault.secret, text) RETURNS text LANGUAGE sql AS 'SELECT $2'",
    )?;
    let before = snapshot(&mut db)?;
    let mut missed = Vec::new();
    for (change, property) in CHANGES {
        let mut transaction = db.transaction()?;
        match transaction.batch_execute(change) {
            Ok(()) => {
                let found = differences(&before, &snapshot(&mut transaction)?);
                if !found.iter().any(|line| line.contains(property)) {
                    missed.push(format!("{change}: not {property} in {found:#?}"));
                }
            }
            Err(error) => missed.push(format!("{change}: {error:?}")),
        }
        transaction.rollback()?;
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
    Ok(())
}
