-- Who may do what: the vault's privileges, beside PostgreSQL's own.
\a \t
SELECT vault.store_token('acme', 'user-1', 'access');
CREATE TABLE webhook (signing_key vault.secret);
INSERT INTO webhook VALUES ('signing');
GRANT ALL ON webhook TO PUBLIC;
CREATE ROLE regress_read; CREATE ROLE regress_write; CREATE ROLE regress_refresh;
CREATE ROLE regress_export; CREATE ROLE regress_restore; CREATE ROLE regress_admin; CREATE ROLE regress_nobody;
SELECT vault.grant_access('regress_' || privilege, ARRAY[privilege])
FROM unnest(ARRAY['read', 'write', 'refresh', 'export', 'restore', 'admin']) AS privilege;

-- Every privilege against one call of every kind. 42501: refused; anything else: let in.
CREATE FUNCTION matrix() RETURNS TABLE (role name, call text, outcome text) LANGUAGE plpgsql AS $$
BEGIN
    FOR role, call IN
        SELECT r, c FROM unnest(ARRAY['read', 'write', 'refresh', 'export', 'restore', 'admin', 'nobody']) AS r, unnest(ARRAY[
            'SELECT vault.get_token(''acme'', ''user-1'')',
            'SELECT vault.authorization_header(''acme'', ''user-1'')',
            'SELECT vault.get_token_set(''acme'', ''user-1'')',
            'SELECT vault.get_tokens(''acme'', ''{user-1}'')',
            'SELECT vault.token_status(''acme'', ''user-1'')',
            'SELECT vault.reveal(signing_key) FROM webhook',
            'SELECT * FROM vault.tokens',
            'SELECT signing_key FROM webhook',
            'SELECT vault.store_token(''acme'', ''user-2'', ''access'')',
            'SELECT vault.store_token_response(''acme'', ''user-2'', ''{"access_token": "a"}'')',
            'SELECT vault.delete_token(''acme'', ''user-2'')',
            'SELECT vault.delete_subject(''user-2'')',
            'SELECT vault.seal(''x'')',
            'INSERT INTO webhook VALUES (''literal'')',
            'INSERT INTO webhook SELECT ''expression'' || ''s''',
            'SELECT vault.refresh_token(''acme'', ''user-1'')',
            'SELECT vault.refresh_due()',
            'SELECT vault.export_token_set(''acme'', ''user-1'')',
            'SELECT vault.export_client_secrets(''none'')',
            'SELECT vault.enter_tenant(''none'', ''proof'')',
            'SELECT vault.delete_tenant(''none'')',
            'SELECT vault.status()',
            'SELECT vault.create_master_key()',
            'SELECT vault.adopt_installation()',
            'SELECT vault.grant_access(''regress_nobody'', ''{read}''), vault.revoke_access(''regress_nobody'')',
            'SELECT vault.register_provider(''p'', ''https://p.example/''), vault.drop_provider(''p'')',
            'SELECT vault.register_client(''c'', ''acme'', ''id''), vault.drop_client(''c'')',
            'SELECT * FROM vault.keys',
            'SELECT * FROM vault.clients',
            'SELECT * FROM vault.providers',
            'SELECT * FROM vault.access_rules',
            'SELECT * FROM vault.attention',
            'SELECT * FROM vault.tenant_authorities',
            'SELECT vault.add_tenant_authority(''a'', ''\x00'')',
            'SELECT vault.can_grant(''*'', ''*'', ''*'')',
            'SELECT vault.role_can(''regress_read''::regrole, ''read'', ''t'', ''p'', ''s'')',
            'SELECT * FROM vault.token',
            'SELECT * FROM vault.key',
            'SELECT * FROM vault.client_secret',
            'SELECT nextval(''vault.token_id_seq'')',
            'DELETE FROM vault.access_rule']) WITH ORDINALITY AS c (c, n)
        ORDER BY n, r
    LOOP
        BEGIN
            EXECUTE format('SET LOCAL ROLE %I', 'regress_' || role);
            outcome := outcome(call);
            -- Nothing of it stays.
            RAISE EXCEPTION USING ERRCODE = 'RB000';
        EXCEPTION WHEN SQLSTATE 'RB000' THEN
        END;
        RETURN NEXT;
    END LOOP;
END
$$;
SELECT call, string_agg(role, ', ' ORDER BY role) AS allowed FROM matrix() WHERE outcome <> '42501' GROUP BY call ORDER BY call COLLATE "C";
-- Whoever is refused by the vault itself hears what is missing.
GRANT USAGE ON SCHEMA vault TO regress_nobody;
GRANT EXECUTE ON FUNCTION vault.get_token TO regress_nobody;
SET ROLE regress_nobody;
SELECT vault.get_token('acme', 'user-1');
\echo :SQLSTATE
INSERT INTO webhook VALUES ('literal');
\echo :SQLSTATE
RESET ROLE;
REVOKE USAGE ON SCHEMA vault FROM regress_nobody;
REVOKE EXECUTE ON FUNCTION vault.get_token FROM regress_nobody;

