-- Data keys: replaced, given to tenants, destroyed; everything encrypted again, and verified.
\a \t
CREATE DATABASE regress_key_rotation ENCODING 'UTF8' TEMPLATE template0;
\c regress_key_rotation
CREATE EXTENSION token_vault;
-- Before there is a key.
SELECT vault.rotate_key();
\echo :SQLSTATE
SELECT vault.create_tenant_key('blue');
\echo :SQLSTATE
SELECT vault.rotate_master_key();
\echo :SQLSTATE
SELECT * FROM vault.verify();
DO $$ BEGIN PERFORM vault.create_master_key(); END $$;

CREATE TABLE webhook (id integer PRIMARY KEY, signing_key vault.secret, changes integer NOT NULL DEFAULT 0);
CREATE FUNCTION count_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.changes := NEW.changes + 1; RETURN NEW; END $$;
CREATE TRIGGER count_change BEFORE UPDATE ON webhook FOR EACH ROW EXECUTE FUNCTION count_change();
INSERT INTO webhook VALUES (1, 'first'), (2, vault.seal('second', 'webhook:2')), (3, NULL);
SELECT vault.register_client('app', 'google', 'id', 'secret');
SELECT vault.store_token('google', 'user-1', 'access-1', 'refresh-1', 3600);
SELECT vault.store_token('google', 'user-2', 'access-2', 'refresh-2', 3600, tenant => 'blue');

-- Which key seals what: the number is the order in which the keys were made.
CREATE VIEW sealed AS
WITH k AS (SELECT key, rank() OVER (ORDER BY created_at) AS number, tenant, state FROM vault.keys)
SELECT number, tenant, state FROM k ORDER BY number;
CREATE FUNCTION key_of(envelope bytea) RETURNS bigint LANGUAGE sql AS
    $$ SELECT number FROM (SELECT key, rank() OVER (ORDER BY created_at) AS number FROM vault.keys) AS k WHERE key = encode(substr(envelope, 3, 8), 'hex') $$;
CREATE FUNCTION keys_in_use() RETURNS TABLE (what text, number bigint) LANGUAGE sql AS $$
    SELECT subject, key_of(access_token) FROM vault.token
    UNION ALL SELECT 'client secret', key_of(client_secret) FROM vault.client_secret
    UNION ALL SELECT 'webhook ' || id, key_of(vault.secret_send(signing_key)) FROM webhook
    ORDER BY 1 $$;
SELECT * FROM keys_in_use();
-- The worker would do it at a time of its own.
CALL vault.reencrypt();
SELECT vault.pause_reencryption();

-- Rolled back, nothing has happened.
BEGIN;
SELECT vault.rotate_key() ~ '^[0-9a-f]{16}$';
SELECT count(*), count(*) FILTER (WHERE state = 'retired') FROM vault.keys;
ROLLBACK;
SELECT * FROM sealed;

SELECT vault.rotate_key() ~ '^[0-9a-f]{16}$';
SELECT vault.store_token('google', 'user-3', 'access-3', 'refresh-3', 3600);
SELECT * FROM keys_in_use();
SELECT vault.get_token('google', 'user-1'), vault.reveal(signing_key) FROM webhook WHERE id = 1;
CALL vault.reencrypt();
\echo :SQLSTATE
SELECT item, state, advice FROM vault.status() WHERE item = 'data keys';

-- A tenant's own key.
SELECT vault.create_tenant_key('blue') ~ '^[0-9a-f]{16}$';
SELECT vault.create_tenant_key('blue');
\echo :SQLSTATE
SELECT vault.create_tenant_key('');
SELECT vault.rotate_key(tenant => 'red');
\echo :SQLSTATE
SELECT vault.resume_reencryption();
-- Whoever is first, the worker or this session, does it.
DO $$
BEGIN
    FOR i IN 1..300 LOOP
        EXIT WHEN (SELECT state = 'done' FROM vault.reencryption);
        PERFORM pg_sleep(0.1);
        COMMIT;
    END LOOP;
END
$$;
SELECT state, remaining, problems, problem FROM vault.reencryption;
SELECT * FROM keys_in_use();
SELECT id, vault.reveal(signing_key, CASE id WHEN 2 THEN 'webhook:2' ELSE '' END), changes FROM webhook ORDER BY id;
SELECT subject, vault.get_token('google', subject, tenant => tenant) FROM vault.tokens ORDER BY subject;
SELECT tenant, state, tokens, client_secrets, secrets FROM vault.keys WHERE state = 'active' ORDER BY tenant NULLS FIRST;
SELECT relation, column_name, count(*), outcome FROM vault.verify() WHERE relation <> 'vault.key' GROUP BY 1, 2, 4 ORDER BY 1, 2, 4;

-- In a session that is bound to the tenant, columns are sealed with its key.
SET token_vault.tenant = 'blue';
INSERT INTO webhook VALUES (4, 'fourth');
SELECT vault.rotate_key(tenant => 'red');
\echo :SQLSTATE
RESET token_vault.tenant;
CREATE TABLE copy AS SELECT * FROM vault.token WHERE tenant = 'blue';

-- Shredded.
SELECT vault.shred_tenant('red');
\echo :SQLSTATE
SELECT item, regexp_replace(state, '[0-9a-f]{16}', '<number>', 'g'), advice FROM vault.shred_tenant('blue');
SELECT subject FROM vault.tokens ORDER BY subject;
INSERT INTO vault.token OVERRIDING SYSTEM VALUE SELECT * FROM copy;
\set VERBOSITY sqlstate
SELECT vault.get_token('google', 'user-2', tenant => 'blue');
SELECT vault.reveal(signing_key) FROM webhook WHERE id = 4;
\set VERBOSITY default
SELECT vault.store_token('google', 'user-2', 'access-2', tenant => 'blue');
SELECT vault.get_token('google', 'user-2', tenant => 'blue');

-- Nothing to replace the master key with; nobody without the privilege; no transaction block.
\set VERBOSITY sqlstate
SELECT vault.rotate_master_key();
\set VERBOSITY default
CREATE ROLE regress_app;
SELECT vault.grant_access('regress_app', '{read,write}');
SET ROLE regress_app;
SELECT vault.rotate_key();
SELECT vault.shred_tenant('blue');
SELECT * FROM vault.verify();
CALL vault.reencrypt();
SELECT * FROM vault.keys;
RESET ROLE;
BEGIN;
CALL vault.reencrypt();
\echo :SQLSTATE
ROLLBACK;
CALL vault.reencrypt(0);
\echo :SQLSTATE

\c regression
DROP DATABASE regress_key_rotation (FORCE);
DROP ROLE regress_app;
