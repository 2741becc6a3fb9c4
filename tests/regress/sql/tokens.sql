-- Storing tokens, getting them, and everything that tells how they are.
\a \t
SET TimeZone = 'UTC';

-- No such token: NULL and no row, not an error. No such provider: an error.
SELECT vault.get_token('acme', 'user-1') IS NULL, vault.authorization_header('acme', 'user-1') IS NULL;
SELECT * FROM vault.get_token_set('acme', 'user-1');
SELECT vault.has_token('acme', 'user-1'), vault.is_valid('acme', 'user-1'), vault.token_status('acme', 'user-1') IS NULL;
SELECT vault.get_token('acne', 'user-1');
\echo :SQLSTATE

-- One that says nothing of its expiry is valid.
SELECT vault.store_token('acme', 'user-1', 'access-1');
SELECT vault.get_token('acme', 'user-1'), vault.authorization_header('acme', 'user-1');
SELECT access_token, token_type IS NULL, scope IS NULL, issued_at BETWEEN now() - interval '1 min' AND clock_timestamp(), expires_at IS NULL
FROM vault.get_token_set('acme', 'user-1');
SELECT vault.has_token('acme', 'user-1'), vault.is_valid('acme', 'user-1'), vault.token_status('acme', 'user-1');

-- All arguments, by position and by name; the worker could not refresh it, and the caller hears so.
SELECT vault.store_token('acme', 'user-2', 'access-2', 'refresh-2', 3600, 'read write', 'Bearer', 'id-2');
SELECT vault.store_token(access_token => 'access-3', subject => 'user-3', provider => 'acme', scope => 'read', token_type => 'bearer',
                         expires_at => '2999-12-31 23:59:59+00', label => 'bot', metadata => '{"ip_address": "192.0.2.1"}');
SELECT provider, subject, label, tenant, client, status, token_type, scope, has_refresh_token, has_id_token,
       expires_at - issued_at BETWEEN interval '59 min' AND interval '1 hour' AS an_hour, refresh_due_at < expires_at AS due_before,
       generation, refresh_failures, last_error, metadata, response
FROM vault.tokens WHERE tenant = 'default' ORDER BY subject;
SELECT access_token, expires_at FROM vault.get_token_set(label => 'bot', provider => 'acme', subject => 'user-3');

-- How long it must still live.
SELECT vault.get_token('acme', 'user-2', min_validity => '10 min');
SELECT vault.is_valid('acme', 'user-2', min_validity => '10 min'), vault.is_valid('acme', 'user-2', min_validity => '2 h');
SELECT vault.get_token('acme', 'user-3', label => 'bot', min_validity => '2000 years');
\echo :SQLSTATE
SELECT vault.get_token('acme', 'user-2', min_validity => '-1 s');
\echo :SQLSTATE

-- Expired: an error that says why nothing could be done. (Refreshing is off in this server.)
SELECT vault.store_token('acme', 'user-4', 'access-4', expires_in => 0);
SELECT vault.token_status('acme', 'user-4'), vault.is_valid('acme', 'user-4');
SELECT vault.get_token('acme', 'user-4');
\echo :SQLSTATE
SET client_min_messages = error;
SELECT vault.store_token('acme', 'user-4', 'access-4', 'refresh-4', 0);
RESET client_min_messages;
SELECT vault.get_token('acme', 'user-4', auto_refresh => false);
\echo :SQLSTATE
SELECT vault.get_token('acme', 'user-4');
\echo :SQLSTATE
SELECT vault.get_token('acme', 'user-4', auto_refresh => NULL);
\echo :SQLSTATE
-- Refreshing what has nothing to refresh with.
SELECT vault.refresh_token('acme', 'user-1');
\echo :SQLSTATE
SELECT vault.refresh_token('acme', 'nobody');
\echo :SQLSTATE

