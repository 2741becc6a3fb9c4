-- What may be seen: everything but the secrets. A view's functions run as the role that asks, so each row
-- is shown only to roles that may read it. Who may read all is asked about once.

CREATE VIEW vault.tokens WITH (security_barrier) AS
SELECT t.tenant, t.provider, t.subject, t.label,
       c.name AS client,
       CASE WHEN t.state OPERATOR(pg_catalog.=) 'reauthorization_required' THEN 'reauthorization_required'
            WHEN t.expires_at OPERATOR(pg_catalog.<=) pg_catalog.clock_timestamp() THEN 'expired'
            ELSE 'valid' END AS status,
       t.token_type, t.scope, t.issued_at, t.expires_at,
       t.refresh_token IS NOT NULL AS has_refresh_token,
       t.id_token IS NOT NULL AS has_id_token,
       t.refresh_token_expires_at, t.authorized_at,
       COALESCE(t.refresh_policy, c.refresh_policy, 'always') AS refresh_policy,
       s.due_at AS refresh_due_at,
       s.failures AS refresh_failures,
       s.attempt AS refresh_attempt,
       t.unread_answer IS NOT NULL AS has_unread_answer,
       t.refreshed_at, t.last_error, t.last_error_at,
       t.created_at, t.updated_at,
       u.last_used_at, COALESCE(u.reads, 0) AS reads,
       t.generation, t.metadata, t.response
FROM vault.token AS t
LEFT JOIN vault.client AS c ON c.id OPERATOR(pg_catalog.=) t.client
LEFT JOIN vault.refresh_schedule AS s ON s.token OPERATOR(pg_catalog.=) t.id
LEFT JOIN vault.token_usage AS u ON u.token OPERATOR(pg_catalog.=) t.id
WHERE (SELECT vault.can_see_all()) OR vault.can_see(t.tenant, t.provider, t.subject);
COMMENT ON VIEW vault.tokens IS 'the tokens that the role may read, without their secrets; rows of other tenants are hidden while token_vault.tenant is set';

CREATE VIEW vault.clients WITH (security_barrier) AS
SELECT c.tenant, c.name, c.provider, c.client_id, c.scope, c.redirect_uri, c.active,
       CASE WHEN NOT c.active THEN 'disabled' WHEN c.broken_since IS NOT NULL THEN 'refused' ELSE 'working' END AS status,
       c.broken_since AS refused_since, c.broken_error AS refused_with,
       c.refresh_policy, c.max_concurrent_requests, c.rate_limit_requests, c.rate_limit_seconds,
       (SELECT pg_catalog.count(*) FROM vault.client_secret AS s WHERE s.client OPERATOR(pg_catalog.=) c.id) AS client_secrets,
       c.metadata, c.created_at, c.updated_at
FROM vault.client AS c
WHERE (SELECT vault.can_see_all()) OR vault.can_see(c.tenant, c.provider);
COMMENT ON VIEW vault.clients IS 'the OAuth clients that the role may read, without their secrets';

CREATE VIEW vault.providers AS
SELECT DISTINCT ON (name) * FROM vault.provider ORDER BY name, builtin;
COMMENT ON VIEW vault.providers IS 'the providers in force: a registered one hides the built-in one of the same name';

-- The counts read every value; PostgreSQL leaves the join out where their columns are not asked for.
CREATE VIEW vault.keys WITH (security_barrier) AS
SELECT pg_catalog.lpad(pg_catalog.to_hex(k.id), 16, '0') AS key, k.tenant, k.state,
       pg_catalog.encode(k.master_key_fingerprint, 'hex') AS master_key_fingerprint,
       pg_catalog.statement_timestamp() OPERATOR(pg_catalog.-) k.created_at AS age,
       k.created_at, k.retired_at, k.unused_since, k.destroyed_at,
       COALESCE(u.tokens, 0) AS tokens, COALESCE(u.client_secrets, 0) AS client_secrets, COALESCE(u.secrets, 0) AS secrets
FROM (SELECT * FROM vault.key WHERE state OPERATOR(pg_catalog.<>) 'audit' AND vault.can_administer()) AS k
LEFT JOIN (SELECT key, pg_catalog.max(tokens) AS tokens, pg_catalog.max(client_secrets) AS client_secrets, pg_catalog.max(secrets) AS secrets
           FROM vault.key_usage() GROUP BY key) AS u ON u.key OPERATOR(pg_catalog.=) k.id;
COMMENT ON VIEW vault.keys IS 'data keys: state, age, the master key that wraps each, and how many values it seals';

CREATE VIEW vault.access_rules WITH (security_barrier) AS
SELECT r.role, r.tenant, r.provider, r.subject, r.privileges, r.granted_by, r.granted_at,
       o.role IS NOT NULL AS role_exists,
       NOT COALESCE(pg_catalog.has_schema_privilege(o.role, 'vault', 'USAGE'), true) AS grants_missing
FROM vault.access_rule AS r
CROSS JOIN LATERAL (SELECT pg_catalog.to_regrole(pg_catalog.quote_ident(r.role))::pg_catalog.oid AS role) AS o
WHERE (SELECT vault.can_administer()) OR vault.can_grant(r.tenant, r.provider, r.subject);
COMMENT ON VIEW vault.access_rules IS 'who may do what, as far as the role may grant it; a rule for a role that does not exist has no effect';

CREATE VIEW vault.tenant_authorities WITH (security_barrier) AS
SELECT name, public_key, added_by, added_at
FROM vault.tenant_authority
WHERE vault.can_administer();
COMMENT ON VIEW vault.tenant_authorities IS 'whose proofs are accepted by vault.enter_tenant()';
