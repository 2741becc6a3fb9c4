-- The type vault.secret: encrypted on the way in, whatever the way; ciphertext on the way out.
\a \t
CREATE TABLE webhook (id integer PRIMARY KEY, signing_key vault.secret NOT NULL, old_key vault.secret DEFAULT 'initial');

-- A literal, a parameter, varchar, an expression, a cast, a SELECT, seal().
INSERT INTO webhook VALUES (1, 'literal');
PREPARE by_type (integer, vault.secret) AS INSERT INTO webhook VALUES ($1, $2);
EXECUTE by_type (2, 'parameter');
PREPARE by_text (integer, text) AS INSERT INTO webhook VALUES ($1, $2);
EXECUTE by_text (3, 'text parameter');
EXECUTE by_text (4, 'text parameter');
INSERT INTO webhook VALUES (5, 'varchar'::varchar(20)), (6, 'expres' || 'sion'), (7, 'cast'::vault.secret), (8, CAST('cast of text'::text AS vault.secret));
INSERT INTO webhook SELECT 9, 'row ' || n FROM generate_series(9, 9) AS n;
INSERT INTO webhook VALUES (10, vault.seal('sealed')), (11, ''), (12, E'Zeile\n\u00e4\U0001F510');
SELECT id, vault.reveal(signing_key), vault.reveal(old_key) FROM webhook ORDER BY id;
-- What is stored is an envelope each time, never the same twice, in every form that leaves.
SELECT count(*) = count(DISTINCT signing_key::text), bool_and(signing_key::text ~ '^tv1\.[A-Za-z0-9_-]{66,}$'),
       bool_and(signing_key::text = to_jsonb(webhook) ->> 'signing_key'), bool_and(position(signing_key::text IN webhook::text) > 0)
FROM webhook;
SELECT bool_and(octet_length(vault.secret_send(signing_key)) = octet_length(vault.reveal(signing_key)) + 51) FROM webhook;

-- UPDATE, ON CONFLICT, RETURNING, MERGE, NULL, NOT NULL.
UPDATE webhook SET signing_key = 'changed', old_key = signing_key WHERE id = 1;
UPDATE webhook SET signing_key = lower('CHANGED') WHERE id = 2;
INSERT INTO webhook VALUES (3, 'again') ON CONFLICT (id) DO UPDATE SET signing_key = EXCLUDED.signing_key RETURNING vault.reveal(signing_key);
MERGE INTO webhook AS w USING (VALUES (4, 'merged'), (13, 'merged')) AS v (id, signing_key) ON w.id = v.id
WHEN MATCHED THEN UPDATE SET signing_key = v.signing_key WHEN NOT MATCHED THEN INSERT (id, signing_key) VALUES (v.id, v.signing_key);
UPDATE webhook SET old_key = NULL WHERE id = 5;
SELECT id, vault.reveal(signing_key), vault.reveal(old_key) FROM webhook WHERE id IN (1, 2, 3, 4, 5, 13) ORDER BY id;
SELECT outcome('INSERT INTO webhook VALUES (14, NULL)'), vault.reveal(NULL) IS NULL, vault.seal(NULL) IS NULL;

-- COPY: plaintext goes in, ciphertext comes out.
COPY webhook (id, signing_key) FROM stdin;
20	copied
21	copied \\ back\\slash
\.
SELECT id, vault.reveal(signing_key) FROM webhook WHERE id >= 20 ORDER BY id;
-- From a superuser ciphertext is taken as it is: a dump comes back. The same in binary form.
CREATE TABLE copy (LIKE webhook);
\getenv folder PG_ABS_BUILDDIR
\set file :folder '/results/webhook.copy'
COPY webhook TO :'file';
COPY copy FROM :'file';
COPY webhook TO :'file' (FORMAT binary);
COPY copy FROM :'file' (FORMAT binary);
SELECT count(*), bool_and(c.signing_key::text = w.signing_key::text), bool_and(vault.reveal(c.signing_key) = vault.reveal(w.signing_key))
FROM copy AS c JOIN webhook AS w USING (id);
-- Drivers that send text as bytes.
CREATE TABLE bytes (signing_key bytea);
TRUNCATE copy;
ALTER TABLE copy DROP COLUMN id, DROP COLUMN old_key;
INSERT INTO bytes VALUES ('plaintext in bytes');
COPY bytes TO :'file' (FORMAT binary);
COPY copy FROM :'file' (FORMAT binary);
SELECT vault.reveal(signing_key) FROM copy;

