-- No CHECK here and below: the server reads its expression anew for each statement, which takes as long as the rest of a
-- small one, and only the vault's own statements write these tables.

-- One row for each (tenant, provider, subject, label). No column that a refresh changes is indexed, and
-- two ciphertexts of 1.2 kB stay inline: updates of this wide row are HOT and reads need no TOAST.

CREATE TABLE vault.token (
    id               bigint      GENERATED ALWAYS AS IDENTITY UNIQUE,
    generation       bigint      NOT NULL DEFAULT 1, -- grows with every change of the credentials
    issued_at        timestamptz NOT NULL,
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL,
    expires_at       timestamptz,                    -- NULL: not known to expire
    refresh_after    timestamptz,                    -- when the refresh window opens; NULL: never refreshed
    state            text        NOT NULL DEFAULT 'active', -- or 'reauthorization_required'
    access_token     bytea       NOT NULL,           -- envelope
    tenant           text        NOT NULL,
    provider         text        NOT NULL,
    subject          text        NOT NULL,
    label            text        NOT NULL DEFAULT '',
    client           bigint      REFERENCES vault.client (id),
    refresh_token    bytea,                          -- envelope
    id_token         bytea,                          -- envelope
    token_type       text,
    scope            text,
    refresh_token_expires_at timestamptz,
    refreshed_at     timestamptz,
    last_error       text,                           -- a code, never the provider's text
    last_error_at    timestamptz,
    metadata         jsonb       NOT NULL DEFAULT '{}',
    response         jsonb       NOT NULL DEFAULT '{}',
    authorized_at    timestamptz NOT NULL,           -- when the refresh token was stored, not refreshed
    refresh_policy   text,                           -- always, on_use or never; NULL: the client's
    unread_answer    bytea,                          -- envelope: an answer that could not be understood
    PRIMARY KEY (tenant, provider, subject, label)
) WITH (toast_tuple_target = 8160, fillfactor = 70);
ALTER TABLE vault.token
    ALTER COLUMN access_token  SET STORAGE MAIN, ALTER COLUMN access_token  SET STATISTICS 0,
    ALTER COLUMN refresh_token SET STORAGE MAIN, ALTER COLUMN refresh_token SET STATISTICS 0,
    ALTER COLUMN id_token      SET STORAGE EXTERNAL, ALTER COLUMN id_token  SET STATISTICS 0,
    ALTER COLUMN unread_answer SET STORAGE EXTERNAL, ALTER COLUMN unread_answer SET STATISTICS 0;
COMMENT ON TABLE vault.token IS 'the tokens that providers issued, encrypted';
COMMENT ON COLUMN vault.token.generation IS 'an answer of the provider is applied only to the generation it was asked for';
COMMENT ON COLUMN vault.token.metadata IS 'connection metadata of the application: ip_address, user_agent and whatever it adds';
COMMENT ON COLUMN vault.token.response IS 'what the provider''s answer carried beside the credentials (instance_url, api_domain, ...)';

COMMENT ON COLUMN vault.token.unread_answer IS 'a provider''s answer that was not understood and may hold a rotated refresh token: read again with the provider''s row as it is then';

CREATE INDEX token_subject ON vault.token (tenant, subject);
CREATE INDEX token_client ON vault.token (client);
CREATE INDEX token_unread_answer ON vault.token (provider) WHERE unread_answer IS NOT NULL;
-- What needs a person is found without reading all tokens. A refresh does not change the state, so updates stay HOT.
CREATE INDEX token_state ON vault.token (state) WHERE state OPERATOR(pg_catalog.<>) 'active';

-- When each token is refreshed, and the intent of a request that is, or may be, under way. Narrow, so that
-- finding what is due costs the same whatever the number of tokens. The tokens of one provider, client and
-- tenant wait in one lane, and the lanes take turns: the upper bits of its number are a hash of provider and
-- client, the lower 16 one of the tenant (see store::schedule).
CREATE TABLE vault.refresh_schedule (
    token              bigint      NOT NULL PRIMARY KEY REFERENCES vault.token (id) ON DELETE CASCADE,
    lane               bigint      NOT NULL,
    due_at             timestamptz NOT NULL,
    failures           integer     NOT NULL DEFAULT 0,
    attempt            bigint,      -- set before a request is sent, cleared with its outcome; so are the other two
    attempt_generation bigint,      -- the generation the request was made with
    attempted_at       timestamptz
) WITH (fillfactor = 70);
COMMENT ON TABLE vault.refresh_schedule IS 'when each token is due for its refresh, and the attempt under way';
CREATE INDEX refresh_schedule_due ON vault.refresh_schedule (lane, due_at);
CREATE SEQUENCE vault.refresh_attempt;
COMMENT ON SEQUENCE vault.refresh_attempt IS 'numbers the requests to providers; shown in log and errors';

-- Written in batches by the worker, not by the readers.
CREATE TABLE vault.token_usage (
    token        bigint      NOT NULL PRIMARY KEY REFERENCES vault.token (id) ON DELETE CASCADE,
    last_used_at timestamptz NOT NULL,
    reads        bigint      NOT NULL
) WITH (fillfactor = 50);
COMMENT ON TABLE vault.token_usage IS 'when each token was last handed out, and how often';

SELECT pg_catalog.pg_extension_config_dump('vault.token', '');
SELECT pg_catalog.pg_extension_config_dump('vault.token_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('vault.refresh_schedule', '');
SELECT pg_catalog.pg_extension_config_dump('vault.refresh_attempt', '');
SELECT pg_catalog.pg_extension_config_dump('vault.token_usage', '');
