-- From 0.1.0-alpha.1 to 0.1.0. Run by ALTER EXTENSION token_vault UPDATE.

CREATE FUNCTION vault.get_tokens(
    provider TEXT,
    subjects TEXT[],
    tenant TEXT DEFAULT NULL,
    label TEXT DEFAULT '',
    min_validity interval DEFAULT NULL,
    auto_refresh bool DEFAULT true
) RETURNS TABLE (
    subject TEXT,
    access_token TEXT,
    expires_at timestamp with time zone,
    error_code TEXT,
    error TEXT
)
VOLATILE PARALLEL UNSAFE
LANGUAGE c
AS 'MODULE_PATHNAME', 'get_tokens_wrapper';

COMMENT ON FUNCTION vault.get_tokens(text, text[], text, text, interval, boolean) IS
'vault.get_token() for many subjects of a provider in one round trip: one row for each, in their order
Those that have to be refreshed first are refreshed at the same time; the call waits for all of them up to token_vault.refresh_wait.
subjects: at most 1000; one that is named twice gives two rows. The other arguments and the privilege are those of vault.get_token().
access_token is NULL where there is no such token, and where it can''t be had: then error_code is the SQLSTATE that
vault.get_token() would raise (TV010, TV030 to TV036, TV038), and error its message. What is wrong with the call itself (a missing privilege,
a limit, an unknown provider: TV020) is raised. expires_at is NULL where the token is not known to expire.';

-- What is new is open to nobody: neither to PUBLIC nor to a role that default privileges (ALTER DEFAULT PRIVILEGES) name.
-- Roles of the application get their privileges from vault.grant_access(), outside of this script: what a script grants would
-- be missing in dumps.
DO $$
DECLARE
    created pg_catalog.regprocedure;
    holder text;
BEGIN
    FOREACH created IN ARRAY ARRAY[
        'vault.get_tokens(text, text[], text, text, interval, boolean)'
    ]::pg_catalog.regprocedure[] LOOP
        EXECUTE pg_catalog.format('REVOKE ALL ON ROUTINE %s FROM PUBLIC', created);
        FOR holder IN
            SELECT DISTINCT pg_catalog.quote_ident(r.rolname)
            FROM pg_catalog.pg_proc AS p CROSS JOIN LATERAL pg_catalog.aclexplode(p.proacl) AS a
                 JOIN pg_catalog.pg_roles AS r ON r.oid OPERATOR(pg_catalog.=) a.grantee
            WHERE p.oid OPERATOR(pg_catalog.=) created AND a.grantee OPERATOR(pg_catalog.<>) p.proowner
        LOOP
            EXECUTE pg_catalog.format('REVOKE ALL ON ROUTINE %s FROM %s', created, holder);
        END LOOP;
    END LOOP;
    IF EXISTS (SELECT FROM vault.access_rule) THEN
        RAISE NOTICE USING
            MESSAGE = 'roles with access rules have no privileges yet on what is new in this version',
            HINT = 'SELECT vault.grant_access(role, privileges, tenant, provider, subject) FROM vault.access_rules WHERE role_exists';
    END IF;
END
$$;
