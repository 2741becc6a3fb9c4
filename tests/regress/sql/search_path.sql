-- A schema full of traps comes first in search_path, and temporary tables carry the vault's names: no trap is ever stepped into.
\a \t
SET client_min_messages = error;
CREATE SCHEMA evil;
DO $$
DECLARE
    name text; argument text; operator text; signature text;
BEGIN
    -- Operators over the types the vault works with.
    FOR argument, operator IN
        SELECT t, o FROM unnest(ARRAY['text', 'bigint', 'integer', 'timestamptz', 'boolean', 'jsonb', 'text[]', 'bytea', 'oid', 'name', 'xid']) AS t,
                         unnest(ARRAY['=', '<>', '<', '<=', '>', '>=', '||', '+', '-', '<@', '@>']) AS o
    LOOP
        name := 'operator_' || md5(argument || operator);
        EXECUTE format('CREATE FUNCTION evil.%I(%s, %2$s) RETURNS boolean LANGUAGE plpgsql AS ''BEGIN RAISE EXCEPTION $trap$trap: operator$trap$; END''', name, argument);
        EXECUTE format('CREATE OPERATOR evil.%s (LEFTARG = %s, RIGHTARG = %2$s, FUNCTION = evil.%3$I)', operator, argument, name);
    END LOOP;
    -- Functions, with the exact types of the calls.
    FOREACH signature IN ARRAY ARRAY['to_jsonb(anyelement)', 'jsonb_populate_record(anyelement, jsonb)', 'jsonb_typeof(jsonb)', 'to_timestamp(double precision)', 'to_timestamp(numeric)',
        'statement_timestamp()', 'clock_timestamp()', 'now()', 'unnest(anyarray)', 'unnest(text[])', 'cardinality(anyarray)', 'cardinality(text[])', 'octet_length(bytea)', 'encode(bytea, text)',
        'to_regrole(text)', 'quote_ident(text)', 'nextval(regclass)', 'pg_get_userbyid(oid)', 'format(text, text)', 'substr(bytea, integer)', 'setval(regclass, bigint)', 'length(text)', 'lower(text)']
    LOOP
        EXECUTE format('CREATE FUNCTION evil.%s RETURNS text LANGUAGE plpgsql AS ''BEGIN RAISE EXCEPTION $trap$trap: %1$s$trap$; END''', signature);
    END LOOP;
END
$$;
CREATE FUNCTION evil.step() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'trap: table %', TG_TABLE_NAME; END $$;
CREATE FUNCTION evil.spring(bigint, anyelement) RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'trap: aggregate'; END $$;
CREATE FUNCTION evil.spring(bigint) RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'trap: aggregate'; END $$;
CREATE AGGREGATE evil.count(*) (SFUNC = evil.spring, STYPE = bigint, INITCOND = '0');
CREATE AGGREGATE evil.min(integer) (SFUNC = evil.spring, STYPE = bigint, INITCOND = '0');
CREATE AGGREGATE evil.max(integer) (SFUNC = evil.spring, STYPE = bigint, INITCOND = '0');
-- Types.
CREATE DOMAIN evil.text AS pg_catalog.text CHECK (false);
CREATE DOMAIN evil.oid AS pg_catalog.oid CHECK (false);
CREATE DOMAIN evil.int8 AS pg_catalog.int8 CHECK (false);
CREATE DOMAIN evil.timestamptz AS pg_catalog.timestamptz CHECK (false);
CREATE DOMAIN evil.jsonb AS pg_catalog.jsonb CHECK (false);
CREATE DOMAIN evil.secret AS pg_catalog.text CHECK (false);
-- Tables under the vault's and the catalog's names.
CREATE PROCEDURE set_table_traps(target text) LANGUAGE plpgsql AS $$
DECLARE
    name name;
BEGIN
    FOR name IN SELECT relname FROM pg_class WHERE relnamespace = 'vault'::regnamespace AND relkind IN ('r', 'v')
                UNION ALL VALUES ('pg_attribute'), ('pg_class'), ('pg_roles'), ('pg_authid'), ('unnest')
    LOOP
        EXECUTE format('CREATE TABLE %s.%I (id bigint, name pg_catalog.text)', target, name);
        EXECUTE format('CREATE TRIGGER trap BEFORE INSERT OR UPDATE OR DELETE ON %s.%I EXECUTE FUNCTION evil.step()', target, name);
    END LOOP;
END
$$;
CALL set_table_traps('evil');
CREATE ROLE regress_app;
GRANT ALL ON SCHEMA evil TO regress_app;
SELECT vault.grant_access('regress_app', '{read,write,refresh,export,admin}', tenant => '*'), vault.grant_access('regress_app', '{refresh}', tenant => 'path');


