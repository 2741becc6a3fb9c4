-- What makes no sense is refused with an SQLSTATE of its own and a hint, and nothing is written.
\a \t

-- Unknown names.
SELECT vault.get_token('acne', 'user-1');
\echo :SQLSTATE
SELECT vault.store_token('acne', 'user-1', 'access');
\echo :SQLSTATE
SELECT vault.store_token('acme', 'user-1', 'access', client => 'nobody''s');
\echo :SQLSTATE
SELECT vault.refresh_token('acme', 'nobody');
\echo :SQLSTATE
-- Empty, missing, over-long.
SELECT vault.store_token('acme', '', 'access');
\echo :SQLSTATE
SELECT vault.store_token('acme', NULL, 'access');
\echo :SQLSTATE
SELECT vault.store_token('acme', repeat('x', 513), 'access');
\echo :SQLSTATE
-- Every function with names: NULL, empty, too long. (A label may be empty, and NULL is the empty one.)
SELECT f, outcome(format('SELECT vault.%s', replace(f, '$', 'NULL'))) AS "null",
       outcome(format('SELECT vault.%s', replace(f, '$', ''''''))) AS empty,
       outcome(format('SELECT vault.%s', replace(f, '$', 'repeat(''x'', 513)'))) AS long
FROM unnest(ARRAY[
    'get_token($, ''u'')', 'get_token(''acme'', $)', 'authorization_header(''acme'', $)', 'get_token_set(''acme'', $)', 'get_tokens($, ''{u}'')', 'get_tokens(''acme'', ARRAY[''u'', $])', 'has_token(''acme'', $)',
    'is_valid(''acme'', $)', 'token_status($, ''u'')', 'token_status(''acme'', $)', 'store_token($, ''u'', ''a'')', 'store_token(''acme'', $, ''a'')',
    'store_token_response($, ''u'', ''{"access_token": "a"}'')', 'store_token_response(''acme'', $, ''{"access_token": "a"}'')',
    'delete_token($, ''u'')', 'delete_token(''acme'', $)', 'delete_subject($)', 'delete_tenant($)', 'refresh_token($, ''u'')', 'refresh_token(''acme'', $)',
    'drop_provider($)', 'drop_client($)', 'enable_client($)', 'disable_client($)', 'drop_client_secrets($)', 'add_client_secret($, ''s'')',
    'grant_access($, ''{read}'')', 'revoke_access($)']) AS f;
SELECT outcome($$SELECT vault.get_token('acme', 'u', tenant => '')$$), outcome($$SELECT vault.get_token('acme', 'u', tenant => repeat('x', 513))$$),
       outcome($$SELECT vault.get_token('acme', 'u', label => repeat('x', 513))$$), outcome($$SELECT vault.get_token('acme', 'u', label => NULL)$$),
       outcome($$SELECT vault.store_token('acme', 'u', 'a', client => '')$$), outcome($$SELECT vault.store_token('acme', 'u', 'a', client => repeat('x', 513))$$);
-- NULL for a flag or a number.
SELECT outcome($$SELECT vault.get_token('acme', 'u', auto_refresh => NULL)$$), outcome($$SELECT vault.get_token_set('acme', 'u', auto_refresh => NULL)$$),
       outcome($$SELECT vault.authorization_header('acme', 'u', auto_refresh => NULL)$$), outcome('SELECT vault.refresh_due(max_tokens => NULL)');
-- Many at once: none, one of them NULL, too many.
SELECT outcome($$SELECT vault.get_tokens('acme', NULL)$$), outcome($$SELECT vault.get_tokens('acme', '{}')$$), outcome($$SELECT vault.get_tokens('acme', '{u}', auto_refresh => NULL)$$),
       outcome($$SELECT vault.get_tokens('acme', array_fill('u'::text, '{1000}'))$$), outcome($$SELECT vault.get_tokens('acme', array_fill('u'::text, '{1001}'))$$);
SELECT outcome('SELECT vault.refresh_due(max_tokens => 0)'), outcome('SELECT vault.refresh_due(max_tokens => 2147483647)'),
       outcome('SELECT vault.refresh_due(within => ''-1 s'')');

-- Tokens of 0 bytes and 1 MB; with control characters, which would split a header.
SELECT vault.store_token('acme', 'user-1', '');
\echo :SQLSTATE
SELECT vault.store_token('acme', 'user-1', repeat('x', 1048577));
\echo :SQLSTATE
SELECT vault.store_token('acme', 'user-1', E'access\r\nX-Injected: yes');
\echo :SQLSTATE
SELECT outcome($$SELECT vault.store_token('acme', 'u', NULL)$$), outcome($$SELECT vault.store_token('acme', 'u', 'a', '')$$),
       outcome($$SELECT vault.store_token('acme', 'u', 'a', E'r\n')$$), outcome($$SELECT vault.store_token('acme', 'u', 'a', id_token => '')$$),
       outcome($$SELECT vault.store_token('acme', 'u', 'a', repeat('x', 1048577))$$), outcome($$SELECT vault.store_token('acme', 'u', 'a', scope => repeat('x', 70000))$$),
       outcome($$SELECT vault.register_client('c', 'acme', 'id', repeat('x', 1048577))$$);
