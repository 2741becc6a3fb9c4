-- What expires, what fails and what needs a person, and why. One row for each token or client and reason.

CREATE VIEW vault.attention WITH (security_barrier) AS
SELECT *
FROM (
    -- the user has to authorize again
    SELECT 'reauthorization_required'::pg_catalog.text AS reason, true AS needs_person,
           t.tenant, t.provider, t.subject, t.label, c.name AS client,
           t.last_error AS error, t.last_error_at AS since, t.expires_at AS ends_at,
           'have the user authorize again and store the new tokens'::pg_catalog.text AS advice
    FROM vault.token AS t LEFT JOIN vault.client AS c ON c.id OPERATOR(pg_catalog.=) t.client
    WHERE t.state OPERATOR(pg_catalog.=) 'reauthorization_required'
    UNION ALL
    -- refreshes fail, or their outcome is not known
    SELECT CASE WHEN t.unread_answer IS NOT NULL THEN 'unread_answer'
                WHEN s.attempt IS NOT NULL THEN 'outcome_unknown' ELSE 'refresh_fails' END,
           t.unread_answer IS NOT NULL OR s.failures OPERATOR(pg_catalog.>=) 5,
           t.tenant, t.provider, t.subject, t.label, c.name, t.last_error, t.last_error_at, t.expires_at,
           CASE WHEN t.unread_answer IS NOT NULL
                THEN 'the provider''s answer was not understood and is kept: mend the provider''s row with vault.register_provider()'
                ELSE pg_catalog.format('failed %s times; tried again at %s', s.failures, s.due_at) END
    FROM vault.refresh_schedule AS s
    JOIN vault.token AS t ON t.id OPERATOR(pg_catalog.=) s.token
    LEFT JOIN vault.client AS c ON c.id OPERATOR(pg_catalog.=) t.client
    WHERE s.failures OPERATOR(pg_catalog.>) 0 AND t.last_error IS NOT NULL
    UNION ALL
    -- due for long, and nobody has asked the provider
    SELECT 'overdue', true, t.tenant, t.provider, t.subject, t.label, c.name, t.last_error, s.due_at, t.expires_at,
           'nothing refreshes it: see vault.status() and vault.clients'
    FROM vault.refresh_schedule AS s
    JOIN vault.token AS t ON t.id OPERATOR(pg_catalog.=) s.token
    LEFT JOIN vault.client AS c ON c.id OPERATOR(pg_catalog.=) t.client
    WHERE s.failures OPERATOR(pg_catalog.=) 0 AND s.attempt IS NULL
      AND s.due_at OPERATOR(pg_catalog.<) (pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) '5 minutes'::interval)
    UNION ALL
    -- expires, and nothing will refresh it
    SELECT 'expires', true, t.tenant, t.provider, t.subject, t.label, c.name, t.last_error, t.issued_at, t.expires_at,
           CASE WHEN COALESCE(t.refresh_policy, c.refresh_policy) OPERATOR(pg_catalog.=) 'never' THEN 'its refresh policy is "never": have the user authorize again'
                ELSE 'there is nothing to refresh it with: have the user authorize again' END
    FROM vault.token AS t
    LEFT JOIN vault.client AS c ON c.id OPERATOR(pg_catalog.=) t.client
    LEFT JOIN vault.refresh_schedule AS s ON s.token OPERATOR(pg_catalog.=) t.id
    WHERE s.token IS NULL AND t.state OPERATOR(pg_catalog.=) 'active'
      AND NOT (t.refresh_after IS NOT NULL AND COALESCE(t.refresh_policy, c.refresh_policy) OPERATOR(pg_catalog.=) 'on_use')
      AND t.expires_at OPERATOR(pg_catalog.<) (pg_catalog.clock_timestamp() OPERATOR(pg_catalog.+)
          LEAST('7 days'::interval, (t.expires_at OPERATOR(pg_catalog.-) t.issued_at) OPERATOR(pg_catalog./) 2))
    UNION ALL
    -- the grant ends whatever is done
    SELECT 'grant_ends', true, t.tenant, t.provider, t.subject, t.label, c.name, t.last_error, t.authorized_at,
           t.authorized_at OPERATOR(pg_catalog.+) pg_catalog.make_interval(secs => p.grant_lifetime),
           'the provider ends the grant then: have the user authorize again before'
    FROM vault.token AS t
    JOIN vault.providers AS p ON p.name OPERATOR(pg_catalog.=) t.provider AND p.grant_lifetime IS NOT NULL
    LEFT JOIN vault.client AS c ON c.id OPERATOR(pg_catalog.=) t.client
    WHERE t.refresh_token IS NOT NULL AND t.state OPERATOR(pg_catalog.=) 'active'
      AND (t.authorized_at OPERATOR(pg_catalog.+) pg_catalog.make_interval(secs => p.grant_lifetime)) OPERATOR(pg_catalog.<)
          (pg_catalog.clock_timestamp() OPERATOR(pg_catalog.+)
           LEAST('7 days'::interval, pg_catalog.make_interval(secs => p.grant_lifetime OPERATOR(pg_catalog./) 2)))
    UNION ALL
    -- the provider refuses a client: all its tokens wait
    SELECT 'client_refused', true, c.tenant, c.provider, NULL, NULL, c.name, c.broken_error, c.broken_since, NULL,
           'give it the secret that the provider issued: vault.register_client() or vault.add_client_secret()'
    FROM vault.client AS c
    WHERE c.broken_since IS NOT NULL AND c.active
    UNION ALL
    SELECT 'client_disabled', true, c.tenant, c.provider, NULL, NULL, c.name, NULL, c.updated_at, NULL,
           'its tokens are not refreshed: vault.enable_client()'
    FROM vault.client AS c
    WHERE NOT c.active AND EXISTS (SELECT FROM vault.token AS t WHERE t.client OPERATOR(pg_catalog.=) c.id)
    UNION ALL
    SELECT 'no_client', true, t.tenant, t.provider, t.subject, t.label, NULL, t.last_error, t.issued_at, t.expires_at,
           'register the client that obtained it: vault.register_client()'
    FROM vault.token AS t
    WHERE t.client IS NULL AND t.refresh_token IS NOT NULL AND t.state OPERATOR(pg_catalog.=) 'active'
      AND NOT EXISTS (SELECT FROM vault.client AS c
                      WHERE c.provider OPERATOR(pg_catalog.=) t.provider AND c.active
                        AND (c.tenant IS NULL OR c.tenant OPERATOR(pg_catalog.=) t.tenant))
) AS a
WHERE (SELECT vault.can_see_all()) OR vault.can_see(a.tenant, a.provider, a.subject);
COMMENT ON VIEW vault.attention IS 'what expires, what fails and what needs a person: one row for each token or client and reason, with advice';
COMMENT ON COLUMN vault.attention.reason IS 'reauthorization_required, refresh_fails, outcome_unknown, unread_answer, overdue, expires, grant_ends, client_refused, client_disabled or no_client';
COMMENT ON COLUMN vault.attention.needs_person IS 'false: it is tried again, and may come right by itself';
COMMENT ON COLUMN vault.attention.since IS 'since when it is so';
COMMENT ON COLUMN vault.attention.ends_at IS 'when the access token, or the grant, ends; NULL: not known';
