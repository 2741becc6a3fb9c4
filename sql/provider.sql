-- Authorization servers and their quirks, as data: no provider's name appears in the code. A row of the user's
-- (builtin = false) hides the built-in row of the same name, and only the user's rows are dumped.
-- What each column means is said by its COMMENT in provider_comments.sql.

CREATE TABLE vault.provider (
    name                          text    NOT NULL CHECK (name OPERATOR(pg_catalog.<>) ''),
    builtin                       boolean NOT NULL DEFAULT false,
    display_name                  text,
    issuer                        text,

    -- endpoints: RFC 8414 names; templates with {placeholders}
    authorization_endpoint        text,
    token_endpoint                text    NOT NULL,
    refresh_endpoint              text,
    revocation_endpoint           text,
    introspection_endpoint        text,
    device_authorization_endpoint text,
    userinfo_endpoint             text,
    allowed_hosts                 text[]  NOT NULL DEFAULT '{}',

    -- what an application needs for the first consent
    grant_types                   text[]  NOT NULL DEFAULT '{authorization_code,refresh_token}',
    pkce                          text    NOT NULL DEFAULT 'unknown' CHECK (pkce OPERATOR(pg_catalog.=) ANY (ARRAY['required', 'S256', 'none', 'unknown'])),
    scope_separator               text    NOT NULL DEFAULT ' ' CHECK (scope_separator OPERATOR(pg_catalog.=) ANY (ARRAY[' ', ',', '+'])),
    authorization_parameters      jsonb   NOT NULL DEFAULT '{}' CHECK (pg_catalog.jsonb_typeof(authorization_parameters) OPERATOR(pg_catalog.=) 'object'),
    token_parameters              jsonb   NOT NULL DEFAULT '{}' CHECK (pg_catalog.jsonb_typeof(token_parameters) OPERATOR(pg_catalog.=) 'object'),
    placeholders                  text[]  NOT NULL DEFAULT '{}',

    -- how the client authenticates, and the shape of a refresh request
    token_endpoint_auth_method    text    NOT NULL DEFAULT 'client_secret_basic'
        CHECK (token_endpoint_auth_method OPERATOR(pg_catalog.=) ANY (ARRAY['client_secret_basic', 'client_secret_post', 'none'])),
    basic_username                text    NOT NULL DEFAULT '{client_id}',
    basic_password                text    NOT NULL DEFAULT '{client_secret}',
    basic_form_encoded            boolean NOT NULL DEFAULT true,
    public_clients                boolean NOT NULL DEFAULT false,
    token_request_method          text    NOT NULL DEFAULT 'POST' CHECK (token_request_method OPERATOR(pg_catalog.=) ANY (ARRAY['POST', 'GET'])),
    token_request_format          text    NOT NULL DEFAULT 'form' CHECK (token_request_format OPERATOR(pg_catalog.=) ANY (ARRAY['form', 'json', 'query'])),
    refresh_parameters            jsonb   NOT NULL DEFAULT '{}' CHECK (pg_catalog.jsonb_typeof(refresh_parameters) OPERATOR(pg_catalog.=) 'object'),
    refresh_query_parameters      jsonb   NOT NULL DEFAULT '{}' CHECK (pg_catalog.jsonb_typeof(refresh_query_parameters) OPERATOR(pg_catalog.=) 'object'),
    request_headers               jsonb   NOT NULL DEFAULT '{}' CHECK (pg_catalog.jsonb_typeof(request_headers) OPERATOR(pg_catalog.=) 'object'),
    revocation_parameters         jsonb   NOT NULL DEFAULT '{}' CHECK (pg_catalog.jsonb_typeof(revocation_parameters) OPERATOR(pg_catalog.=) 'object'),

    -- the shape of an answer
    response_objects              text[]  NOT NULL DEFAULT '{""}' CHECK (pg_catalog.cardinality(response_objects) OPERATOR(pg_catalog.>) 0),
    response_fields               jsonb   NOT NULL DEFAULT '{}' CHECK (pg_catalog.jsonb_typeof(response_fields) OPERATOR(pg_catalog.=) 'object'),
    expires_format                text    NOT NULL DEFAULT 'seconds'
        CHECK (expires_format OPERATOR(pg_catalog.=) ANY (ARRAY['seconds', 'minutes', 'milliseconds', 'duration', 'epoch', 'epoch_milliseconds', 'iso8601'])),
    zero_expires_means_never      boolean NOT NULL DEFAULT false,
    default_expires_in            bigint  CHECK (default_expires_in OPERATOR(pg_catalog.>) 0),
    error_fields                  jsonb   NOT NULL DEFAULT '{}' CHECK (pg_catalog.jsonb_typeof(error_fields) OPERATOR(pg_catalog.=) 'object'),
    success_condition             jsonb   CHECK (pg_catalog.jsonb_typeof(success_condition) OPERATOR(pg_catalog.=) 'object'),
    error_verdicts                jsonb   NOT NULL DEFAULT '{}' CHECK (pg_catalog.jsonb_typeof(error_verdicts) OPERATOR(pg_catalog.=) 'object'),

    -- how a grant lives
    refresh_credential            text    NOT NULL DEFAULT 'refresh_token'
        CHECK (refresh_credential OPERATOR(pg_catalog.=) ANY (ARRAY['refresh_token', 'access_token', 'client_credentials', 'none'])),
    refresh_extends_tokens        boolean NOT NULL DEFAULT false,
    rotates_refresh_token         text    NOT NULL DEFAULT 'unknown' CHECK (rotates_refresh_token OPERATOR(pg_catalog.=) ANY (ARRAY['yes', 'no', 'sometimes', 'unknown'])),
    replay_leeway_seconds         bigint  NOT NULL DEFAULT 0 CHECK (replay_leeway_seconds OPERATOR(pg_catalog.>=) 0),
    refresh_token_lifetime        bigint  CHECK (refresh_token_lifetime OPERATOR(pg_catalog.>) 0),
    grant_lifetime                bigint  CHECK (grant_lifetime OPERATOR(pg_catalog.>) 0),
    max_refresh_window_seconds    bigint  CHECK (max_refresh_window_seconds OPERATOR(pg_catalog.>) 0),

    -- what it can bear
    max_concurrent_requests       integer CHECK (max_concurrent_requests OPERATOR(pg_catalog.>) 0),
    rate_limit_requests           integer CHECK (rate_limit_requests OPERATOR(pg_catalog.>=) 1 AND rate_limit_requests OPERATOR(pg_catalog.<=) 100000),
    rate_limit_seconds            bigint  NOT NULL DEFAULT 60 CHECK (rate_limit_seconds OPERATOR(pg_catalog.>=) 1 AND rate_limit_seconds OPERATOR(pg_catalog.<=) 86400),

    notes                         text,
    PRIMARY KEY (name, builtin)
);
COMMENT ON TABLE vault.provider IS 'authorization servers and their quirks; see the view vault.providers';

SELECT pg_catalog.pg_extension_config_dump('vault.provider', 'WHERE NOT builtin');