-- Rules add up, and are shown.
SELECT vault.grant_access('regress_read', '{write,read}'), vault.grant_access('regress_read', '{refresh}');
SELECT role, privileges, granted_by, role_exists FROM vault.access_rules WHERE role = 'regress_read';
SELECT vault.revoke_access('regress_read', '{refresh,write}');
SELECT privileges FROM vault.access_rules WHERE role = 'regress_read';
SET ROLE regress_read;
SELECT outcome($$SELECT vault.get_token('acme', 'user-1')$$), outcome($$SELECT vault.store_token('acme', 'user-2', 'a')$$);
RESET ROLE;
-- Revoked: over at once, and no grant is left behind.
SELECT vault.revoke_access('regress_read');
SET ROLE regress_read;
SELECT outcome($$SELECT vault.get_token('acme', 'user-1')$$), outcome('SELECT * FROM vault.tokens');
RESET ROLE;
DROP ROLE regress_read;
SELECT role FROM vault.access_rules WHERE role = 'regress_read';
-- Rolled back: as before.
BEGIN;
SELECT vault.revoke_access('regress_write');
SET LOCAL ROLE regress_write;
SELECT outcome($$SELECT vault.seal('x')$$);
ROLLBACK;
SET ROLE regress_write;
SELECT outcome($$SELECT vault.seal('x')$$);
RESET ROLE;

-- A member has the rights of its group by inheritance; one that does not inherit has them after SET ROLE.
CREATE ROLE regress_group; CREATE ROLE regress_member IN ROLE regress_group; CREATE ROLE regress_stranger NOINHERIT IN ROLE regress_group;
CREATE ROLE regress_grandchild IN ROLE regress_member;
SELECT vault.grant_access('regress_group', '{read}');
SET SESSION AUTHORIZATION regress_grandchild;
SELECT vault.get_token('acme', 'user-1');
SET SESSION AUTHORIZATION regress_stranger;
SELECT outcome($$SELECT vault.get_token('acme', 'user-1')$$);
SET ROLE regress_group;
SELECT vault.get_token('acme', 'user-1');
RESET SESSION AUTHORIZATION;
-- Membership ends: so does the right.
REVOKE regress_member FROM regress_grandchild;
SET SESSION AUTHORIZATION regress_grandchild;
SELECT outcome($$SELECT vault.get_token('acme', 'user-1')$$);
RESET SESSION AUTHORIZATION;
-- A superuser who acts as somebody has that one's rights only.
SET ROLE regress_nobody;
SELECT outcome($$SELECT vault.get_token('acme', 'user-1')$$);
RESET ROLE;

-- A function of somebody with the right lends it to its callers, for what it does and no more.
CREATE FUNCTION token_of_user_1() RETURNS text LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog
    AS $$ SELECT vault.get_token('acme', 'user-1') $$;
ALTER FUNCTION token_of_user_1() OWNER TO regress_member;
SET ROLE regress_nobody;
SELECT token_of_user_1();
SELECT outcome($$SELECT vault.get_token('acme', 'user-1')$$);
RESET ROLE;
-- A view of theirs lends nothing: functions in views run as the caller.
CREATE VIEW token_view AS SELECT vault.get_token('acme', 'user-1') AS token;
ALTER VIEW token_view OWNER TO regress_member;
GRANT SELECT ON token_view TO regress_nobody;
SET ROLE regress_nobody;
SELECT outcome('SELECT * FROM token_view');
RESET ROLE;

-- Rules are kept by name: a role that was renamed is granted anew, and the rule of the old name is revoked.
ALTER ROLE regress_group RENAME TO regress_renamed;
SET SESSION AUTHORIZATION regress_member;
SELECT outcome($$SELECT vault.get_token('acme', 'user-1')$$);
RESET SESSION AUTHORIZATION;
SELECT vault.revoke_access('regress_group'), vault.grant_access('regress_renamed', '{read}');
SET SESSION AUTHORIZATION regress_member;
SELECT outcome($$SELECT vault.get_token('acme', 'user-1')$$);
RESET SESSION AUTHORIZATION;
SELECT count(vault.revoke_access('regress_renamed')) FROM vault.access_rules WHERE role = 'regress_renamed';
ALTER ROLE regress_renamed RENAME TO regress_group;

-- A rule for a role that is gone does nothing, is shown as such, and can be removed.
DROP OWNED BY regress_export;
DROP ROLE regress_export;
SELECT role, role_exists FROM vault.access_rules WHERE role = 'regress_export';
SELECT vault.revoke_access('regress_export');
SELECT role FROM vault.access_rules WHERE role = 'regress_export';

-- What is refused.
SELECT vault.grant_access('regress_missing', '{read}');
\echo :SQLSTATE
SELECT vault.grant_access('regress_nobody', '{reed}');
\echo :SQLSTATE
SELECT outcome($$SELECT vault.grant_access('regress_nobody', '{}')$$),
       outcome($$SELECT vault.grant_access('regress_nobody', '{NULL}')$$),
       outcome($$SELECT vault.grant_access('regress_nobody', NULL)$$),
       outcome($$SELECT vault.grant_access('', '{read}')$$),
       outcome($$SELECT vault.grant_access(NULL, '{read}')$$),
       outcome($$SELECT vault.grant_access('public', '{read}')$$);
SELECT role FROM vault.access_rules WHERE role IN ('regress_nobody', 'public', 'regress_missing');

DROP VIEW token_view;
DROP FUNCTION token_of_user_1(), matrix();
DROP TABLE webhook;
SELECT count(vault.revoke_access(role)) FROM vault.access_rules;
DROP ROLE regress_write, regress_refresh, regress_restore, regress_admin, regress_nobody, regress_group, regress_member, regress_stranger, regress_grandchild;
SELECT vault.delete_tenant('default');
