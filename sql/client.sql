-- Our registrations at the providers (RFC 6749 section 2).

CREATE TABLE vault.client (
    id           bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant       text,       -- NULL: shared by all tenants
    name         text        NOT NULL,
    provider     text        NOT NULL,
    client_id    text        NOT NULL,
    scope        text,
    redirect_uri text,
    metadata     jsonb       NOT NULL DEFAULT '{}' CHECK (pg_catalog.jsonb_typeof(metadata) = 'object'),
    active       boolean     NOT NULL DEFAULT true,
    created_at   timestamptz NOT NULL DEFAULT pg_catalog.statement_timestamp(),
    updated_at   timestamptz NOT NULL DEFAULT pg_catalog.statement_timestamp(),
    UNIQUE NULLS NOT DISTINCT (tenant, name)
);
COMMENT ON TABLE vault.client IS 'OAuth clients: our registrations at the providers';
COMMENT ON COLUMN vault.client.metadata IS 'workspace metadata; also fills placeholders in the provider''s URLs and parameters';
CREATE INDEX client_provider ON vault.client (provider, tenant);

-- A client has an ordered list of secrets: while one is being replaced at the provider, the next is tried.
CREATE TABLE vault.client_secret (
    client        bigint      NOT NULL REFERENCES vault.client (id) ON DELETE CASCADE,
    position      integer     NOT NULL,
    client_secret bytea       NOT NULL, -- envelope
    created_at    timestamptz NOT NULL DEFAULT pg_catalog.statement_timestamp(),
    PRIMARY KEY (client, position)
);
COMMENT ON TABLE vault.client_secret IS 'client secrets, encrypted, tried in order of position';

SELECT pg_catalog.pg_extension_config_dump('vault.client', '');
SELECT pg_catalog.pg_extension_config_dump('vault.client_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('vault.client_secret', '');
