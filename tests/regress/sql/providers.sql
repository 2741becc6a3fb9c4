-- Built-in providers, registered ones, and one in place of the other.
\a \t
-- The built-in ones are complete enough to be used: https everywhere, known methods.
SELECT name FROM vault.providers
WHERE builtin AND NOT (token_endpoint LIKE 'https://%' AND coalesce(authorization_endpoint, 'https://') LIKE 'https://%'
                       AND coalesce(revocation_endpoint, 'https://') LIKE 'https://%');
SELECT count(*), count(DISTINCT name) FROM vault.providers WHERE builtin;
-- Tokens can be stored for every one of them: the rows are understood.
SELECT count(vault.store_token(name, 'user-1', 'access')) = count(*) FROM vault.providers WHERE builtin;
SELECT vault.delete_tenant('default') > 0;

SELECT vault.register_provider('mine', 'https://auth.mine.example/token');
SELECT name, builtin, token_endpoint, token_endpoint_auth_method, scope_separator, expires_format, rotates_refresh_token FROM vault.providers WHERE name = 'mine';
-- Again: what is given counts, the rest is the default again.
SELECT vault.register_provider('mine', 'https://auth.mine.example/oauth/token', 'https://auth.mine.example/authorize',
    'https://auth.mine.example/revoke', 'client_secret_post', 'https://auth.mine.example', 'Mine',
    '{"scope_separator": ",", "default_expires_in": 600, "placeholders": ["region"], "notes": null}');
SELECT token_endpoint, authorization_endpoint, revocation_endpoint, token_endpoint_auth_method, issuer, display_name, scope_separator,
       default_expires_in, placeholders, notes FROM vault.providers WHERE name = 'mine';
SELECT vault.register_provider(token_endpoint => 'https://auth.mine.example/token', name => 'mine');
SELECT token_endpoint, authorization_endpoint, scope_separator, default_expires_in FROM vault.providers WHERE name = 'mine';

-- One of a built-in name hides the built-in one until it is dropped. Other sessions see it at once, so do cached plans.
SELECT builtin FROM vault.providers WHERE name = 'github';
SELECT vault.register_provider('github', 'https://github.acme.example/token', settings => '{"default_expires_in": 60}');
SELECT builtin, token_endpoint FROM vault.providers WHERE name = 'github';
SELECT vault.store_token('github', 'user-1', 'access');
SELECT expires_at - issued_at FROM vault.tokens WHERE provider = 'github';
SELECT vault.drop_provider('github');
SELECT builtin FROM vault.providers WHERE name = 'github';
SELECT vault.store_token('github', 'user-1', 'access');
SELECT expires_at IS NULL FROM vault.tokens WHERE provider = 'github';
SELECT vault.drop_provider('github');
\echo :SQLSTATE

-- A registration that is rolled back is forgotten by the session's cache too.
BEGIN;
SELECT vault.register_provider('passing', 'https://passing.example/token');
SELECT vault.has_token('passing', 'user-1');
ROLLBACK;
SELECT vault.has_token('passing', 'user-1');
\echo :SQLSTATE

-- What is refused, and leaves the earlier row as it was.
SELECT vault.register_provider('mine', 'http://auth.mine.example/token');
\echo :SQLSTATE
SELECT vault.register_provider('mine', 'https://auth.mine.example/token', settings => '{"token_endpiont": "x"}');
\echo :SQLSTATE
SELECT outcome(format('SELECT vault.register_provider(%L, %L, settings => %L)', 'mine', 'https://auth.mine.example/token', settings)) AS sqlstate, settings
FROM unnest(ARRAY[
    '[]', '{"builtin": true}', '{"pkce": "maybe"}', '{"default_expires_in": -4}', '{"default_expires_in": "soon"}', '{"allowed_hosts": "x"}',
    '{"response_objects": ["x"]}', '{"response_objects": []}', '{"response_fields": {"nope": "/x"}}', '{"error_verdicts": {"x": "sometimes"}}',
    '{"expires_format": "fortnights"}', '{"refresh_parameters": []}', '{"refresh_endpoint": "http://plain.example/"}']) AS settings;
-- The message says what is allowed.
SELECT split_part(said(format('SELECT vault.register_provider(%L, %L, settings => %L)', 'mine', 'https://auth.mine.example/token', settings), NULL), E'\n', 2)
FROM unnest(ARRAY[
    '{"pkce": "maybe"}', '{"default_expires_in": -4}', '{"default_expires_in": 0.5}', '{"replay_leeway_seconds": -1}', '{"rate_limit_requests": 0}',
    '{"rate_limit_seconds": "60"}', '{"max_concurrent_requests": 2147483648}', '{"scope_separator": ";"}', '{"scope_separator": "comma"}',
    '{"token_parameters": []}', '{"success_condition": ["/ok", true]}', '{"placeholders": "region"}', '{"response_objects": []}',
    '{"authorization_endpoint": {}}', '{"expires_format": "fortnights"}', '{"basic_form_encoded": 1}', '{"refresh_parameters": []}']) AS settings;
-- No value reaches a constraint of the table, whose name would say nothing.
SELECT column_name, value
FROM (SELECT a.attname AS column_name FROM pg_attribute AS a
      WHERE a.attrelid = 'vault.provider'::regclass AND a.attnum > 0 AND a.attname NOT IN ('name', 'builtin', 'token_endpoint')) AS c
CROSS JOIN unnest(ARRAY['"nonsense"', '""', '0', '-1', '99999999999', '1e30', '0.5', '[]', '["x"]', '[null]', '{}', '{"x": 1}', 'true']::jsonb[]) AS v (value)
WHERE said(format('SELECT vault.register_provider(%L, %L, settings => %L)', 'mine', 'https://auth.mine.example/token',
                  jsonb_build_object(column_name, value)), NULL) !~ '^22023\n';
SELECT outcome(format('SELECT vault.register_provider(%L, %L)', 'mine', endpoint)) AS sqlstate, endpoint
FROM unnest(ARRAY['', 'https://', 'auth.mine.example', 'javascript:alert(1)', 'https://auth.mine.example/{region']) AS endpoint;
SELECT outcome($$SELECT vault.register_provider('mine', 'https://a.example/', token_endpoint_auth_method => 'telepathy')$$),
       outcome($$SELECT vault.register_provider('mine', 'https://a.example/', 'http://a.example/authorize')$$),
       outcome($$SELECT vault.register_provider('mine', 'https://a.example/', revocation_endpoint => 'http://a.example/revoke')$$),
       outcome($$SELECT vault.register_provider('', 'https://a.example/')$$),
       outcome($$SELECT vault.register_provider(NULL, 'https://a.example/')$$),
       outcome($$SELECT vault.register_provider(repeat('x', 513), 'https://a.example/')$$),
       outcome($$SELECT vault.register_provider('mine', NULL)$$);
-- JSON null is the default.
SELECT vault.register_provider('mine', 'https://auth.mine.example/token', settings => '{"pkce": null, "default_expires_in": null}');
SELECT pkce, default_expires_in FROM vault.providers WHERE name = 'mine';
SELECT vault.drop_provider('mine');
SELECT vault.drop_provider('mine');
\echo :SQLSTATE

SELECT vault.delete_tenant('default');
