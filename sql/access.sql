-- Who may do what. Roles are kept by name: a rule for a role that does not exist (a restored dump) is inert.

CREATE TABLE vault.access_rule (
    role       text        NOT NULL,
    tenant     text        NOT NULL DEFAULT '*', -- patterns: * is any text, \ takes the next character as it is
    provider   text        NOT NULL DEFAULT '*',
    subject    text        NOT NULL DEFAULT '*',
    privileges text[]      NOT NULL
        CHECK (privileges OPERATOR(pg_catalog.<@) ARRAY['read', 'write', 'refresh', 'export', 'restore', 'admin'] AND pg_catalog.cardinality(privileges) OPERATOR(pg_catalog.>) 0),
    granted_by text        NOT NULL,
    granted_at timestamptz NOT NULL DEFAULT pg_catalog.statement_timestamp(),
    PRIMARY KEY (role, tenant, provider, subject)
);
COMMENT ON TABLE vault.access_rule IS 'privileges on the vault, by role, for what the patterns reach';

SELECT pg_catalog.pg_extension_config_dump('vault.access_rule', '');

-- Whose signatures let a session enter a tenant. Public keys only: nothing here is secret.
CREATE TABLE vault.tenant_authority (
    name       text        NOT NULL PRIMARY KEY,
    public_key bytea       NOT NULL CHECK (pg_catalog.octet_length(public_key) OPERATOR(pg_catalog.=) 32),
    added_by   text        NOT NULL,
    added_at   timestamptz NOT NULL DEFAULT pg_catalog.statement_timestamp()
);
COMMENT ON TABLE vault.tenant_authority IS 'Ed25519 public keys (RFC 8032) of those who prove that a session may act for a tenant';

SELECT pg_catalog.pg_extension_config_dump('vault.tenant_authority', '');
