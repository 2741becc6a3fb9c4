-- Rules for a part of the vault: patterns for tenant, provider and subject.
\a \t
SELECT vault.register_provider('globex', 'https://auth.globex.example/token');
SET client_min_messages = error;
SELECT count(vault.store_token(provider, subject, provider || ' ' || subject || ' of ' || tenant, 'refresh', 3600, tenant => tenant))
FROM unnest('{blue,blue-2,red}'::text[]) AS tenant, unnest('{acme,globex}'::text[]) AS provider, unnest('{ann,bob}'::text[]) AS subject;
RESET client_min_messages;
SELECT vault.register_client('shared', 'acme', 'id', 'shared secret'), vault.register_client('own', 'acme', 'id-blue', 'blue secret', tenant => 'blue'),
       vault.register_client('own', 'globex', 'id-red', 'red secret', tenant => 'red');
SELECT vault.disable_client('shared');
CREATE ROLE regress_blue; CREATE ROLE regress_blues; CREATE ROLE regress_acme; CREATE ROLE regress_ann; CREATE ROLE regress_one; CREATE ROLE regress_two;
SELECT vault.grant_access('regress_blue', '{read,write,refresh,export,admin}', tenant => 'blue'),
       vault.grant_access('regress_blues', '{read}', tenant => 'blue*'),
       vault.grant_access('regress_acme', '{read,write,export,admin}', provider => 'acme'),
       vault.grant_access('regress_ann', '{read,write}', subject => 'ann'),
       vault.grant_access('regress_one', '{read,write,refresh,export}', 'blue', 'acme', 'ann'),
       vault.grant_access('regress_two', '{read}', tenant => 'blue'), vault.grant_access('regress_two', '{read}', provider => 'acme', subject => 'b*');
SELECT role, tenant, provider, subject, privileges FROM vault.access_rules ORDER BY role, tenant COLLATE "C";

-- Which tokens each may get, change, export, and sees.
CREATE FUNCTION reached(statement text) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(tenant || '/' || provider || '/' || subject, ' ' ORDER BY tenant, provider, subject)
    FROM unnest('{blue,blue-2,red}'::text[]) AS tenant, unnest('{acme,globex}'::text[]) AS provider, unnest('{ann,bob}'::text[]) AS subject
    WHERE outcome(format(statement, provider, subject, tenant)) <> '42501'
$$;
SET ROLE regress_blue;
SELECT reached('SELECT vault.get_token(%L, %L, %L)');
SELECT reached('SELECT vault.export_token_set(%L, %L, %L)');
SELECT count(*), min(tenant), max(tenant) FROM vault.tokens;
SELECT tenant, name FROM vault.clients;
SELECT reason, tenant, provider, subject, client FROM vault.attention ORDER BY reason, subject;
SET ROLE regress_blues;
SELECT reached('SELECT vault.get_token(%L, %L, %L)');
SELECT reached('SELECT vault.set_refresh_policy(%L, %L, ''never'', %L)');
SELECT count(*) FROM vault.tokens;
SET ROLE regress_acme;
SELECT reached('SELECT vault.get_token(%L, %L, %L)');
SELECT tenant, name FROM vault.clients ORDER BY tenant;
SET ROLE regress_ann;
SELECT reached('SELECT vault.authorization_header(%L, %L, %L)');
SELECT count(*), min(subject), max(subject) FROM vault.tokens;
SELECT count(*) FROM vault.clients;
SET ROLE regress_one;
SELECT reached('SELECT vault.get_token(%L, %L, %L)');
SELECT reached('SELECT vault.refresh_token(%L, %L, %L)');
SELECT reason, tenant, provider, subject FROM vault.attention;
SELECT reached('SELECT vault.store_token(%L, %L, ''new'', tenant => %L)');
SET ROLE regress_two;
SELECT reached('SELECT vault.has_token(%L, %L, %L)');
RESET ROLE;

