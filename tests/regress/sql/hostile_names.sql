-- Names are data: quotes, other scripts, directions and lengths go in and come out as they are.
\a \t
CREATE TABLE hostile (n serial, name text);
INSERT INTO hostile (name) VALUES ('''; DROP TABLE vault.token; --'), ('"quoted" ''twice'''), ('$1 $$ %s {} \ \\'), ('a/b?c=d&e#f'), (' '), (E'line\nbreak\ttab'),
    (U&'\05E9\05DC\05D5\05DD \202E rtl'), (U&'e\0301'), (U&'\00E9'), (U&'\+01F511'), ('NULL'), ('null'), ('default'), ('tv1.AQE'), (repeat('x', 512)), (repeat('é', 256)),
    ('../../etc/passwd'), (E'\x01\x7f'), ('{"json": true}'), ('Ünïcode'), ('UPPER'), ('upper');
SELECT count(vault.register_provider(name, 'https://h.example/token')) FROM hostile;
-- As tenant, provider, subject and label at once: 22 different tokens, each with its own value.
SELECT count(vault.store_token(name, name, 'access ' || n, tenant => name, label => name, metadata => jsonb_build_object(name, name))) FROM hostile;
SELECT n FROM hostile WHERE vault.get_token(name, name, name, name) IS DISTINCT FROM 'access ' || n;

SELECT count(*) FROM hostile AS h JOIN vault.tokens AS t ON (t.tenant, t.provider, t.subject, t.label) = (h.name, h.name, h.name, h.name) AND t.metadata = jsonb_build_object(h.name, h.name);
SELECT n FROM hostile WHERE NOT vault.delete_token(name, name, name, name);
SELECT count(*) FROM vault.tokens;
-- Clients and their secrets.
SELECT count(vault.register_client(name, name, name, 'secret', tenant => name)) FROM hostile;
SELECT count(vault.add_client_secret(name, 'second secret', name)) FROM hostile;
SELECT count(*) FROM vault.clients WHERE name = provider AND name = client_id AND name = tenant AND client_secrets = 2;
SELECT count(vault.drop_client(name, name)) FROM hostile;
SELECT count(vault.drop_provider(name)) FROM hostile;
-- In messages.
SELECT vault.get_token('"; SELECT 1', 'user-1');
SELECT vault.get_token(U&'\202Egoogle', 'user-1');
-- Roles.
CREATE ROLE "regress_ ""'; DROP"; CREATE ROLE "regress_Ünï"; CREATE ROLE "regress_public";
SELECT vault.grant_access(rolname, '{read,write}') FROM pg_roles WHERE rolname IN ('regress_ "''; DROP', 'regress_Ünï', 'regress_public') ORDER BY rolname;
SELECT role, privileges, role_exists FROM vault.access_rules ORDER BY role COLLATE "C";
SET ROLE "regress_ ""'; DROP";
SELECT vault.has_token('acme', 'user-1');
RESET ROLE;
SELECT vault.revoke_access(role) FROM vault.access_rules;
SELECT count(*) FROM vault.access_rules;
-- No grant is left: the roles can go.
DROP ROLE "regress_ ""'; DROP", "regress_Ünï", "regress_public";
SELECT outcome($$SELECT vault.grant_access(repeat('x', 200), '{read}')$$);
DROP TABLE hostile;
