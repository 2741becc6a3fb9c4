-- The master key: made once, found wrong or missing, and what then can't be done.
\a \t
SELECT current_setting('token_vault.master_key_file') AS key_file \gset
\setenv KEY_FILE :key_file
CREATE DATABASE regress_keys ENCODING 'UTF8' TEMPLATE template0;
\c regress_keys
CREATE EXTENSION token_vault;
CREATE TABLE webhook (id integer PRIMARY KEY, signing_key vault.secret);

-- What changes from run to run is masked: path, fingerprints, key ids.
CREATE FUNCTION told(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    told text; detail text; hint text;
BEGIN
    EXECUTE statement;
    RETURN 'ok';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS told = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    told := replace(concat_ws(E'\n  ', SQLSTATE || ' ' || told, nullif(detail, ''), nullif(hint, '')), current_setting('token_vault.master_key_file'), '<file>');
    RETURN regexp_replace(told, '[0-9a-f]{16}', '<number>', 'g');
END
$$;

-- Before there is a key, nothing is stored.
SELECT told($$SELECT vault.store_token('google', 'user-1', 'access')$$);
SELECT told($$INSERT INTO webhook VALUES (1, 'signing')$$);
SELECT told($$SELECT vault.register_client('app', 'google', 'id', 'secret')$$);
SELECT vault.get_token('google', 'user-1');
SELECT (SELECT count(*) FROM vault.token), (SELECT count(*) FROM vault.client), (SELECT count(*) FROM webhook);
SELECT item, replace(state, :'key_file', '<file>'), advice FROM vault.status() WHERE item <> 'version';
-- It takes a privilege of its own.
CREATE ROLE regress_app;
SELECT vault.grant_access('regress_app', '{read,write}');
SET ROLE regress_app;
SELECT vault.create_master_key();
\echo :SQLSTATE
RESET ROLE;

-- A call that is rolled back leaves a key that the next one uses.
BEGIN;
SELECT vault.create_master_key() AS first \gset
ROLLBACK;
SELECT vault.create_master_key() AS second \gset
SELECT :'first' = :'second' AND :'second' ~ '^[0-9a-f]{16}$';
SELECT told('SELECT vault.create_master_key()');
SELECT tenant IS NULL, state, master_key_fingerprint = :'second', retired_at, destroyed_at FROM vault.keys;
SELECT item, regexp_replace(replace(state, :'key_file', '<file>'), '[0-9a-f]{16}', '<number>'), advice FROM vault.status() WHERE item <> 'version';
\! stat --format %a "$KEY_FILE"

SELECT vault.store_token('google', 'user-1', 'access');
INSERT INTO webhook VALUES (1, 'signing');

-- A file that others may read, is empty, holds no key, is no file, or is away. Each session looks when it first needs it.
\! cp -p "$KEY_FILE" "$KEY_FILE.saved"
\! chmod 0640 "$KEY_FILE"
\c -
SELECT told($$SELECT vault.get_token('google', 'user-1')$$);
\! chmod 0600 "$KEY_FILE" && : >"$KEY_FILE"
SELECT told($$SELECT vault.get_token('google', 'user-1')$$);
\! printf 'correct horse battery staple' >"$KEY_FILE"
SELECT told($$SELECT vault.get_token('google', 'user-1')$$);
\! rm "$KEY_FILE" && mkdir -m 0700 "$KEY_FILE"
SELECT told($$SELECT vault.get_token('google', 'user-1')$$);
\! rmdir "$KEY_FILE"
SELECT told($$SELECT vault.get_token('google', 'user-1')$$);
SELECT told($$SELECT vault.reveal(signing_key) FROM webhook$$);
SELECT told($$SELECT vault.create_master_key()$$);
SELECT item, regexp_replace(replace(state, :'key_file', '<file>'), '[0-9a-f]{16}', '<number>'), regexp_replace(advice, '[0-9a-f]{16}', '<number>') FROM vault.status() WHERE item = 'master key';

-- Another key: nothing is read with it and, above all, nothing written.
\! (umask 077; printf '%064d' 1 >"$KEY_FILE")
SELECT told($$SELECT vault.get_token('google', 'user-1')$$);
SELECT told($$SELECT vault.store_token('google', 'user-2', 'access')$$);
SELECT told($$INSERT INTO webhook VALUES (2, 'signing')$$);
SELECT told($$SELECT vault.register_client('app', 'google', 'id', 'secret')$$);
SELECT (SELECT count(*) FROM vault.token), (SELECT count(*) FROM vault.client), (SELECT count(*) FROM webhook);
-- What needs no key works on.
SELECT signing_key::text LIKE 'tv1.%', vault.has_token('google', 'user-1'), vault.token_status('google', 'user-1') FROM webhook;

-- The right one is back: the same session goes on.
\! mv "$KEY_FILE.saved" "$KEY_FILE"
SELECT vault.get_token('google', 'user-1'), vault.reveal(signing_key) FROM webhook;

-- A data key that is gone, or unknown here.
UPDATE vault.key SET state = 'destroyed', wrapped_key = NULL, destroyed_at = now();
\c -
SELECT told($$SELECT vault.get_token('google', 'user-1')$$);
SELECT told($$SELECT vault.store_token('google', 'user-2', 'access')$$);
DELETE FROM vault.key;
SELECT told($$SELECT vault.get_token('google', 'user-1')$$);

\c regression
DROP DATABASE regress_keys (FORCE);
DROP ROLE regress_app;