-- Lifetimes.
SELECT vault.store_token('acme', 'user-1', 'access', expires_in => -1);
\echo :SQLSTATE
SELECT vault.store_token('acme', 'user-1', 'access', expires_in => 1700000000000);
\echo :SQLSTATE
SELECT vault.store_token('acme', 'user-1', 'access', expires_in => 3600, expires_at => now());
\echo :SQLSTATE
SELECT outcome($$SELECT vault.store_token('acme', 'u', 'a', refresh_token_expires_in => -1)$$),
       outcome($$SELECT vault.store_token('acme', 'u', 'a', expires_in => 9223372036854775807)$$),
       outcome($$SELECT vault.store_token('acme', 'u', 'a', metadata => '[]')$$), outcome($$SELECT vault.store_token('acme', 'u', 'a', metadata => 'null')$$);

-- Text that is no UTF-8 is refused by the server, as everywhere.
SELECT outcome($$SELECT vault.store_token('acme', 'u', convert_from('\xff', 'UTF8'))$$), outcome($$SELECT vault.seal(E'\xff')$$);
-- Bytes that are none, or hold a NUL, in binary form.
CREATE TABLE bytes (b bytea);
CREATE TABLE webhook (signing_key vault.secret);
\getenv folder PG_ABS_BUILDDIR
\set file :folder '/results/bad_input.copy'
INSERT INTO bytes VALUES ('\x66ff');
COPY bytes TO :'file' (FORMAT binary);
COPY webhook FROM :'file' (FORMAT binary);
\echo :SQLSTATE
UPDATE bytes SET b = '\x660066';
COPY bytes TO :'file' (FORMAT binary);
COPY webhook FROM :'file' (FORMAT binary);
\echo :SQLSTATE
UPDATE bytes SET b = '\x0101';
COPY bytes TO :'file' (FORMAT binary);
COPY webhook FROM :'file' (FORMAT binary);
\echo :SQLSTATE
SELECT count(*) FROM webhook;
DROP TABLE bytes, webhook;

-- Answers that are none.
SELECT vault.store_token_response('acme', 'user-1', '{"token_type": "Bearer", "expires_in": 3600}');
\echo :SQLSTATE
SELECT vault.store_token_response('acme', 'user-1', '{"access_token": "a", "expires_in": "soon"}');
\echo :SQLSTATE
SELECT vault.store_token_response('acme', 'user-1', '{"access_token": "a", "expires_in": -5}');
\echo :SQLSTATE
SELECT vault.store_token_response('acme', 'user-1', '{"access_token": "a", "expires_in": 1e12}');
\echo :SQLSTATE
SELECT vault.store_token_response('acme', 'user-1', NULL);
\echo :SQLSTATE
SELECT outcome(format('SELECT vault.store_token_response(%L, %L, %L)', 'acme', 'u', response)) AS sqlstate, left(response, 60)
FROM unnest(ARRAY['{}', '[]', 'null', '"text"', '3', '{"access_token": ""}', '{"access_token": null}', '{"access_token": 5}', '{"access_token": {"a": 1}}',
    '{"access_token": "a\nb"}', '{"access_token": "a", "refresh_token": ["r"]}', '{"access_token": "a", "expires_in": {"s": 1}}', '{"access_token": "a", "expires_in": 1e400}',
    '{"access_token": "a", "expires_at": "yesterday"}', '{"access_token": "a", "refresh_token_expires_in": -1}', '{"error": "invalid_grant"}',
    '{"access_token": "a", "deep": ' || repeat('[', 500) || repeat(']', 500) || '}', '{"access_token": "' || repeat('x', 1048577) || '"}']) AS response;
-- Numbers and depths that only JSON can hold, elsewhere.
SELECT outcome($$SELECT vault.store_token('acme', 'u', 'a', metadata => '{"n": 1e400}')$$),
       outcome($$SELECT vault.register_client('c', 'acme', 'id', metadata => ('{"a":' || repeat('[', 500) || repeat(']', 500) || '}')::jsonb)$$),
       outcome($$SELECT vault.register_provider('p', 'https://p.example/', settings => '{"default_expires_in": 1e400}')$$);

-- A damaged row is an error of its own; the others are as they were.
SELECT vault.store_token('acme', 'user-1', 'access-1'), vault.store_token('acme', 'user-2', 'access-2'), vault.store_token('acme', 'user-3', 'access-3');
UPDATE vault.token SET access_token = set_byte(access_token, 40, get_byte(access_token, 40) # 1) WHERE subject = 'user-2';
UPDATE vault.token SET access_token = '' WHERE subject = 'user-3';
SELECT vault.get_token('acme', 'user-2');
\echo :SQLSTATE
SELECT subject, outcome(format('SELECT vault.get_token(%L, %L)', 'acme', subject)) FROM vault.tokens ORDER BY subject;
SELECT subject, status FROM vault.tokens ORDER BY subject;
-- One taken from another row: the same.
UPDATE vault.token SET access_token = (SELECT access_token FROM vault.token WHERE subject = 'user-1') WHERE subject = 'user-2';
SELECT outcome($$SELECT vault.get_token('acme', 'user-2')$$);
-- Storing it again mends it.
SELECT vault.store_token('acme', 'user-2', 'access-2b');
SELECT vault.get_token('acme', 'user-2');
SELECT vault.delete_tenant('default');

-- Nothing of all that was written, and the server is the one it was.
SELECT (SELECT count(*) FROM vault.token), (SELECT count(*) FROM vault.client), (SELECT count(*) FROM vault.provider WHERE NOT builtin);