-- Who is refused hears what for.
SET ROLE regress_one;
SELECT vault.get_token('acme', 'ann', tenant => 'red');
\echo :SQLSTATE
SELECT vault.refresh_due();
SELECT vault.delete_subject('bob', tenant => 'blue');
\echo :SQLSTATE
RESET ROLE;

-- Sets: what is outside one's rules is left alone.
BEGIN;
SET LOCAL ROLE regress_acme;
SELECT vault.delete_subject('ann', tenant => 'blue');
RESET ROLE;
SELECT provider, count(*) FROM vault.token WHERE tenant = 'blue' AND subject = 'ann' GROUP BY provider;
ROLLBACK;
SET ROLE regress_acme;
SELECT outcome($$SELECT vault.delete_tenant('blue')$$), outcome($$SELECT vault.shred_tenant('blue')$$);
SET ROLE regress_blue;
SELECT outcome($$SELECT vault.delete_tenant('red')$$), outcome($$SELECT vault.shred_tenant('red')$$), outcome($$SELECT vault.create_tenant_key('red')$$),
       outcome($$SELECT vault.rotate_key()$$);
BEGIN;
SELECT vault.delete_tenant('blue');
ROLLBACK;
RESET ROLE;

-- Clients: those of one tenant, those of one provider. Whether there is another one is not told.
SET ROLE regress_blue;
SELECT outcome($$SELECT vault.disable_client('own', 'blue')$$), outcome($$SELECT vault.disable_client('shared')$$), outcome($$SELECT vault.disable_client('own', 'red')$$),
       outcome($$SELECT vault.disable_client('none', 'blue')$$), outcome($$SELECT vault.disable_client('none', 'red')$$), outcome($$SELECT vault.disable_client('none')$$);
SELECT * FROM vault.export_client_secrets('own', 'blue');
SELECT outcome($$SELECT vault.export_client_secrets('shared')$$), outcome($$SELECT vault.export_client_secrets('own', 'red')$$);
SET ROLE regress_acme;
SELECT * FROM vault.export_client_secrets('shared');
SELECT outcome($$SELECT vault.enable_client('own', 'blue')$$), outcome($$SELECT vault.enable_client('own', 'red')$$), outcome($$SELECT vault.enable_client('none', 'red')$$);
-- A client of another provider is not taken over either.
SELECT outcome($$SELECT vault.register_client('own', 'acme', 'mine', tenant => 'red')$$), outcome($$SELECT vault.register_client('new', 'globex', 'mine', tenant => 'red')$$);
RESET ROLE;

-- The whole vault needs a rule for all of it.
SET ROLE regress_blue;
SELECT outcome('SELECT vault.status()'), outcome('SELECT * FROM vault.verify()'), outcome('SELECT vault.rotate_master_key()'), outcome('SELECT vault.adopt_installation()'),
       outcome($$SELECT vault.register_provider('p', 'https://p.example/')$$), outcome($$SELECT vault.drop_provider('globex')$$), outcome('SELECT vault.pause_reencryption()'),
       outcome('CALL vault.reencrypt()'), outcome('SELECT * FROM vault.key_usage()'), outcome($$SELECT vault.drop_tenant_authority('x')$$);
SELECT (SELECT count(*) FROM vault.keys), (SELECT count(*) FROM vault.reencryption), (SELECT count(*) FROM vault.tenant_authorities);

-- An administrator of a tenant grants within it, and no more than that.
SELECT role, tenant FROM vault.access_rules ORDER BY role;
SELECT vault.grant_access('regress_two', '{write}', tenant => 'blue', provider => 'acme');
SELECT outcome($$SELECT vault.grant_access('regress_two', '{read}')$$), outcome($$SELECT vault.grant_access('regress_two', '{read}', tenant => 'red')$$),
       outcome($$SELECT vault.grant_access('regress_two', '{read}', tenant => 'blue*')$$), outcome($$SELECT vault.grant_access('regress_two', '{read}', tenant => '*')$$),
       outcome($$SELECT vault.grant_access('regress_two', '{read}', provider => 'acme', subject => 'ann')$$), outcome($$SELECT vault.grant_access('regress_blue', '{admin}')$$),
       outcome($$SELECT vault.revoke_access('regress_acme', provider => 'acme')$$);
