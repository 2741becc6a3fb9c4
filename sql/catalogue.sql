-- Built-in providers.

INSERT INTO vault.provider (
    name, builtin, display_name, issuer,
    authorization_endpoint, token_endpoint, revocation_endpoint, introspection_endpoint, device_authorization_endpoint, userinfo_endpoint,
    grant_types, pkce, authorization_parameters, token_endpoint_auth_method, basic_password, refresh_parameters, request_headers,
    error_verdicts, refresh_credential, rotates_refresh_token, refresh_token_lifetime, notes)
VALUES
    ('google', true, 'Google', 'https://accounts.google.com',
     'https://accounts.google.com/o/oauth2/v2/auth', 'https://oauth2.googleapis.com/token', 'https://oauth2.googleapis.com/revoke',
     NULL, 'https://oauth2.googleapis.com/device/code', 'https://openidconnect.googleapis.com/v1/userinfo',
     '{authorization_code,refresh_token,device_code,jwt_bearer}', 'S256', '{"access_type": "offline", "prompt": "consent"}',
     'client_secret_post', '{client_secret}', '{}', '{}', '{}', 'refresh_token', 'no', 15552000,
     'A refresh token comes only with access_type=offline, normally only on the first consent. It dies after 6 months of disuse, after 7 days while the consent screen is in testing. At most 100 live refresh tokens per account and client; the oldest is dropped silently.'),

    ('microsoft', true, 'Microsoft identity platform', 'https://login.microsoftonline.com/common/v2.0',
     'https://login.microsoftonline.com/common/oauth2/v2.0/authorize', 'https://login.microsoftonline.com/common/oauth2/v2.0/token', NULL,
     NULL, 'https://login.microsoftonline.com/common/oauth2/v2.0/devicecode', 'https://graph.microsoft.com/oidc/userinfo',
     '{authorization_code,refresh_token,device_code}', 'S256', '{}',
     'client_secret_post', '{client_secret}', '{"scope": "{scope?}"}', '{}',
     '{"AADSTS7000215": "client_broken", "AADSTS7000222": "client_broken", "AADSTS700016": "client_broken", "AADSTS90014": "misconfigured"}',
     'refresh_token', 'yes', 7776000,
     'Needs scope offline_access. Every use hands out a fresh refresh token; the old one is not revoked. Refresh tokens live 90 days, 24 hours for single-page applications.'),

    ('github', true, 'GitHub', NULL,
     'https://github.com/login/oauth/authorize', 'https://github.com/login/oauth/access_token', NULL,
     NULL, 'https://github.com/login/device/code', 'https://api.github.com/user',
     '{authorization_code,refresh_token,device_code}', 'S256', '{}',
     'client_secret_post', '{client_secret}', '{}', '{"Accept": "application/json"}',
     '{"bad_refresh_token": "grant_dead", "bad_verification_code": "grant_dead", "incorrect_client_credentials": "client_broken"}',
     'refresh_token', 'yes', 15897600,
     'OAuth Apps issue tokens without expiry and without refresh token. User tokens of GitHub Apps live 8 hours and rotate when expiry is on. Errors come with status 200. Revocation is not RFC 7009.'),

    ('gitlab', true, 'GitLab.com', 'https://gitlab.com',
     'https://gitlab.com/oauth/authorize', 'https://gitlab.com/oauth/token', 'https://gitlab.com/oauth/revoke',
     'https://gitlab.com/oauth/introspect', 'https://gitlab.com/oauth/authorize_device', 'https://gitlab.com/oauth/userinfo',
     '{authorization_code,refresh_token,device_code}', 'S256', '{}',
     'client_secret_post', '{client_secret}', '{}', '{}', '{}', 'refresh_token', 'yes', NULL,
     'Access tokens live 2 hours. A refresh invalidates the previous access and refresh token.'),

    ('reddit', true, 'Reddit', NULL,
     'https://www.reddit.com/api/v1/authorize', 'https://www.reddit.com/api/v1/access_token', 'https://www.reddit.com/api/v1/revoke_token',
     NULL, NULL, 'https://oauth.reddit.com/api/v1/me',
     '{authorization_code,refresh_token,client_credentials}', 'unknown', '{"duration": "permanent"}',
     'client_secret_basic', '{client_secret?}', '{}', '{"User-Agent": "{user_agent?}"}', '{}', 'refresh_token', 'no', NULL,
     'Basic is required even without a secret. Reddit wants a descriptive User-Agent: put it as user_agent into the client''s metadata. API calls go to oauth.reddit.com.');
