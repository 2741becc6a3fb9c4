-- Data keys, each wrapped by the master key, which never enters the database.

CREATE TABLE vault.key (
    id                     bigint      NOT NULL PRIMARY KEY, -- random; part of every envelope
    tenant                 text        CHECK (tenant OPERATOR(pg_catalog.<>) ''),  -- NULL: for every tenant without a key of its own
    state                  text        NOT NULL DEFAULT 'active' CHECK (state OPERATOR(pg_catalog.=) ANY (ARRAY['active', 'retired', 'destroyed', 'audit'])),
    wrapped_key            bytea       CHECK ((wrapped_key IS NULL) OPERATOR(pg_catalog.=) (state OPERATOR(pg_catalog.=) 'destroyed')),
    master_key_fingerprint bytea       NOT NULL CHECK (pg_catalog.octet_length(master_key_fingerprint) OPERATOR(pg_catalog.=) 8),
    created_at             timestamptz NOT NULL DEFAULT pg_catalog.statement_timestamp(),
    retired_at             timestamptz,
    destroyed_at           timestamptz,
    unused_since           timestamptz                       -- a scan found no value sealed with it
);
COMMENT ON TABLE vault.key IS 'data keys, wrapped by the master key';
COMMENT ON COLUMN vault.key.state IS 'active, retired, destroyed; audit: ties the entries of the audit log together and seals no values';
COMMENT ON COLUMN vault.key.master_key_fingerprint IS 'tells which master key opens wrapped_key; says nothing about the key itself';

-- New values are sealed with the active key: one for all, and one for each tenant that has its own.
CREATE UNIQUE INDEX key_active ON vault.key (tenant) NULLS NOT DISTINCT WHERE state OPERATOR(pg_catalog.=) 'active';

SELECT pg_catalog.pg_extension_config_dump('vault.key', '');
