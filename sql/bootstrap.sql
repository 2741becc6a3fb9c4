-- What must hold before anything is created. PostgreSQL runs the script in one transaction:
-- an error here leaves nothing behind.

DO $$
DECLARE
    owner name;
BEGIN
    SELECT pg_catalog.pg_get_userbyid(nspowner) INTO owner
    FROM pg_catalog.pg_namespace
    WHERE nspname OPERATOR(pg_catalog.=) 'vault';
    IF FOUND THEN
        RAISE EXCEPTION USING
            ERRCODE = 'duplicate_schema',
            MESSAGE = 'schema "vault" already exists',
            DETAIL = pg_catalog.format('It belongs to role "%s" and is not part of this extension.', owner),
            HINT = 'token_vault needs the schema "vault" for itself. Supabase Vault (extension '
                   '"supabase_vault") uses the same name: install token_vault in another database, or drop or rename that schema.';
    END IF;
    IF pg_catalog.current_setting('server_encoding') OPERATOR(pg_catalog.<>) 'UTF8' THEN
        RAISE EXCEPTION USING
            ERRCODE = 'feature_not_supported',
            MESSAGE = 'token_vault needs a database with encoding UTF8',
            HINT = 'Create the database with ENCODING ''UTF8'' TEMPLATE template0.';
    END IF;
END
$$;

CREATE SCHEMA vault;
COMMENT ON SCHEMA vault IS 'token_vault: OAuth tokens and other credentials, encrypted';
