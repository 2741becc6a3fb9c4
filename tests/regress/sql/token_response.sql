-- The provider's JSON answer as it came (RFC 6749 section 5.1), and what providers make of it.
\a \t
SET TimeZone = 'UTC';
SET client_min_messages = error;

-- The example of the RFC.
SELECT vault.store_token_response('acme', 'rfc', '{
    "access_token": "2YotnFZFEjr1zCsicMWpAA",
    "token_type": "example",
    "expires_in": 3600,
    "refresh_token": "tGzv3JOkF0XG5Qx2TlKWIA",
    "example_parameter": "example_value"}');
SELECT vault.get_token('acme', 'rfc');
SELECT token_type, scope, has_refresh_token, expires_at - issued_at, response FROM vault.tokens WHERE subject = 'rfc';

-- expires_in in the ways it is met; a token type and scope of any shape.
SELECT vault.store_token_response('acme', 'text', '{"access_token": "a", "expires_in": "3600"}');
SELECT vault.store_token_response('acme', 'float', '{"access_token": "a", "expires_in": 3599.9}');
SELECT vault.store_token_response('acme', 'none', '{"access_token": "a"}');
SELECT vault.store_token_response('acme', 'null', '{"access_token": "a", "expires_in": null, "refresh_token": null, "scope": null}');
SELECT vault.store_token_response('acme', 'at', '{"access_token": "a", "expires_at": 4102444800}');
SELECT vault.store_token_response('acme', 'scopes', '{"access_token": "a", "scope": ["read", "write"], "refresh_token_expires_in": 86400, "refresh_token": "r"}');
SELECT subject, date_trunc('second', expires_at - issued_at) AS lifetime FROM vault.tokens WHERE subject IN ('text', 'float', 'none', 'null') ORDER BY subject;
SELECT expires_at FROM vault.tokens WHERE subject = 'at';
SELECT scope, refresh_token_expires_at - issued_at FROM vault.tokens WHERE subject = 'scopes';

-- What else the answer carries is kept, without anything that may be a secret.
SELECT vault.store_token_response('acme', 'extra', '{
    "access_token": "canary-access", "refresh_token": "canary-refresh", "id_token": "eyJhbGciOiJub25lIn0.canary.",
    "instance_url": "https://eu1.acme.example", "team": {"id": "T1", "bot_token": "canary-bot", "name": "Blue"},
    "client_secret": "canary-secret", "api_key": "canary-key", "echo": "you sent canary-refresh", "sessionToken": "canary-session",
    "other_jwt": "canary-jwt", "note": "eyJhbGciOiJub25lIn0.canary2.", "list": ["a", "canary-access", {"password": "canary-password", "n": 1}]}');
SELECT jsonb_pretty(response), response::text LIKE '%canary%' FROM vault.tokens WHERE subject = 'extra';
SELECT has_id_token FROM vault.tokens WHERE subject = 'extra';
-- The next answer adds to it.
SELECT vault.store_token_response('acme', 'extra', '{"access_token": "canary-access-2", "instance_url": "https://eu2.acme.example", "plan": "pro"}');
SELECT response FROM vault.tokens WHERE subject = 'extra';
-- Metadata is the application's, not the provider's.
SELECT vault.store_token_response('acme', 'extra', '{"access_token": "a"}', metadata => '{"ip_address": "192.0.2.1"}', label => 'second');
SELECT metadata, response FROM vault.tokens WHERE subject = 'extra' AND label = 'second';

-- A provider that nests its answer, counts milliseconds and has its own names.
SELECT vault.register_provider('nested', 'https://nested.example/token', settings => '{
    "response_objects": ["/authed_user", "/data"],
    "response_fields": {"access_token": "/accessToken", "expires_in": "/ttl"},
    "expires_format": "milliseconds"}');
SELECT vault.store_token_response('nested', 'user-1', '{"ok": true, "team": "T1",
    "authed_user": {"id": "U1"}, "data": {"accessToken": "deep", "ttl": 7200000, "refresh_token": "deep-refresh", "region": "eu"}}');
SELECT vault.get_token('nested', 'user-1');
SELECT expires_at - issued_at, has_refresh_token, response FROM vault.tokens WHERE provider = 'nested';
SELECT vault.store_token_response('nested', 'user-2', '{"access_token": "flat"}');
\echo :SQLSTATE
-- A default where answers don't say.
SELECT vault.register_provider('terse', 'https://terse.example/token', settings => '{"default_expires_in": 1800}');
SELECT vault.store_token_response('terse', 'user-1', '{"access_token": "a"}');
SELECT vault.store_token('terse', 'user-2', 'a');
SELECT subject, expires_at - issued_at FROM vault.tokens WHERE provider = 'terse' ORDER BY subject;

SELECT vault.delete_tenant('default');
SELECT vault.drop_provider('nested'), vault.drop_provider('terse');
