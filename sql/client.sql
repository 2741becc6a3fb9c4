-- Our registrations at the providers (RFC 6749 section 2).

CREATE TABLE vault.client (
    id           bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant       text,       -- NULL: shared by all tenants
    name         text        NOT NULL,
    provider     text        NOT NULL,
    client_id    text        NOT NULL,
    scope        text,
    redirect_uri text,
    metadata     jsonb       NOT NULL DEFAULT '{}' CHECK (pg_catalog.jsonb_typeof(metadata) OPERATOR(pg_catalog.=) 'object'),
    active       boolean     NOT NULL DEFAULT true,
    refresh_policy          text    NOT NULL DEFAULT 'always' CHECK (refresh_policy OPERATOR(pg_catalog.=) ANY (ARRAY['always', 'on_use', 'never'])),
    max_concurrent_requests integer CHECK (max_concurrent_requests OPERATOR(pg_catalog.>) 0),
    rate_limit_requests     integer CHECK (rate_limit_requests OPERATOR(pg_catalog.>=) 1 AND rate_limit_requests OPERATOR(pg_catalog.<=) 100000),
    rate_limit_seconds      bigint  NOT NULL DEFAULT 60 CHECK (rate_limit_seconds OPERATOR(pg_catalog.>=) 1 AND rate_limit_seconds OPERATOR(pg_catalog.<=) 86400),
    broken_since timestamptz, -- the provider refuses the client; NULL: it does not, as far as is known
    broken_error text,        -- a code, never the provider's text
    created_at   timestamptz NOT NULL DEFAULT pg_catalog.statement_timestamp(),
    updated_at   timestamptz NOT NULL DEFAULT pg_catalog.statement_timestamp(),
    UNIQUE NULLS NOT DISTINCT (tenant, name)
);
COMMENT ON TABLE vault.client IS 'OAuth clients: our registrations at the providers';
COMMENT ON COLUMN vault.client.metadata IS 'workspace metadata; also fills placeholders in the provider''s URLs and parameters';
COMMENT ON COLUMN vault.client.refresh_policy IS 'always: before a token expires; on_use: only if it was used since it was issued; never';
COMMENT ON COLUMN vault.client.max_concurrent_requests IS 'at most so many requests of this client are under way at once, besides the provider''s limit; NULL: no limit';
COMMENT ON COLUMN vault.client.rate_limit_requests IS 'at most so many requests of this client in any rate_limit_seconds; NULL: no limit';
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
