-- A session bound to a tenant by token_vault.tenant.
\a \t
SELECT vault.store_token('acme', 'user-1', 'of blue', tenant => 'blue'), vault.store_token('acme', 'user-1', 'of red', tenant => 'red'),
       vault.store_token('acme', 'user-1', 'of default');
SELECT vault.register_client('shared', 'acme', 'id'), vault.register_client('own', 'acme', 'id-blue', tenant => 'blue'),
       vault.register_client('own', 'acme', 'id-red', tenant => 'red');

SET token_vault.tenant = 'blue';
SELECT vault.get_token('acme', 'user-1'), vault.get_token('acme', 'user-1', tenant => 'blue');
SELECT vault.get_token('acme', 'user-1', tenant => 'red');
\echo :SQLSTATE
SELECT vault.store_token('acme', 'user-2', 'of blue');
SELECT outcome($$SELECT vault.store_token('acme', 'user-2', 'x', tenant => 'default')$$),
       outcome($$SELECT vault.store_token_response('acme', 'user-2', '{"access_token": "x"}', tenant => 'red')$$),
       outcome($$SELECT vault.has_token('acme', 'user-1', tenant => 'red')$$),
       outcome($$SELECT vault.token_status('acme', 'user-1', tenant => 'red')$$),
       outcome($$SELECT vault.refresh_token('acme', 'user-1', tenant => 'red')$$),
       outcome($$SELECT vault.delete_token('acme', 'user-1', tenant => 'red')$$),
       outcome($$SELECT vault.delete_subject('user-1', tenant => 'red')$$),
       outcome($$SELECT vault.delete_tenant('red')$$),
       outcome($$SELECT vault.register_client('x', 'acme', 'id', tenant => 'red')$$),
       outcome($$SELECT vault.drop_client('own', 'red')$$);
-- The views hide the others' rows; clients without a tenant are everybody's.
SELECT tenant, subject FROM vault.tokens ORDER BY subject;
SELECT tenant, name FROM vault.clients ORDER BY name;
-- What is registered here is the tenant's.
SELECT vault.register_client('new', 'github', 'id');
RESET token_vault.tenant;
SELECT tenant FROM vault.clients WHERE name = 'new';
SELECT tenant, subject FROM vault.tokens ORDER BY tenant, subject;

-- For the length of a transaction, as poolers want it.
BEGIN;
SET LOCAL token_vault.tenant = 'red';
SELECT vault.get_token('acme', 'user-1');
COMMIT;
SELECT vault.get_token('acme', 'user-1');
BEGIN;
SELECT set_config('token_vault.tenant', 'blue', true);
SELECT vault.get_token('acme', 'user-1');
ROLLBACK;
SELECT vault.get_token('acme', 'user-1');
-- Empty is not set.
SET token_vault.tenant = '';
SELECT vault.get_token('acme', 'user-1'), vault.get_token('acme', 'user-1', tenant => 'red');
-- Too long is refused, as the argument is.
SELECT set_config('token_vault.tenant', repeat('x', 513), false) = repeat('x', 513);
SELECT vault.store_token('acme', 'user-1', 'access');
\echo :SQLSTATE
RESET token_vault.tenant;
-- A misspelt setting is an error.
SET token_vault.tenent = 'blue';
\echo :SQLSTATE

SELECT vault.delete_tenant('blue'), vault.delete_tenant('red'), vault.delete_tenant('default');
SELECT vault.drop_client('shared'), vault.drop_client('own', 'blue'), vault.drop_client('own', 'red'), vault.drop_client('new', 'blue');
