-- Whatever fails: no part of what it says to the client, and so to the log, contains the secret it was given.
\a \t
\set canary 'CANARY-5f1c9a'
CREATE TABLE webhook (id integer PRIMARY KEY, signing_key vault.secret NOT NULL, note text CHECK (note <> 'bad'), CHECK (vault.reveal(signing_key) <> 'never'));
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'refused: %', NEW; END $$;
CREATE TRIGGER refuse BEFORE INSERT ON webhook FOR EACH ROW WHEN (NEW.note = 'refuse') EXECUTE FUNCTION refuse();
INSERT INTO webhook VALUES (1, 'first');
CREATE ROLE regress_nobody;
GRANT USAGE ON SCHEMA vault TO regress_nobody;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA vault TO regress_nobody;
GRANT ALL ON webhook TO regress_nobody;

-- $1 is the secret. Each statement fails; what is said begins with the SQLSTATE.
CREATE TABLE failing (n serial, statement text);
INSERT INTO failing (statement) VALUES
    ('SELECT vault.store_token(''acne'', ''u'', $1)'),
    ('SELECT vault.store_token(''acme'', NULL, $1)'),
    ('SELECT vault.store_token(''acme'', ''u'', $1, expires_in => -1)'),
    ('SELECT vault.store_token(''acme'', ''u'', $1, client => ''none'')'),
    ('SELECT vault.store_token(''acme'', ''u'', $1, metadata => ''[]'')'),
    ('SELECT vault.store_token(''acme'', ''u'', $1 || chr(10))'),
    ('SELECT vault.store_token(''acme'', ''u'', repeat($1, 100000))'),
    ('SELECT vault.store_token(''acme'', ''u'', ''a'', $1 || chr(13))'),
    ('SELECT vault.store_token(''acme'', ''u'', ''a'', repeat($1, 100000))'),
    ('SELECT vault.store_token(''acme'', ''u'', ''a'', id_token => repeat($1, 100000))'),
    ('SELECT vault.store_token_response(''acme'', ''u'', to_jsonb($1))'),
    ('SELECT vault.store_token_response(''acme'', ''u'', jsonb_build_array($1))'),
    ('SELECT vault.store_token_response(''acme'', ''u'', jsonb_build_object(''token'', $1))'),
    ('SELECT vault.store_token_response(''acme'', ''u'', jsonb_build_object(''access_token'', jsonb_build_array($1)))'),
    ('SELECT vault.store_token_response(''acme'', ''u'', jsonb_build_object(''access_token'', $1, ''expires_in'', $1))'),
    ('SELECT vault.store_token_response(''acme'', ''u'', jsonb_build_object(''access_token'', $1, ''expires_at'', $1))'),
    ('SELECT vault.store_token_response(''acme'', ''u'', jsonb_build_object(''access_token'', ''a'', ''refresh_token'', $1 || chr(10)))'),
    ('SELECT vault.store_token_response(''acme'', ''u'', jsonb_build_object(''error'', $1, ''error_description'', $1))'),
    ('SELECT vault.store_token_response(''acme'', ''u'', jsonb_build_object(''access_token'', $1, ''n'', 1e400))'),
    ('SELECT vault.register_client(''c'', ''acne'', ''id'', $1)'),
    ('SELECT vault.register_client(''c'', ''acme'', ''id'', $1, metadata => ''[]'')'),
    ('SELECT vault.register_client(''c'', ''acme'', ''id'', repeat($1, 100000))'),
    ('SELECT vault.add_client_secret(''none'', $1)'),
    ('SELECT vault.seal(repeat($1, 1400000))'),
    ('INSERT INTO webhook VALUES (1, $1)'),
    ('INSERT INTO webhook VALUES (2, $1, ''bad'')'),
    ('INSERT INTO webhook VALUES (2, $1, ''refuse'')'),
    ('INSERT INTO webhook SELECT NULL, $1'),
    ('INSERT INTO webhook VALUES (2, ''tv1.'' || $1)'),
    ('UPDATE webhook SET signing_key = $1, note = ''bad'''),
    ('SELECT ($1::vault.secret)::text::integer'),
    ('SELECT vault.reveal(vault.seal($1, ''a''), ''b'')'),
    ('SELECT vault.reveal(vault.seal($1), $1)');
SELECT left(said, 5) AS sqlstate, position(:'canary' IN said) > 0 AS leaks, statement
FROM failing, said(statement, :'canary') ORDER BY n;
-- A role without rights: the same.
SET ROLE regress_nobody;
SELECT DISTINCT left(said, 5) AS sqlstate, position(:'canary' IN said) > 0 AS leaks
FROM unnest(ARRAY['SELECT vault.store_token(''acme'', ''u'', $1)', 'SELECT vault.seal($1)', 'INSERT INTO webhook VALUES (3, $1)', 'SELECT vault.add_client_secret(''c'', $1)',
    'SELECT vault.store_token_response(''acme'', ''u'', jsonb_build_object(''access_token'', $1))']) AS statement, said(statement, :'canary');
RESET ROLE;

-- The catalogs keep ciphertext of literals in definitions, too.
CREATE TABLE defaults (k vault.secret DEFAULT 'CANARY-5f1c9a');
CREATE VIEW literals AS SELECT 'CANARY-5f1c9a'::vault.secret AS k;
SELECT position(:'canary' IN pg_get_viewdef('literals'::regclass)), position(:'canary' IN pg_get_expr(adbin, adrelid)) FROM pg_attrdef WHERE adrelid = 'defaults'::regclass;
INSERT INTO defaults DEFAULT VALUES;
SELECT vault.reveal(k) FROM defaults;
SELECT vault.reveal(k) FROM literals;
-- EXPLAIN shows ciphertext.
CREATE FUNCTION plan() RETURNS SETOF text LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY EXECUTE 'EXPLAIN VERBOSE SELECT ''CANARY-5f1c9a''::vault.secret'; END $$;
SELECT string_agg(line, '') LIKE '%CANARY%' FROM plan() AS line;

DROP FUNCTION plan();
DROP VIEW literals;
DROP TABLE webhook, failing, defaults;
DROP FUNCTION refuse();
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA vault FROM regress_nobody;
REVOKE ALL ON SCHEMA vault FROM regress_nobody;
DROP ROLE regress_nobody;
SELECT (SELECT count(*) FROM vault.token), (SELECT count(*) FROM vault.client);