-- Times at the edges: for ever, and long ago.
SELECT vault.store_token('acme', 'user-5', 'access-5', expires_at => 'infinity');
SELECT vault.store_token('acme', 'user-6', 'access-6', expires_at => '-infinity');
SELECT vault.store_token('acme', 'user-7', 'access-7', expires_at => '0044-03-15 BC');
SELECT subject, status, expires_at IS NULL FROM vault.tokens WHERE subject IN ('user-5', 'user-6', 'user-7') ORDER BY subject;

-- Storing again: the refresh token, the id token, scope and type stay where the new answer has none; metadata is merged.
SELECT vault.store_token('acme', 'user-3', 'access-3b', label => 'bot', metadata => '{"user_agent": "curl", "ip_address": "192.0.2.2"}');
SELECT vault.get_token('acme', 'user-3', label => 'bot');
SELECT generation, token_type, scope, expires_at IS NULL, metadata FROM vault.tokens WHERE subject = 'user-3';
SET client_min_messages = error;
SELECT vault.store_token('acme', 'user-2', 'access-2b', expires_in => 60);
RESET client_min_messages;
SELECT generation, has_refresh_token, has_id_token, scope, created_at < updated_at, issued_at = updated_at FROM vault.tokens WHERE subject = 'user-2';

-- Labels and tenants are different tokens.
SELECT vault.store_token('acme', 'user-3', 'access-3-user');
SELECT vault.store_token('acme', 'user-3', 'access-3-other', tenant => 'other');
SELECT vault.get_token('acme', 'user-3'), vault.get_token('acme', 'user-3', 'other'), vault.get_token('acme', 'user-3', 'default', 'bot'),
       vault.get_token('acme', 'user-3', 'other', 'bot') IS NULL;

-- In a transaction that stores it, and not after that is rolled back; in one statement; from prepared statements.
BEGIN;
SELECT vault.store_token('acme', 'user-8', 'access-8');
SELECT vault.get_token('acme', 'user-8');
SAVEPOINT before;
SELECT vault.store_token('acme', 'user-8', 'access-8b');
SELECT vault.get_token('acme', 'user-8');
ROLLBACK TO before;
SELECT vault.get_token('acme', 'user-8');
ROLLBACK;
SELECT vault.has_token('acme', 'user-8');
SELECT vault.store_token('acme', 'user-8', 'access-8'), vault.get_token('acme', 'user-8');
PREPARE token (text, text) AS SELECT vault.get_token($1, $2);
EXECUTE token ('acme', 'user-1');
SET plan_cache_mode = force_generic_plan;
EXECUTE token ('acme', 'user-8');
RESET plan_cache_mode;
BEGIN TRANSACTION READ ONLY;
SELECT vault.get_token('acme', 'user-1');
SELECT vault.store_token('acme', 'user-1', 'access-1b');
\echo :SQLSTATE
ROLLBACK;

-- Many rows in one statement.
SELECT count(vault.store_token('acme', 'crowd-' || n, 'access of ' || n)) FROM generate_series(1, 500) AS n;
SELECT count(*) FROM generate_series(1, 500) AS n WHERE vault.get_token('acme', 'crowd-' || n) = 'access of ' || n;

-- The table holds envelopes only, never the same twice for the same token.
SELECT bool_and(position('access' IN encode(access_token, 'escape')) = 0), count(DISTINCT substr(access_token, 11)) = count(*)
FROM vault.token;

-- Deleting.
SELECT vault.delete_token('acme', 'user-1'), vault.delete_token('acme', 'user-1'), vault.has_token('acme', 'user-1');
SELECT vault.delete_token('acme', 'user-3', label => 'bot'), vault.has_token('acme', 'user-3');
SELECT vault.delete_subject('user-3'), vault.has_token('acme', 'user-3', 'other');
SELECT vault.delete_subject('user-3', tenant => 'other');
SELECT vault.delete_tenant('default'), vault.delete_tenant('default');
SELECT (SELECT count(*) FROM vault.token), (SELECT count(*) FROM vault.refresh_schedule);