-- Without patterns, what is not theirs to revoke stays.
SELECT vault.revoke_access('regress_two');
RESET ROLE;
SELECT tenant, provider, subject, privileges FROM vault.access_rules WHERE role = 'regress_two';
SET ROLE regress_two;
SELECT reached('SELECT vault.has_token(%L, %L, %L)');
RESET ROLE;

-- Revoking names the rule as it was granted.
SELECT vault.grant_access('regress_two', '{read,write}', tenant => 'red'), vault.grant_access('regress_two', '{read,refresh}');
SELECT vault.revoke_access('regress_two', '{read}', tenant => 'r*');
SELECT vault.revoke_access('regress_two', '{read}', tenant => 'red');
SELECT tenant, provider, subject, privileges FROM vault.access_rules WHERE role = 'regress_two' ORDER BY tenant COLLATE "C", provider COLLATE "C";
SELECT vault.revoke_access('regress_two', '{read}');
SELECT tenant, provider, subject, privileges FROM vault.access_rules WHERE role = 'regress_two' ORDER BY tenant COLLATE "C", provider COLLATE "C";
SET ROLE regress_two;
SELECT outcome('SELECT * FROM vault.tokens'), outcome($$SELECT vault.refresh_due()$$), outcome($$SELECT vault.store_token('acme', 'ann', 'a', tenant => 'red')$$);
RESET ROLE;

-- A session that is bound to a tenant grants for that one.
SET token_vault.tenant = 'b*';
SELECT vault.grant_access('regress_two', '{read}');
SELECT outcome($$SELECT vault.grant_access('regress_two', '{read}', tenant => '*')$$), outcome($$SELECT vault.grant_access('regress_two', '{read}', tenant => 'blue')$$);
RESET token_vault.tenant;
SELECT tenant FROM vault.access_rules WHERE role = 'regress_two' ORDER BY tenant COLLATE "C";
SET ROLE regress_two;
SELECT outcome($$SELECT vault.has_token('acme', 'ann', tenant => 'b*')$$), outcome($$SELECT vault.has_token('acme', 'ann', tenant => 'blue')$$);
RESET ROLE;

