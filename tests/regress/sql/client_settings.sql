-- What a provider can bear of a client, and which of its tokens are refreshed: settings of register_client.
\a \t
SELECT vault.register_client('web', 'acme', 'client-1', 'secret-1');
SELECT refresh_policy, max_concurrent_requests, rate_limit_requests, rate_limit_seconds FROM vault.clients;
SELECT vault.register_client('web', 'acme', 'client-1', settings =>
    '{"refresh_policy": "on_use", "max_concurrent_requests": 4, "rate_limit_requests": 100, "rate_limit_seconds": 3600}');
SELECT refresh_policy, max_concurrent_requests, rate_limit_requests, rate_limit_seconds, client_secrets FROM vault.clients;
-- What is not given stays.
SELECT vault.register_client('web', 'acme', 'client-1', settings => '{"max_concurrent_requests": 5}');
SELECT vault.register_client('web', 'acme', 'client-1', settings => '{}');
SELECT vault.register_client('web', 'acme', 'client-1', 'secret-2', scope => 'read');
SELECT refresh_policy, max_concurrent_requests, rate_limit_requests, rate_limit_seconds, client_secrets FROM vault.clients;
-- null stands for the default.
SELECT vault.register_client('web', 'acme', 'client-1', settings => '{"refresh_policy": null, "rate_limit_requests": null}');
SELECT refresh_policy, max_concurrent_requests, rate_limit_requests, rate_limit_seconds FROM vault.clients;
SELECT vault.register_client('web', 'acme', 'client-1', settings => '{"rate_limit_seconds": null, "max_concurrent_requests": null}');
SELECT refresh_policy, max_concurrent_requests, rate_limit_requests, rate_limit_seconds FROM vault.clients;

-- What is refused changes nothing.
SELECT settings, outcome(format($$SELECT vault.register_client('web', 'acme', 'client-9', settings => %L)$$, settings))
FROM unnest('{
    "[]", "null", "1", "\"always\"",
    "{\"broken_since\": null}", "{\"id\": 1}", "{\"Refresh_policy\": \"never\"}", "{\"refresh_policy\": \"never\", \"active\": false}",
    "{\"refresh_policy\": \"sometimes\"}", "{\"refresh_policy\": \"\"}", "{\"refresh_policy\": 1}", "{\"refresh_policy\": [\"never\"]}",
    "{\"max_concurrent_requests\": 0}", "{\"max_concurrent_requests\": -1}", "{\"max_concurrent_requests\": 1.5}",
    "{\"max_concurrent_requests\": \"many\"}", "{\"max_concurrent_requests\": 2147483648}", "{\"max_concurrent_requests\": true}",
    "{\"rate_limit_requests\": 0}", "{\"rate_limit_requests\": 100001}", "{\"rate_limit_requests\": {}}",
    "{\"rate_limit_seconds\": 0}", "{\"rate_limit_seconds\": 86401}", "{\"rate_limit_seconds\": \"\"}"
}'::text[]) AS t (settings);
SELECT client_id, refresh_policy, max_concurrent_requests, rate_limit_requests, rate_limit_seconds FROM vault.clients;
-- The message says what is allowed.
SELECT split_part(said(format($$SELECT vault.register_client('web', 'acme', 'client-9', settings => %L)$$, settings), NULL), E'\n', 2)
FROM unnest('{
    "{\"id\": 1}", "{\"refresh_policy\": \"sometimes\"}", "{\"max_concurrent_requests\": 0}", "{\"rate_limit_requests\": 100001}",
    "{\"rate_limit_seconds\": \"60\"}"
}'::text[]) AS t (settings);
-- Nor does a new client come of it.
SELECT vault.register_client('mobile', 'acme', 'client-2', settings => '{"refresh_policy": "sometimes"}');
\echo :SQLSTATE
SELECT count(*) FROM vault.clients;

-- A token has its client's policy, or one of its own.
SELECT vault.store_token('acme', 'user-1', 'access', 'refresh', 3600);
SELECT vault.set_refresh_policy('acme', 'user-1', policy) FROM unnest('{never,on_use,always}'::text[]) AS t (policy);
SELECT refresh_policy, refresh_due_at IS NOT NULL FROM vault.tokens;
SELECT vault.register_client('web', 'acme', 'client-1', settings => '{"refresh_policy": "never"}');
SELECT refresh_policy, refresh_due_at IS NOT NULL FROM vault.tokens;
SELECT vault.set_refresh_policy('acme', 'user-1', NULL);
SELECT refresh_policy, refresh_due_at IS NOT NULL FROM vault.tokens;
SELECT vault.set_refresh_policy('acme', 'nobody', 'never');
SELECT outcome($$SELECT vault.set_refresh_policy('acme', 'user-1', 'sometimes')$$),
       outcome($$SELECT vault.set_refresh_policy('acme', 'user-1', '')$$),
       outcome($$SELECT vault.set_refresh_policy('acne', 'user-1', 'never')$$),
       outcome($$SELECT vault.set_refresh_policy('acme', NULL, 'never')$$);

-- What the policy forbids is said to be forbidden, whether or not the call would wait.
SELECT vault.store_token('acme', 'user-1', 'access', 'refresh', 0);
SELECT vault.get_token('acme', 'user-1', auto_refresh => false);
SELECT vault.get_token('acme', 'user-1');
SELECT vault.refresh_token('acme', 'user-1');
-- The policy allows it, the call does not want it.
SELECT vault.set_refresh_policy('acme', 'user-1', 'on_use');
SELECT vault.get_token('acme', 'user-1', auto_refresh => false);

SELECT vault.delete_token('acme', 'user-1'), vault.drop_client('web');
