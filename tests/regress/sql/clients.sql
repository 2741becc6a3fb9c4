-- Our registrations at the providers.
\a \t
SELECT vault.register_client('web', 'acme', 'client-1', 'secret-1', scope => 'read', redirect_uri => 'https://app.example/callback',
                             metadata => '{"region": "eu"}');
SELECT tenant, name, provider, client_id, scope, redirect_uri, active, client_secrets, metadata FROM vault.clients;
-- Again: what is not given stays.
SELECT vault.register_client('web', 'acme', 'client-1b');
SELECT client_id, scope, redirect_uri, client_secrets, metadata FROM vault.clients;
-- With a new secret it replaces all earlier ones.
SELECT vault.add_client_secret('web', 'secret-0');
SELECT vault.add_client_secret('web', 'secret-2', NULL, 'last');
SELECT client_secrets FROM vault.clients;
SELECT position FROM vault.client_secret ORDER BY position;
SELECT vault.register_client('web', 'acme', 'client-1', 'secret-3');
SELECT client_secrets FROM vault.clients;
SELECT vault.add_client_secret('web', 'secret-4'), vault.add_client_secret('web', 'secret-5');
SELECT vault.drop_client_secrets('web'), vault.drop_client_secrets('web'), vault.drop_client_secrets('web', keep => 0);
SELECT client_secrets FROM vault.clients;
-- Only ciphertext is stored.
SELECT vault.add_client_secret('web', 'secret-6');
SELECT position('secret' IN encode(client_secret, 'escape')) FROM vault.client_secret;
SELECT vault.add_client_secret('web', 'x', NULL, 'middle');
\echo :SQLSTATE
SELECT vault.add_client_secret('web', 'x', NULL, NULL);
\echo :SQLSTATE
SELECT vault.drop_client_secrets('web', keep => -1);
\echo :SQLSTATE
SELECT vault.drop_client_secrets('web', keep => NULL);
\echo :SQLSTATE

-- The only active client of the provider is the token's.
SELECT vault.store_token('acme', 'user-1', 'access', 'refresh', 3600);
SELECT client FROM vault.tokens WHERE subject = 'user-1';
-- With a second one the caller must say which.
SELECT vault.register_client('mobile', 'acme', 'client-2');
SELECT vault.store_token('acme', 'user-2', 'access');
\echo :SQLSTATE
SELECT vault.has_token('acme', 'user-2');
SELECT vault.store_token('acme', 'user-2', 'access', client => 'mobile');
SELECT client FROM vault.tokens WHERE subject = 'user-2';
-- One that is switched off is not chosen, and not accepted.
SELECT vault.disable_client('mobile');
SELECT vault.store_token('acme', 'user-3', 'access');
SELECT client FROM vault.tokens WHERE subject = 'user-3';
SELECT vault.store_token('acme', 'user-3', 'access', client => 'mobile');
\echo :SQLSTATE
SELECT vault.enable_client('mobile');
SELECT name, active FROM vault.clients ORDER BY name;

-- A tenant's own clients come before the shared ones; tenants have no share in each other's.
SELECT vault.register_client('web', 'acme', 'client-3', 'secret', tenant => 'blue');
SELECT vault.store_token('acme', 'user-1', 'access', tenant => 'blue');
SELECT c.tenant, c.name, c.client_id FROM vault.token AS t JOIN vault.client AS c ON c.id = t.client WHERE t.tenant = 'blue';
SELECT vault.store_token('acme', 'user-1', 'access', tenant => 'red');
\echo :SQLSTATE
SELECT vault.store_token('acme', 'user-1', 'access', tenant => 'red', client => 'mobile');
SELECT tenant, subject, client FROM vault.tokens WHERE tenant = 'red';
-- A client of another provider.
SELECT vault.register_client('other', 'github', 'client-4');
SELECT vault.store_token('acme', 'user-4', 'access', client => 'other');
\echo :SQLSTATE

-- In use: not dropped, and not moved to another provider.
SELECT vault.drop_client('web');
\echo :SQLSTATE
SELECT vault.register_client('web', 'github', 'client-1');
\echo :SQLSTATE
SELECT vault.delete_tenant('default'), vault.delete_tenant('blue'), vault.delete_tenant('red');
-- Moved: the secrets of the old provider are not offered to the new one.
SELECT client_secrets FROM vault.clients WHERE name = 'web' AND tenant IS NULL;
SELECT vault.register_client('web', 'github', 'client-1');
SELECT provider, client_secrets FROM vault.clients WHERE name = 'web' AND tenant IS NULL;
SELECT vault.drop_client('web'), vault.drop_client('mobile'), vault.drop_client('other'), vault.drop_client('web', 'blue');
SELECT (SELECT count(*) FROM vault.clients), (SELECT count(*) FROM vault.client_secret);

-- What is refused.
SELECT vault.drop_client('web');
\echo :SQLSTATE
SELECT vault.disable_client('web', 'blue');
\echo :SQLSTATE
SELECT outcome($$SELECT vault.register_client('web', 'acne', 'id')$$),
       outcome($$SELECT vault.register_client('', 'acme', 'id')$$),
       outcome($$SELECT vault.register_client(NULL, 'acme', 'id')$$),
       outcome($$SELECT vault.register_client('web', 'acme', '')$$),
       outcome($$SELECT vault.register_client('web', 'acme', 'id', '')$$),
       outcome($$SELECT vault.register_client('web', 'acme', 'id', metadata => '[]')$$),
       outcome($$SELECT vault.register_client(repeat('x', 513), 'acme', 'id')$$),
       outcome($$SELECT vault.add_client_secret('web', NULL)$$);
SELECT count(*) FROM vault.clients;