-- Arrays, composite types, domains.
CREATE TABLE keyring (keys vault.secret[]);
INSERT INTO keyring VALUES ('{one,"two three"}'), (ARRAY['four', 'fi' || 've']), (ARRAY['six']::vault.secret[]);
SELECT (SELECT array_agg(vault.reveal(key)) FROM unnest(keys) AS key) FROM keyring;
CREATE DOMAIN pin AS vault.secret CHECK (vault.reveal(VALUE) ~ '^\d{4}$');
SELECT vault.reveal('1234'::pin);
SELECT outcome($$SELECT 'abc'::pin$$);

-- Bound to a context: opens with the same one only.
SELECT vault.reveal(vault.seal('bound', 'customer 1'), 'customer 1');
SELECT vault.reveal(vault.seal('bound', 'customer 1'), 'customer 2');
\echo :SQLSTATE
SELECT outcome($$SELECT vault.reveal(vault.seal('bound', 'customer 1'))$$), outcome($$SELECT vault.reveal(vault.seal('free'), 'customer 1')$$);
-- A token's envelope is no secret, and a secret no token.
SELECT vault.store_token('acme', 'user-1', 'access');
CREATE CAST (bytea AS vault.secret) WITHOUT FUNCTION;
SELECT vault.reveal(access_token::vault.secret) FROM vault.token;
\echo :SQLSTATE
UPDATE vault.token SET access_token = vault.secret_send(vault.seal('planted'));
SELECT vault.get_token('acme', 'user-1');
\echo :SQLSTATE
SELECT vault.delete_tenant('default');
DROP CAST (bytea AS vault.secret);

-- No equality, no order: equal secrets must not be seen to be equal.
SELECT outcome(statement) AS sqlstate, statement FROM unnest(ARRAY[
    'SELECT FROM webhook WHERE signing_key = old_key', 'SELECT FROM webhook WHERE signing_key = ''literal''', 'SELECT FROM webhook WHERE signing_key < old_key',
    'SELECT FROM webhook ORDER BY signing_key', 'SELECT DISTINCT signing_key FROM webhook', 'SELECT FROM webhook GROUP BY signing_key',
    'SELECT signing_key FROM webhook UNION SELECT old_key FROM webhook', 'SELECT FROM webhook WHERE signing_key IN (''literal'')',
    'CREATE INDEX ON webhook (signing_key)', 'CREATE UNIQUE INDEX ON webhook (signing_key)', 'CREATE INDEX ON webhook USING hash (signing_key)',
    'CREATE TABLE parts (k vault.secret) PARTITION BY LIST (k)', 'SELECT max(signing_key) FROM webhook']) AS statement;
-- Types that are not text are not taken for text.
SELECT outcome('SELECT 5::vault.secret'), outcome($$INSERT INTO webhook SELECT 30, now()$$), outcome($$INSERT INTO webhook SELECT 30, '\x00'::bytea$$);
-- Nothing of the values reaches the planner's statistics.
ANALYZE webhook;
SELECT null_frac, most_common_vals, histogram_bounds FROM pg_stats WHERE tablename = 'webhook' AND attname = 'signing_key';

-- Large values.
INSERT INTO webhook SELECT 40, string_agg(md5(n::text), '') FROM generate_series(1, 32768) AS n;
SELECT length(vault.reveal(signing_key)), md5(vault.reveal(signing_key)) = (SELECT md5(string_agg(md5(n::text), '')) FROM generate_series(1, 32768) AS n)
FROM webhook WHERE id = 40;
SELECT vault.seal(repeat('x', 16777217));
\echo :SQLSTATE

DROP TABLE webhook, copy, bytes, keyring;
DROP DOMAIN pin;