-- Patterns that are none.
SELECT vault.grant_access('regress_two', '{read}', tenant => 'blue\');
\echo :SQLSTATE
SELECT outcome($$SELECT vault.grant_access('regress_two', '{read}', provider => '')$$), outcome($$SELECT vault.grant_access('regress_two', '{read}', subject => repeat('*', 513))$$),
       outcome($$SELECT vault.grant_access('regress_two', '{read}', subject => repeat('*', 512))$$);
-- One that an administrator has written into the table by hand does nothing.
INSERT INTO vault.access_rule VALUES ('regress_ann', 'red\', '*', '*', '{read,refresh}', 'nobody');
SET ROLE regress_ann;
SELECT outcome('SELECT vault.refresh_due()'), outcome($$SELECT vault.has_token('acme', 'bob', 'red')$$);
RESET ROLE;

-- Encrypted values belong to the tenant of their key, or else of the session.
CREATE TABLE webhook (id int, signing_key vault.secret);
GRANT ALL ON webhook TO PUBLIC;
SELECT vault.create_tenant_key('red') IS NOT NULL;
INSERT INTO webhook VALUES (1, 'of nobody');
SET token_vault.tenant = 'red';
INSERT INTO webhook VALUES (2, 'of red');
SET token_vault.tenant = 'blue';
INSERT INTO webhook VALUES (3, 'of blue, under the key of all');
-- Superusers too keep to the tenant they have set.
SELECT vault.reveal(signing_key) FROM webhook WHERE id = 2;
\echo :SQLSTATE
RESET token_vault.tenant;
SET ROLE regress_blue;
SELECT id, outcome(format('SELECT vault.reveal(signing_key) FROM webhook WHERE id = %s', id)) FROM webhook ORDER BY id;
SELECT vault.reveal(signing_key) FROM webhook WHERE id = 2;
\echo :SQLSTATE
SELECT outcome($$INSERT INTO webhook VALUES (4, 'x')$$), outcome($$SELECT vault.seal('x')$$);
SET token_vault.tenant = 'blue';
SELECT id, outcome(format('SELECT vault.reveal(signing_key) FROM webhook WHERE id = %s', id)) FROM webhook ORDER BY id;
SELECT outcome($$INSERT INTO webhook VALUES (4, 'x')$$), outcome($$SELECT vault.seal('x')$$);
SET token_vault.tenant = 'red';
SELECT outcome($$INSERT INTO webhook VALUES (5, 'x')$$), outcome($$SELECT vault.reveal(signing_key) FROM webhook WHERE id = 2$$);
RESET token_vault.tenant;
SET ROLE regress_one;
SELECT outcome($$INSERT INTO webhook VALUES (6, 'x')$$);
SET token_vault.tenant = 'blue';
SELECT outcome($$INSERT INTO webhook VALUES (6, 'x')$$);
RESET token_vault.tenant;
RESET ROLE;
-- So does ciphertext that is written as it is.
SELECT vault.grant_access('regress_one', '{restore}', tenant => 'red');
SELECT signing_key AS nobodys FROM webhook WHERE id = 1 \gset
SELECT signing_key AS reds FROM webhook WHERE id = 2 \gset
SET ROLE regress_one;
SELECT outcome(format('INSERT INTO webhook VALUES (7, %L)', :'nobodys')), outcome(format('INSERT INTO webhook VALUES (7, %L)', :'reds')),
       outcome('INSERT INTO webhook VALUES (7, ''tv1.damaged'')');
RESET ROLE;
SELECT id FROM webhook WHERE id > 3 ORDER BY id;

-- Rules in a cluster that has not their roles: they do nothing, and say so.
INSERT INTO vault.access_rule VALUES ('regress_late', 'blue', '*', '*', '{read,write}', 'somebody');
SELECT state, advice FROM vault.status() WHERE item = 'access rules';
CREATE ROLE regress_late;
SELECT role, role_exists, grants_missing FROM vault.access_rules WHERE role IN ('regress_late', 'regress_one') ORDER BY role, tenant;
SELECT state FROM vault.status() WHERE item = 'access rules';
SELECT vault.grant_access(role, privileges, tenant, provider, subject) FROM vault.access_rules WHERE grants_missing;
SELECT count(*) FROM vault.status() WHERE item = 'access rules';
SET ROLE regress_late;
SELECT vault.get_token('acme', 'bob', tenant => 'blue');
RESET ROLE;

DROP TABLE webhook;
DROP FUNCTION reached;
DELETE FROM vault.access_rule WHERE subject = '*' AND tenant = 'red\';
SELECT count(vault.revoke_access(role)) FROM (SELECT DISTINCT role FROM vault.access_rules) AS r;
SELECT count(*) FROM vault.access_rule;
DROP ROLE regress_blue, regress_blues, regress_acme, regress_ann, regress_one, regress_two, regress_late;
SELECT vault.delete_tenant('blue'), vault.delete_tenant('blue-2');
SELECT item, state FROM vault.shred_tenant('red') WHERE item LIKE '% deleted';
DELETE FROM vault.key WHERE tenant = 'red';
SELECT vault.drop_client('own', 'blue'), vault.drop_client('shared'), vault.drop_provider('globex');
