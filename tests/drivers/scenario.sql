-- What every driver finds: the privileges of an application, and a table with an encrypted column. Each driver uses
-- rows and subjects of its own name.
SELECT vault.grant_access('app_role', privileges => '{read,write,refresh}');
CREATE TABLE webhook (id text PRIMARY KEY, signing_key vault.secret NOT NULL, active boolean NOT NULL DEFAULT true);
GRANT SELECT, INSERT, UPDATE, DELETE ON webhook TO app_role;

-- A token that can't be had: it has expired, and nothing can refresh it.
SELECT vault.store_token('google', 'expired', 'example-access-token-expired', expires_at => now() - interval '1 hour');

-- So that the application can cause an event to listen for: a data key for such a tenant.
SELECT vault.grant_access('app_role', privileges => '{admin}', tenant => 'events of *');