-- Every call that reaches tables. They run in new sessions, so that their plans are made under these paths.
-- The first statement there shows that the traps are live.
CREATE TABLE calls (n serial, call text);
INSERT INTO calls (call) VALUES
    ($$SELECT vault.register_provider('path', 'https://path.example/token', settings => '{"default_expires_in": 60, "allowed_hosts": ["a"]}')$$),
    ($$SELECT vault.register_client('path', 'path', 'id', 'client secret', metadata => '{"a": 1}'), vault.add_client_secret('path', 'second'), vault.drop_client_secrets('path')$$),
    ($$SELECT vault.store_token('path', 'user-1', 'access', 'refresh', 3600), vault.store_token('path', 'user-1', 'access-2', metadata => '{"a": 1}')$$),
    ($$SELECT vault.store_token_response('path', 'user-2', '{"access_token": "access", "expires_in": 3600, "team": "blue"}')$$),
    ($$SELECT vault.get_token('path', 'user-1'), vault.authorization_header('path', 'user-1'), vault.has_token('path', 'user-1')$$),
    ($$SELECT vault.is_valid('path', 'user-1', min_validity => '1 s'), vault.token_status('path', 'user-1')$$),
    ($$SELECT access_token FROM vault.get_token_set('path', 'user-1')$$),
    ($$SELECT subject, access_token FROM vault.get_tokens('path', ARRAY['user-2', 'nobody', 'user-1'])$$),
    ($$SELECT subject, status, client, has_refresh_token, generation, metadata, response FROM vault.tokens WHERE provider OPERATOR(pg_catalog.=) 'path' ORDER BY subject$$),
    ($$SELECT name, client_secrets FROM vault.clients$$),
    ($$SELECT builtin, token_endpoint FROM vault.providers WHERE name OPERATOR(pg_catalog.=) 'path'$$),
    ($$SELECT pg_catalog.count(state) FROM vault.keys$$),
    ($$SELECT vault.reveal('literal'), vault.reveal(vault.seal('sealed', 'context'), 'context'), vault.reveal('cast'::pg_catalog.text::vault.secret)$$),
    ($$SELECT item FROM vault.status()$$),
    ($$SELECT vault.grant_access('pg_monitor', '{read,write}'), vault.revoke_access('pg_monitor', '{read}'), vault.grant_access('pg_monitor', '{refresh}')$$),
    ($$SELECT vault.grant_access('pg_monitor', '{read}', tenant => 'b*', provider => 'path', subject => 'user'), vault.revoke_access('pg_monitor', '{read}', 'b*', 'path', 'user')$$),
    ($$SELECT role, tenant, privileges, grants_missing FROM vault.access_rules ORDER BY role, tenant$$),
    ($$SELECT vault.add_tenant_authority('path', pg_catalog.decode(pg_catalog.repeat('00', 32), 'hex'))$$),
    ($$SELECT name FROM vault.tenant_authorities$$),
    ($$SELECT vault.enter_tenant('path', 'eyJhbGciOiJFZERTQSJ9.e30.')$$),
    ($$SELECT vault.drop_tenant_authority('path')$$),
    ($$SELECT access_token, refresh_token FROM vault.export_token_set('path', 'user-1')$$),
    ($$SELECT * FROM vault.export_client_secrets('path')$$),
    ($$SELECT reason, subject FROM vault.attention WHERE provider OPERATOR(pg_catalog.=) 'path' ORDER BY reason, subject$$),
    ($$SELECT pg_catalog.count(*) FROM vault.refresh_due()$$),
    ($$SELECT vault.refresh_token('path', 'user-1')$$),
    ($$SELECT vault.disable_client('path'), vault.enable_client('path'), vault.adopt_installation()$$),
    ($$SELECT vault.drop_client('path')$$),
    ($$SELECT vault.delete_token('path', 'user-2'), vault.delete_subject('user-1'), vault.delete_tenant('default')$$),
    ($$SELECT vault.drop_client('path'), vault.drop_provider('path'), vault.revoke_access('pg_monitor')$$);
GRANT SELECT ON calls TO regress_app;

\c -
SET client_min_messages = error;
CALL set_table_traps('pg_temp');
SET search_path = pg_temp, evil, pg_catalog, vault;
SELECT 1 = 1;
SELECT call FROM public.calls ORDER BY n \gexec
DISCARD TEMP;
\c -
SET client_min_messages = error;
SET SESSION AUTHORIZATION regress_app;
CALL set_table_traps('pg_temp');
SET search_path = evil, pg_catalog;
SELECT 'a' || 'b'::pg_catalog.text;
SELECT call FROM public.calls ORDER BY n \gexec
DISCARD TEMP;
\c -
SET client_min_messages = error;
DROP SCHEMA evil CASCADE;
DROP TABLE calls;
DROP PROCEDURE set_table_traps;
SELECT vault.revoke_access('regress_app');
DROP ROLE regress_app;
