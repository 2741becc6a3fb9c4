-- Who may do what. Roles are kept by name: a rule for a role that does not exist (a restored dump) is inert.

CREATE TABLE vault.access_rule (
    role       text        NOT NULL PRIMARY KEY,
    privileges text[]      NOT NULL
        CHECK (privileges <@ ARRAY['read', 'write', 'refresh', 'export', 'restore', 'admin'] AND pg_catalog.cardinality(privileges) > 0),
    granted_by text        NOT NULL,
    granted_at timestamptz NOT NULL DEFAULT pg_catalog.statement_timestamp()
);
COMMENT ON TABLE vault.access_rule IS 'privileges on the vault, by role';

SELECT pg_catalog.pg_extension_config_dump('vault.access_rule', '');
