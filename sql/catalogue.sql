-- Built-in providers. Made by scripts/catalogue.py from catalogue/: change it there, not here.
-- A column that a statement does not name has its default.

INSERT INTO vault.provider (
    name, builtin, display_name, issuer, authorization_endpoint, token_endpoint, userinfo_endpoint, grant_types, pkce, scope_separator, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'adobe',
    true,
    'Adobe IMS',
    'https://ims-na1.adobelogin.com',
    'https://ims-na1.adobelogin.com/ims/authorize/v2',
    'https://ims-na1.adobelogin.com/ims/token/v3',
    'https://ims-na1.adobelogin.com/ims/userinfo/v2',
    '{"authorization_code","refresh_token","client_credentials"}',
    'S256',
    ',',
    'client_secret_post',
    'form',
    'refresh_token',
    'unknown',
    'Needs scope offline_access for a refresh token.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, refresh_endpoint, revocation_endpoint, grant_types, scope_separator, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'adobe_sign',
    true,
    'Adobe Acrobat Sign (EchoSign)',
    'https://secure.echosign.com/public/oauth',
    'https://secure.echosign.com/oauth/token',
    'https://secure.echosign.com/oauth/refresh',
    'https://secure.echosign.com/oauth/revoke',
    '{"authorization_code","refresh_token"}',
    ' ',
    'client_secret_post',
    'form',
    'refresh_token',
    'no',
    'Separate refresh URL. Real accounts live on a shard host given back on the redirect as api_access_point.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, userinfo_endpoint, grant_types, pkce, scope_separator, token_endpoint_auth_method, public_clients, token_request_format, response_fields, refresh_credential, rotates_refresh_token, refresh_token_lifetime, notes)
VALUES (
    'airtable',
    true,
    'Airtable',
    'https://airtable.com/oauth2/v1/authorize',
    'https://airtable.com/oauth2/v1/token',
    'https://api.airtable.com/v0/meta/whoami',
    '{"authorization_code","refresh_token"}',
    'required',
    ' ',
    'client_secret_basic',
    true,
    'form',
    '{"refresh_token_expires_in": "/refresh_expires_in"}',
    'refresh_token',
    'yes',
    5184000,
    'Refresh tokens are single use; access tokens last 60 minutes. state must be at least 16 characters.');

INSERT INTO vault.provider (
    name, builtin, display_name, issuer, authorization_endpoint, token_endpoint, device_authorization_endpoint, userinfo_endpoint, grant_types, pkce, scope_separator, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'amazon',
    true,
    'Login with Amazon',
    'https://www.amazon.com',
    'https://www.amazon.com/ap/oa',
    'https://api.amazon.com/auth/o2/token',
    'https://api.amazon.com/auth/o2/create/codepair',
    'https://api.amazon.com/user/profile',
    '{"authorization_code","refresh_token","device_code"}',
    'S256',
    ' ',
    'client_secret_post',
    'form',
    'refresh_token',
    'unknown',
    'Device flow wants grant_type=device_code plus user_code, not the RFC 8628 name. EU and FE sellers authorise on eu.account and apac.account hosts.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, grant_types, scope_separator, authorization_parameters, placeholders, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'amazon_selling_partner',
    true,
    'Amazon Selling Partner API',
    'https://{seller_central_host}/apps/authorize/consent',
    'https://api.amazon.com/auth/o2/token',
    '{"authorization_code","refresh_token"}',
    ' ',
    '{"application_id": "{application_id}"}',
    '{"seller_central_host","application_id"}',
    'client_secret_post',
    'form',
    'refresh_token',
    'unknown',
    'The code arrives as spapi_oauth_code; no scope and no response_type on the consent URL. version=beta for draft apps.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, grant_types, scope_separator, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'apollo',
    true,
    'Apollo.io',
    'https://app.apollo.io/#/oauth/authorize',
    'https://app.apollo.io/api/v1/oauth/token',
    '{"authorization_code","refresh_token"}',
    ' ',
    'client_secret_post',
    'json',
    'refresh_token',
    'unknown',
    'The authorise URL is a fragment route: parameters follow the fragment, not the path.');

INSERT INTO vault.provider (
    name, builtin, display_name, issuer, authorization_endpoint, token_endpoint, revocation_endpoint, grant_types, scope_separator, authorization_parameters, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'apple',
    true,
    'Sign in with Apple',
    'https://appleid.apple.com',
    'https://appleid.apple.com/auth/authorize',
    'https://appleid.apple.com/auth/token',
    'https://appleid.apple.com/auth/revoke',
    '{"authorization_code","refresh_token"}',
    ' ',
    '{"response_mode": "form_post"}',
    'client_secret_post',
    'form',
    'refresh_token',
    'no',
    'client_secret is itself an ES256 JWT (kid, team id as iss, client id as sub, aud https://appleid.apple.com, at most 6 months). form_post is only needed when scopes are asked for. Refresh answers carry no new refresh token.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, userinfo_endpoint, grant_types, pkce, scope_separator, token_endpoint_auth_method, token_request_format, refresh_parameters, error_fields, error_verdicts, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'arcgis',
    true,
    'ArcGIS Online',
    'https://www.arcgis.com/sharing/rest/oauth2/authorize',
    'https://www.arcgis.com/sharing/rest/oauth2/token',
    'https://www.arcgis.com/sharing/rest/community/self',
    '{"authorization_code","refresh_token","client_credentials"}',
    'S256',
    ' ',
    'client_secret_post',
    'form',
    '{"f": "json"}',
    '{"error": ["/error/error", "/error/code", "/error"], "error_description": ["/error/error_description", "/error/message", "/error_description"]}',
    '{"498": "grant_dead", "Invalid refresh_token": "grant_dead", "invalid_client_id": "client_broken", "Invalid client_id": "client_broken", "Invalid client_secret": "client_broken"}',
    'refresh_token',
    'no',
    'A refresh token itself is renewed only through grant_type=exchange_refresh_token; it ends when its time is up.');

INSERT INTO vault.provider (
    name, builtin, display_name, issuer, authorization_endpoint, token_endpoint, revocation_endpoint, userinfo_endpoint, grant_types, pkce, scope_separator, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'asana',
    true,
    'Asana',
    'https://app.asana.com/api/1.0',
    'https://app.asana.com/-/oauth_authorize',
    'https://app.asana.com/-/oauth_token',
    'https://app.asana.com/-/oauth_revoke',
    'https://app.asana.com/api/1.0/openid_connect/userinfo',
    '{"authorization_code","refresh_token"}',
    'S256',
    ' ',
    'client_secret_post',
    'form',
    'refresh_token',
    'no',
    'Refresh answers carry no refresh_token: keep the stored one. The exchange answer embeds the user under data.');

INSERT INTO vault.provider (
    name, builtin, display_name, issuer, authorization_endpoint, token_endpoint, userinfo_endpoint, grant_types, pkce, scope_separator, authorization_parameters, token_endpoint_auth_method, token_request_format, error_verdicts, refresh_credential, rotates_refresh_token, replay_leeway_seconds, refresh_token_lifetime, grant_lifetime, notes)
VALUES (
    'atlassian',
    true,
    'Atlassian Cloud (3LO)',
    'https://auth.atlassian.com',
    'https://auth.atlassian.com/authorize',
    'https://auth.atlassian.com/oauth/token',
    'https://api.atlassian.com/me',
    '{"authorization_code","refresh_token"}',
    'S256',
    ' ',
    '{"audience": "api.atlassian.com", "prompt": "consent"}',
    'client_secret_post',
    'form',
    '{"refresh_token is invalid": "grant_dead", "Unauthorized": "client_broken"}',
    'refresh_token',
    'yes',
    600,
    7776000,
    31536000,
    'Needs scope offline_access. After the leeway, reuse of a spent refresh token revokes the grant. Call accessible-resources for the cloud id.');

INSERT INTO vault.provider (
    name, builtin, display_name, issuer, authorization_endpoint, token_endpoint, revocation_endpoint, device_authorization_endpoint, userinfo_endpoint, grant_types, pkce, scope_separator, placeholders, token_endpoint_auth_method, token_request_format, error_verdicts, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'auth0',
    true,
    'Auth0',
    'https://{domain}/',
    'https://{domain}/authorize',
    'https://{domain}/oauth/token',
    'https://{domain}/oauth/revoke',
    'https://{domain}/oauth/device/code',
    'https://{domain}/userinfo',
    '{"authorization_code","refresh_token","client_credentials","device_code"}',
    'S256',
    ' ',
    '{"domain"}',
    'client_secret_post',
    'form',
    '{"Unauthorized": "client_broken"}',
    'refresh_token',
    'sometimes',
    'Issuer ends with a slash. audience= is needed to get an API token. Rotation, idle and absolute lifetimes are set per application. Token endpoint takes form or JSON.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, revocation_endpoint, userinfo_endpoint, grant_types, pkce, scope_separator, placeholders, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'authentik',
    true,
    'authentik',
    'https://{host}/application/o/authorize/',
    'https://{host}/application/o/token/',
    'https://{host}/application/o/revoke/',
    'https://{host}/application/o/userinfo/',
    '{"authorization_code","refresh_token"}',
    'S256',
    ' ',
    '{"host"}',
    'client_secret_basic',
    'form',
    'refresh_token',
    'unknown',
    'Endpoints are shared by all applications; the issuer is per application. Trailing slashes matter.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, grant_types, pkce, scope_separator, placeholders, token_endpoint_auth_method, token_request_format, refresh_parameters, error_verdicts, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'azure_ad_b2c',
    true,
    'Azure AD B2C',
    'https://{tenant}.b2clogin.com/{tenant}.onmicrosoft.com/{policy}/oauth2/v2.0/authorize',
    'https://{tenant}.b2clogin.com/{tenant}.onmicrosoft.com/{policy}/oauth2/v2.0/token',
    '{"authorization_code","refresh_token"}',
    'S256',
    ' ',
    '{"tenant","policy"}',
    'client_secret_post',
    'form',
    '{"scope": "{scope?}"}',
    '{"AADSTS7000215": "client_broken", "AADSTS7000222": "client_broken", "AADSTS700016": "client_broken", "AADSTS90014": "misconfigured"}',
    'refresh_token',
    'unknown',
    'The user flow name is part of the path; some clients pass it as p= instead.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, grant_types, scope_separator, authorization_parameters, token_parameters, placeholders, token_endpoint_auth_method, token_request_format, refresh_query_parameters, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'bamboohr',
    true,
    'BambooHR',
    'https://{subdomain}.bamboohr.com/authorize.php',
    'https://{subdomain}.bamboohr.com/token.php',
    '{"authorization_code","refresh_token"}',
    ' ',
    '{"request": "authorize"}',
    '{"request": "token"}',
    '{"subdomain"}',
    'client_secret_post',
    'json',
    '{"request": "token"}',
    'refresh_token',
    'unknown',
    'Needs scope offline_access. The first exchange has request=token in its query as well.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, userinfo_endpoint, grant_types, scope_separator, authorization_parameters, token_parameters, token_endpoint_auth_method, token_request_format, refresh_parameters, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'basecamp',
    true,
    'Basecamp (37signals Launchpad)',
    'https://launchpad.37signals.com/authorization/new',
    'https://launchpad.37signals.com/authorization/token',
    'https://launchpad.37signals.com/authorization.json',
    '{"authorization_code","refresh_token"}',
    ' ',
    '{"type": "web_server"}',
    '{"type": "web_server"}',
    'client_secret_post',
    'form',
    '{"grant_type": null, "type": "refresh"}',
    'refresh_token',
    'unknown',
    'Draft 5 of OAuth 2: type=web_server for the code in place of grant_type. No scopes. Access tokens last 2 weeks.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, grant_types, scope_separator, authorization_parameters, token_parameters, placeholders, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'bigcommerce',
    true,
    'BigCommerce',
    'https://login.bigcommerce.com/oauth2/authorize',
    'https://login.bigcommerce.com/oauth2/token',
    '{"authorization_code"}',
    ' ',
    '{"context": "stores/{store_hash}"}',
    '{"context": "stores/{store_hash}"}',
    '{"store_hash"}',
    'client_secret_post',
    'form',
    'none',
    'no',
    'Tokens do not expire by time. API header is X-Auth-Token.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, userinfo_endpoint, grant_types, scope_separator, token_endpoint_auth_method, token_request_format, response_fields, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'bitbucket',
    true,
    'Bitbucket Cloud',
    'https://bitbucket.org/site/oauth2/authorize',
    'https://bitbucket.org/site/oauth2/access_token',
    'https://api.bitbucket.org/2.0/user',
    '{"authorization_code","refresh_token","client_credentials"}',
    ' ',
    'client_secret_basic',
    'form',
    '{"scope": ["/scopes", "/scope"]}',
    'refresh_token',
    'unknown',
    'Scopes are fixed on the consumer.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, grant_types, pkce, scope_separator, placeholders, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'bitbucket_data_center',
    true,
    'Bitbucket / Jira / Confluence Data Center',
    'https://{host}/rest/oauth2/latest/authorize',
    'https://{host}/rest/oauth2/latest/token',
    '{"authorization_code","refresh_token"}',
    'S256',
    ' ',
    '{"host"}',
    'client_secret_post',
    'form',
    'refresh_token',
    'unknown',
    'Incoming application link; the same paths serve Jira and Confluence Data Center.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, grant_types, scope_separator, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'bitly',
    true,
    'Bitly',
    'https://bitly.com/oauth/authorize',
    'https://api-ssl.bitly.com/oauth/access_token',
    '{"authorization_code"}',
    ' ',
    'client_secret_post',
    'form',
    'none',
    'no',
    'Answers form-encoded unless Accept: application/json is sent. No expiry.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, revocation_endpoint, userinfo_endpoint, grant_types, scope_separator, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, refresh_token_lifetime, notes)
VALUES (
    'box',
    true,
    'Box',
    'https://account.box.com/api/oauth2/authorize',
    'https://api.box.com/oauth2/token',
    'https://api.box.com/oauth2/revoke',
    'https://api.box.com/2.0/users/me',
    '{"authorization_code","refresh_token","client_credentials","jwt_bearer"}',
    ' ',
    'client_secret_post',
    'form',
    'refresh_token',
    'yes',
    5184000,
    'Access tokens last about 60 minutes. Client credentials need box_subject_type and box_subject_id.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, revocation_endpoint, introspection_endpoint, userinfo_endpoint, grant_types, pkce, scope_separator, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'calendly',
    true,
    'Calendly',
    'https://auth.calendly.com/oauth/authorize',
    'https://auth.calendly.com/oauth/token',
    'https://auth.calendly.com/oauth/revoke',
    'https://auth.calendly.com/oauth/introspect',
    'https://api.calendly.com/users/me',
    '{"authorization_code","refresh_token"}',
    'S256',
    ' ',
    'client_secret_basic',
    'form',
    'refresh_token',
    'yes',
    'Refresh tokens are single use. The answer also names owner and organization.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, revocation_endpoint, introspection_endpoint, grant_types, pkce, scope_separator, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'canva',
    true,
    'Canva Connect',
    'https://www.canva.com/api/oauth/authorize',
    'https://api.canva.com/rest/v1/oauth/token',
    'https://api.canva.com/rest/v1/oauth/revoke',
    'https://api.canva.com/rest/v1/oauth/introspect',
    '{"authorization_code","refresh_token"}',
    'required',
    ' ',
    'client_secret_basic',
    'form',
    'refresh_token',
    'yes',
    'Refresh tokens are single use; access tokens last about 4 hours and can be 4 KB long.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, grant_types, scope_separator, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'clickup',
    true,
    'ClickUp',
    'https://app.clickup.com/api',
    'https://api.clickup.com/api/v2/oauth/token',
    '{"authorization_code"}',
    ' ',
    'client_secret_post',
    'form',
    'none',
    'no',
    'Tokens do not expire; no scopes and no refresh token. The authorise URL is a bare path.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, refresh_endpoint, allowed_hosts, grant_types, scope_separator, placeholders, token_endpoint_auth_method, token_request_format, refresh_parameters, response_fields, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'clover',
    true,
    'Clover',
    'https://{authorize_host}/oauth/v2/authorize',
    'https://{api_host}/oauth/v2/token',
    'https://{api_host}/oauth/v2/refresh',
    '{"*.clover.com"}',
    '{"authorization_code","refresh_token"}',
    ' ',
    '{"authorize_host","api_host"}',
    'client_secret_post',
    'json',
    '{"grant_type": null, "client_secret": null}',
    '{"expires_at": "/access_token_expiration", "refresh_token_expires_at": "/refresh_token_expiration"}',
    'refresh_token',
    'yes',
    'api_host is api.clover.com, api.eu.clover.com, api.la.clover.com or apisandbox.dev.clover.com.');

INSERT INTO vault.provider (
    name, builtin, display_name, issuer, authorization_endpoint, token_endpoint, revocation_endpoint, userinfo_endpoint, grant_types, pkce, scope_separator, placeholders, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'cognito',
    true,
    'Amazon Cognito user pool',
    'https://cognito-idp.{region}.amazonaws.com/{user_pool_id}',
    'https://{domain}.auth.{region}.amazoncognito.com/oauth2/authorize',
    'https://{domain}.auth.{region}.amazoncognito.com/oauth2/token',
    'https://{domain}.auth.{region}.amazoncognito.com/oauth2/revoke',
    'https://{domain}.auth.{region}.amazoncognito.com/oauth2/userInfo',
    '{"authorization_code","refresh_token","client_credentials"}',
    'S256',
    ' ',
    '{"region","user_pool_id","domain"}',
    'client_secret_basic',
    'form',
    'refresh_token',
    'sometimes',
    'Issuer host is not the token host. Without the opt-in rotation setting a refresh returns only id and access tokens.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, revocation_endpoint, grant_types, scope_separator, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'coinbase',
    true,
    'Coinbase',
    'https://login.coinbase.com/oauth2/auth',
    'https://login.coinbase.com/oauth2/token',
    'https://login.coinbase.com/oauth2/revoke',
    '{"authorization_code","refresh_token"}',
    ',',
    'client_secret_post',
    'form',
    'refresh_token',
    'yes',
    'Refresh tokens are single use. Older clients use www.coinbase.com/oauth/token.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, grant_types, scope_separator, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'dailymotion',
    true,
    'Dailymotion',
    'https://www.dailymotion.com/oauth/authorize',
    'https://api.dailymotion.com/oauth/token',
    '{"authorization_code","refresh_token","client_credentials"}',
    ' ',
    'client_secret_post',
    'form',
    'refresh_token',
    'unknown',
    'refresh_token can be JSON null.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, allowed_hosts, grant_types, pkce, scope_separator, placeholders, token_endpoint_auth_method, public_clients, token_request_format, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'databricks',
    true,
    'Databricks workspace',
    'https://{workspace_host}/oidc/v1/authorize',
    'https://{workspace_host}/oidc/v1/token',
    '{"*.databricks.com","*.azuredatabricks.net","*.cloud.databricks.us","*.databricks.azure.us","*.databricks.azure.cn"}',
    '{"authorization_code","refresh_token","client_credentials"}',
    'required',
    ' ',
    '{"workspace_host"}',
    'client_secret_basic',
    true,
    'form',
    'refresh_token',
    'unknown',
    'Needs scopes all-apis and offline_access. Account level uses https://accounts.cloud.databricks.com/oidc/accounts/ACCOUNT_ID/v1/token.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, revocation_endpoint, allowed_hosts, grant_types, pkce, scope_separator, placeholders, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'datadog',
    true,
    'Datadog',
    'https://app.{site}/oauth2/v1/authorize',
    'https://api.{site}/oauth2/v1/token',
    'https://api.{site}/oauth2/v1/revoke',
    '{"*.datadoghq.com","api.datadoghq.eu","api.ddog-gov.com"}',
    '{"authorization_code","refresh_token"}',
    'required',
    ' ',
    '{"site"}',
    'client_secret_post',
    'form',
    'refresh_token',
    'unknown',
    'site is datadoghq.com, datadoghq.eu, us3.datadoghq.com and so on; us3/us5/ap1 authorise on the bare site host. Redirect carries site and dd_oid.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, revocation_endpoint, grant_types, scope_separator, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'digitalocean',
    true,
    'DigitalOcean',
    'https://cloud.digitalocean.com/v1/oauth/authorize',
    'https://cloud.digitalocean.com/v1/oauth/token',
    'https://cloud.digitalocean.com/v1/oauth/revoke',
    '{"authorization_code","refresh_token"}',
    ' ',
    'client_secret_post',
    'form',
    'refresh_token',
    'unknown',
    'Access tokens last about 30 days; the token answer embeds an info object with the account.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, grant_types, scope_separator, authorization_parameters, token_endpoint_auth_method, token_request_format, refresh_parameters, response_fields, error_fields, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'dingtalk',
    true,
    'DingTalk',
    'https://login.dingtalk.com/oauth2/auth',
    'https://api.dingtalk.com/v1.0/oauth2/userAccessToken',
    '{"authorization_code","refresh_token"}',
    ' ',
    '{"prompt": "consent"}',
    'client_secret_post',
    'json',
    '{"client_id": null, "client_secret": null, "grant_type": null, "refresh_token": null, "clientId": "{client_id}", "clientSecret": "{client_secret}", "grantType": "refresh_token", "refreshToken": "{refresh_token}"}',
    '{"access_token": "/accessToken", "refresh_token": "/refreshToken", "expires_in": "/expireIn"}',
    '{"error": ["/code", "/error"], "error_description": "/message"}',
    'refresh_token',
    'unknown',
    'The first exchange uses clientId, clientSecret, code and grantType as well.');

INSERT INTO vault.provider (
    name, builtin, display_name, issuer, authorization_endpoint, token_endpoint, revocation_endpoint, userinfo_endpoint, grant_types, pkce, scope_separator, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'discord',
    true,
    'Discord',
    'https://discord.com',
    'https://discord.com/oauth2/authorize',
    'https://discord.com/api/oauth2/token',
    'https://discord.com/api/oauth2/token/revoke',
    'https://discord.com/api/oauth2/@me',
    '{"authorization_code","refresh_token","client_credentials"}',
    'S256',
    ' ',
    'client_secret_basic',
    'form',
    'refresh_token',
    'unknown',
    'Access tokens last 7 days. Revoking any token of a user drops all of that user tokens for the app.');

INSERT INTO vault.provider (
    name, builtin, display_name, issuer, authorization_endpoint, token_endpoint, userinfo_endpoint, grant_types, pkce, scope_separator, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, refresh_token_lifetime, notes)
VALUES (
    'docusign',
    true,
    'Docusign',
    'https://account.docusign.com/',
    'https://account.docusign.com/oauth/auth',
    'https://account.docusign.com/oauth/token',
    'https://account.docusign.com/oauth/userinfo',
    '{"authorization_code","refresh_token","jwt_bearer"}',
    'S256',
    ' ',
    'client_secret_basic',
    'form',
    'refresh_token',
    'yes',
    2592000,
    'With scope extended each refresh starts a new 30 days. Access tokens last 8 hours.');

INSERT INTO vault.provider (
    name, builtin, display_name, issuer, authorization_endpoint, token_endpoint, userinfo_endpoint, grant_types, pkce, scope_separator, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, refresh_token_lifetime, notes)
VALUES (
    'docusign_demo',
    true,
    'Docusign (developer)',
    'https://account-d.docusign.com/',
    'https://account-d.docusign.com/oauth/auth',
    'https://account-d.docusign.com/oauth/token',
    'https://account-d.docusign.com/oauth/userinfo',
    '{"authorization_code","refresh_token","jwt_bearer"}',
    'S256',
    ' ',
    'client_secret_basic',
    'form',
    'refresh_token',
    'yes',
    2592000,
    'Sandbox twin of docusign.');

INSERT INTO vault.provider (
    name, builtin, display_name, issuer, authorization_endpoint, token_endpoint, revocation_endpoint, userinfo_endpoint, grant_types, pkce, scope_separator, authorization_parameters, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'dropbox',
    true,
    'Dropbox',
    'https://www.dropbox.com',
    'https://www.dropbox.com/oauth2/authorize',
    'https://api.dropboxapi.com/oauth2/token',
    'https://api.dropboxapi.com/2/auth/token/revoke',
    'https://api.dropboxapi.com/2/openid/userinfo',
    '{"authorization_code","refresh_token"}',
    'S256',
    ' ',
    '{"token_access_type": "offline"}',
    'client_secret_basic',
    'form',
    'refresh_token',
    'no',
    'Without token_access_type=offline there is no refresh token. Refresh answers omit refresh_token. Revocation takes the access token as Bearer, not RFC 7009. Access tokens last 4 hours.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, refresh_endpoint, grant_types, scope_separator, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'dropbox_sign',
    true,
    'Dropbox Sign (HelloSign)',
    'https://app.hellosign.com/oauth/authorize',
    'https://app.hellosign.com/oauth/token',
    'https://app.hellosign.com/oauth/token?refresh',
    '{"authorization_code","refresh_token"}',
    ' ',
    'client_secret_post',
    'form',
    'refresh_token',
    'unknown',
    'Refresh goes to the same path with a bare ?refresh query.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, grant_types, scope_separator, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, grant_lifetime, notes)
VALUES (
    'ebay',
    true,
    'eBay',
    'https://auth.ebay.com/oauth2/authorize',
    'https://api.ebay.com/identity/v1/oauth2/token',
    '{"authorization_code","refresh_token","client_credentials"}',
    ' ',
    'client_secret_basic',
    'form',
    'refresh_token',
    'no',
    47304000,
    'redirect_uri is the RuName, not a URL. Refresh answers carry no refresh token; scope on refresh may only narrow.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, revocation_endpoint, userinfo_endpoint, grant_types, scope_separator, token_endpoint_auth_method, basic_form_encoded, token_request_format, response_fields, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'epic_games',
    true,
    'Epic Games',
    'https://www.epicgames.com/id/authorize',
    'https://api.epicgames.dev/epic/oauth/v2/token',
    'https://api.epicgames.dev/epic/oauth/v2/revoke',
    'https://api.epicgames.dev/epic/oauth/v2/userInfo',
    '{"authorization_code","refresh_token","client_credentials"}',
    ' ',
    'client_secret_basic',
    false,
    'form',
    '{"refresh_token_expires_in": "/refresh_expires_in", "refresh_token_expires_at": "/refresh_expires_at"}',
    'refresh_token',
    'unknown',
    'Basic credentials must not be form-encoded first.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, grant_types, pkce, scope_separator, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, refresh_token_lifetime, notes)
VALUES (
    'etsy',
    true,
    'Etsy',
    'https://www.etsy.com/oauth/connect',
    'https://api.etsy.com/v3/public/oauth/token',
    '{"authorization_code","refresh_token"}',
    'required',
    ' ',
    'none',
    'form',
    'refresh_token',
    'yes',
    7776000,
    'Public client: client_id is the keystring and no secret is sent. The access token starts with the numeric user id and a dot.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, grant_types, scope_separator, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'eventbrite',
    true,
    'Eventbrite',
    'https://www.eventbrite.com/oauth/authorize',
    'https://www.eventbrite.com/oauth/token',
    '{"authorization_code"}',
    ' ',
    'client_secret_post',
    'form',
    'none',
    'no',
    'Tokens do not expire and no refresh token is issued.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, allowed_hosts, grant_types, scope_separator, placeholders, token_endpoint_auth_method, token_request_format, error_verdicts, refresh_credential, rotates_refresh_token, refresh_token_lifetime, max_refresh_window_seconds, notes)
VALUES (
    'exact_online',
    true,
    'Exact Online',
    'https://start.exactonline.{tld}/api/oauth2/auth',
    'https://start.exactonline.{tld}/api/oauth2/token',
    '{"start.exactonline.nl","start.exactonline.be","start.exactonline.de","start.exactonline.fr","start.exactonline.es","start.exactonline.co.uk","start.exactonline.com"}',
    '{"authorization_code","refresh_token"}',
    ' ',
    '{"tld"}',
    'client_secret_post',
    'form',
    '{"Rate limit exceeded": "transient"}',
    'refresh_token',
    'yes',
    2592000,
    30,
    'Access tokens last 10 minutes; expires_in is a string. tld is the country site: nl, be, de, fr, es, co.uk or com.');

INSERT INTO vault.provider (
    name, builtin, display_name, issuer, authorization_endpoint, token_endpoint, userinfo_endpoint, grant_types, pkce, scope_separator, placeholders, token_endpoint_auth_method, token_request_method, token_request_format, refresh_parameters, error_fields, error_verdicts, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'facebook',
    true,
    'Facebook / Meta',
    'https://www.facebook.com',
    'https://www.facebook.com/{version}/dialog/oauth',
    'https://graph.facebook.com/{version}/oauth/access_token',
    'https://graph.facebook.com/{version}/me',
    '{"authorization_code"}',
    'S256',
    ',',
    '{"version"}',
    'client_secret_post',
    'GET',
    'form',
    '{"grant_type": "fb_exchange_token", "fb_exchange_token": "{access_token}"}',
    '{"error": ["/error/code", "/error/type", "/error"], "error_description": ["/error/message", "/error_description"]}',
    '{"1": "transient", "2": "transient", "4": "transient", "17": "transient", "341": "transient", "102": "grant_dead", "190": "grant_dead", "101": "client_broken", "Error validating client secret": "client_broken", "Error validating application": "client_broken"}',
    'access_token',
    'no',
    'No refresh token: the access token is swapped for one of about 60 days. expires_in is missing for tokens that never expire. version looks like v22.0.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, refresh_endpoint, grant_types, pkce, scope_separator, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'figma',
    true,
    'Figma',
    'https://www.figma.com/oauth',
    'https://api.figma.com/v1/oauth/token',
    'https://api.figma.com/v1/oauth/refresh',
    '{"authorization_code","refresh_token"}',
    'S256',
    ' ',
    'client_secret_basic',
    'form',
    'refresh_token',
    'no',
    'Separate refresh URL whose answer has no refresh_token: keep the old one. Older www.figma.com/api/oauth/token still appears in some clients.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, revocation_endpoint, introspection_endpoint, userinfo_endpoint, grant_types, pkce, scope_separator, token_endpoint_auth_method, token_request_format, error_fields, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'fitbit',
    true,
    'Fitbit Web API',
    'https://www.fitbit.com/oauth2/authorize',
    'https://api.fitbit.com/oauth2/token',
    'https://api.fitbit.com/oauth2/revoke',
    'https://api.fitbit.com/1.1/oauth2/introspect',
    'https://api.fitbit.com/1/user/-/profile.json',
    '{"authorization_code","refresh_token","client_credentials"}',
    'S256',
    ' ',
    'client_secret_basic',
    'form',
    '{"error": ["/errors/0/errorType", "/error"], "error_description": ["/errors/0/message", "/error_description"]}',
    'refresh_token',
    'yes',
    'Access tokens last 8 hours; refresh tokens are single use. Moving to the Google Health API needs fresh consent.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, grant_types, scope_separator, authorization_parameters, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, refresh_token_lifetime, notes)
VALUES (
    'fortnox',
    true,
    'Fortnox',
    'https://apps.fortnox.se/oauth-v1/auth',
    'https://apps.fortnox.se/oauth-v1/token',
    '{"authorization_code","refresh_token"}',
    ' ',
    '{"access_type": "offline"}',
    'client_secret_basic',
    'form',
    'refresh_token',
    'yes',
    3888000,
    'Refresh tokens are single use.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, grant_types, scope_separator, placeholders, token_endpoint_auth_method, token_request_format, refresh_parameters, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'freshbooks',
    true,
    'FreshBooks',
    'https://auth.freshbooks.com/oauth/authorize',
    'https://api.freshbooks.com/auth/oauth/token',
    '{"authorization_code","refresh_token"}',
    ' ',
    '{"redirect_uri"}',
    'client_secret_post',
    'json',
    '{"redirect_uri": "{redirect_uri}"}',
    'refresh_token',
    'yes',
    'Access tokens last 12 hours and each refresh replaces the refresh token. Put redirect_uri into the client''s metadata.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, allowed_hosts, grant_types, scope_separator, placeholders, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'freshworks',
    true,
    'Freshworks (Freshdesk, Freshsales)',
    'https://{org_domain}/org/oauth/v2/authorize',
    'https://{org_domain}/org/oauth/v2/token',
    '{"*.myfreshworks.com"}',
    '{"authorization_code","refresh_token"}',
    ' ',
    '{"org_domain"}',
    'client_secret_basic',
    'form',
    'refresh_token',
    'unknown',
    'org_domain is the organisation host such as ACME.myfreshworks.com, not the product host.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, grant_types, scope_separator, token_endpoint_auth_method, token_request_format, default_expires_in, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'front',
    true,
    'Front',
    'https://app.frontapp.com/oauth/authorize',
    'https://app.frontapp.com/oauth/token',
    '{"authorization_code","refresh_token"}',
    ' ',
    'client_secret_basic',
    'form',
    3600,
    'refresh_token',
    'unknown',
    'No expires_in: expires_at is a Unix timestamp in seconds. The default is a guess for answers without it.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, grant_types, pkce, scope_separator, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'garmin',
    true,
    'Garmin Connect (OAuth 2)',
    'https://connect.garmin.com/oauth2Confirm',
    'https://diauth.garmin.com/di-oauth2-service/oauth/token',
    '{"authorization_code","refresh_token"}',
    'required',
    ' ',
    'client_secret_post',
    'form',
    'refresh_token',
    'unknown',
    'Replaces the OAuth 1 flow still found in most libraries.');

INSERT INTO vault.provider (
    name, builtin, display_name, issuer, authorization_endpoint, token_endpoint, introspection_endpoint, userinfo_endpoint, grant_types, pkce, scope_separator, placeholders, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'gitea',
    true,
    'Gitea / Forgejo',
    'https://{host}',
    'https://{host}/login/oauth/authorize',
    'https://{host}/login/oauth/access_token',
    'https://{host}/login/oauth/introspect',
    'https://{host}/login/oauth/userinfo',
    '{"authorization_code","refresh_token"}',
    'S256',
    ' ',
    '{"host"}',
    'client_secret_post',
    'form',
    'refresh_token',
    'unknown',
    'Codeberg runs the same endpoints. Whether refresh tokens rotate is a server setting.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, device_authorization_endpoint, userinfo_endpoint, grant_types, pkce, scope_separator, token_endpoint_auth_method, token_request_format, request_headers, error_verdicts, refresh_credential, rotates_refresh_token, refresh_token_lifetime, notes)
VALUES (
    'github',
    true,
    'GitHub (OAuth App)',
    'https://github.com/login/oauth/authorize',
    'https://github.com/login/oauth/access_token',
    'https://github.com/login/device/code',
    'https://api.github.com/user',
    '{"authorization_code","refresh_token","device_code"}',
    'S256',
    ' ',
    'client_secret_post',
    'form',
    '{"Accept": "application/json"}',
    '{"bad_refresh_token": "grant_dead", "bad_verification_code": "grant_dead", "incorrect_client_credentials": "client_broken"}',
    'refresh_token',
    'yes',
    15897600,
    'OAuth Apps issue tokens without expiry and without refresh token. User tokens of GitHub Apps live 8 hours and rotate when expiry is on. Errors come with status 200. Granted scope comes back comma separated. Revocation is DELETE https://api.github.com/applications/CLIENT_ID/token, not RFC 7009.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, device_authorization_endpoint, userinfo_endpoint, grant_types, pkce, scope_separator, token_endpoint_auth_method, token_request_format, request_headers, error_verdicts, refresh_credential, rotates_refresh_token, refresh_token_lifetime, notes)
VALUES (
    'github_app',
    true,
    'GitHub App (user tokens)',
    'https://github.com/login/oauth/authorize',
    'https://github.com/login/oauth/access_token',
    'https://github.com/login/device/code',
    'https://api.github.com/user',
    '{"authorization_code","refresh_token","device_code"}',
    'S256',
    ' ',
    'client_secret_post',
    'form',
    '{"Accept": "application/json"}',
    '{"bad_refresh_token": "grant_dead", "bad_verification_code": "grant_dead", "incorrect_client_credentials": "client_broken"}',
    'refresh_token',
    'yes',
    15897600,
    'User tokens last 8 hours when expiry is on for the app; refresh_token_expires_in is returned. Old refresh and old access token stop working once the refresh token is used. Scopes are ignored; permissions come from the app.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, userinfo_endpoint, grant_types, scope_separator, placeholders, token_endpoint_auth_method, token_request_format, request_headers, error_verdicts, refresh_credential, rotates_refresh_token, refresh_token_lifetime, notes)
VALUES (
    'github_enterprise',
    true,
    'GitHub Enterprise Server',
    'https://{host}/login/oauth/authorize',
    'https://{host}/login/oauth/access_token',
    'https://{host}/api/v3/user',
    '{"authorization_code","refresh_token","device_code"}',
    ' ',
    '{"host"}',
    'client_secret_post',
    'form',
    '{"Accept": "application/json"}',
    '{"bad_refresh_token": "grant_dead", "bad_verification_code": "grant_dead", "incorrect_client_credentials": "client_broken"}',
    'refresh_token',
    'yes',
    15897600,
    'Same protocol as github, GitHub Apps included, on the own host; ghe.com hosts differ on the API side.');

INSERT INTO vault.provider (
    name, builtin, display_name, issuer, authorization_endpoint, token_endpoint, revocation_endpoint, introspection_endpoint, device_authorization_endpoint, userinfo_endpoint, grant_types, pkce, scope_separator, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'gitlab',
    true,
    'GitLab.com',
    'https://gitlab.com',
    'https://gitlab.com/oauth/authorize',
    'https://gitlab.com/oauth/token',
    'https://gitlab.com/oauth/revoke',
    'https://gitlab.com/oauth/introspect',
    'https://gitlab.com/oauth/authorize_device',
    'https://gitlab.com/oauth/userinfo',
    '{"authorization_code","refresh_token","device_code"}',
    'S256',
    ' ',
    'client_secret_post',
    'form',
    'refresh_token',
    'yes',
    'Access tokens last 2 hours; created_at plus expires_in are both returned. Refreshing invalidates the previous access and refresh token.');

INSERT INTO vault.provider (
    name, builtin, display_name, issuer, authorization_endpoint, token_endpoint, revocation_endpoint, userinfo_endpoint, grant_types, pkce, scope_separator, placeholders, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'gitlab_self_managed',
    true,
    'GitLab self-managed',
    'https://{host}',
    'https://{host}/oauth/authorize',
    'https://{host}/oauth/token',
    'https://{host}/oauth/revoke',
    'https://{host}/oauth/userinfo',
    '{"authorization_code","refresh_token"}',
    'S256',
    ' ',
    '{"host"}',
    'client_secret_post',
    'form',
    'refresh_token',
    'yes',
    'Same as GitLab.com on the own host, which may sit under a relative path.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, grant_types, scope_separator, authorization_parameters, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'gong',
    true,
    'Gong',
    'https://app.gong.io/oauth2/authorize',
    'https://app.gong.io/oauth2/generate-customer-token',
    '{"authorization_code","refresh_token"}',
    ' ',
    '{"access_type": "offline"}',
    'client_secret_basic',
    'form',
    'refresh_token',
    'unknown',
    'The answer names the API host in api_base_url_for_customer.');

INSERT INTO vault.provider (
    name, builtin, display_name, issuer, authorization_endpoint, token_endpoint, revocation_endpoint, device_authorization_endpoint, userinfo_endpoint, grant_types, pkce, scope_separator, authorization_parameters, token_endpoint_auth_method, token_request_format, error_verdicts, refresh_credential, rotates_refresh_token, refresh_token_lifetime, notes)
VALUES (
    'google',
    true,
    'Google',
    'https://accounts.google.com',
    'https://accounts.google.com/o/oauth2/v2/auth',
    'https://oauth2.googleapis.com/token',
    'https://oauth2.googleapis.com/revoke',
    'https://oauth2.googleapis.com/device/code',
    'https://openidconnect.googleapis.com/v1/userinfo',
    '{"authorization_code","refresh_token","device_code","jwt_bearer"}',
    'S256',
    ' ',
    '{"access_type": "offline", "prompt": "consent"}',
    'client_secret_post',
    'form',
    '{"deleted_client": "client_broken", "disabled_client": "client_broken"}',
    'refresh_token',
    'no',
    15552000,
    'A refresh token comes only with access_type=offline, normally only on the first consent. It dies after 6 months of disuse, after 7 days while the consent screen is in testing. Refresh answers usually omit refresh_token. At most 100 live refresh tokens per account and client; the oldest is dropped silently.');

INSERT INTO vault.provider (
    name, builtin, display_name, issuer, token_endpoint, grant_types, scope_separator, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'google_service_account',
    true,
    'Google service account',
    'https://accounts.google.com',
    'https://oauth2.googleapis.com/token',
    '{"jwt_bearer"}',
    ' ',
    'none',
    'form',
    'none',
    'no',
    'Signed JWT assertion (grant_type urn:ietf:params:oauth:grant-type:jwt-bearer), made by the application: the vault holds the access token and can''t refresh it. Assertion aud is the token endpoint.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, grant_types, scope_separator, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'gusto',
    true,
    'Gusto',
    'https://api.gusto.com/oauth/authorize',
    'https://api.gusto.com/oauth/token',
    '{"authorization_code","refresh_token"}',
    ' ',
    'client_secret_post',
    'form',
    'refresh_token',
    'yes',
    'Access tokens last 2 hours; refresh tokens are single use. client_secret in the query string is refused with 400.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, grant_types, scope_separator, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'heroku',
    true,
    'Heroku',
    'https://id.heroku.com/oauth/authorize',
    'https://id.heroku.com/oauth/token',
    '{"authorization_code","refresh_token"}',
    ' ',
    'client_secret_post',
    'form',
    'refresh_token',
    'unknown',
    'Access tokens last 8 hours.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, grant_types, scope_separator, token_endpoint_auth_method, token_request_format, error_fields, error_verdicts, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'hubspot',
    true,
    'HubSpot',
    'https://app.hubspot.com/oauth/authorize',
    'https://api.hubapi.com/oauth/v1/token',
    '{"authorization_code","refresh_token"}',
    ' ',
    'client_secret_post',
    'form',
    '{"error": ["/error", "/status"], "error_description": ["/error_description", "/message"]}',
    '{"BAD_REFRESH_TOKEN": "grant_dead", "BAD_CLIENT_ID": "client_broken", "BAD_CLIENT_SECRET": "client_broken"}',
    'refresh_token',
    'unknown',
    'Access tokens last 30 minutes by expires_in. Public notes disagree on rotation; answers repeat a refresh_token, so store it. Token info is GET /oauth/v1/access-tokens/TOKEN. EU accounts may authorise on app-eu1.hubspot.com.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, refresh_endpoint, grant_types, scope_separator, token_endpoint_auth_method, token_request_method, token_request_format, refresh_parameters, default_expires_in, error_fields, error_verdicts, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'instagram',
    true,
    'Instagram (business login)',
    'https://www.instagram.com/oauth/authorize',
    'https://api.instagram.com/oauth/access_token',
    'https://graph.instagram.com/refresh_access_token',
    '{"authorization_code"}',
    ',',
    'client_secret_post',
    'GET',
    'form',
    '{"client_id": null, "client_secret": null, "grant_type": "ig_refresh_token", "access_token": "{access_token}"}',
    3600,
    '{"error": ["/error/code", "/error/type", "/error_type", "/error"], "error_description": ["/error/message", "/error_message"]}',
    '{"1": "transient", "2": "transient", "4": "transient", "17": "transient", "102": "grant_dead", "190": "grant_dead"}',
    'access_token',
    'no',
    'Store the token of 60 days, not the short one of an hour: it comes from GET graph.instagram.com/access_token with grant_type=ig_exchange_token and is renewed here once it is a day old.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, grant_types, scope_separator, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'intercom',
    true,
    'Intercom',
    'https://app.intercom.com/oauth',
    'https://api.intercom.io/auth/eagle/token',
    '{"authorization_code"}',
    ' ',
    'client_secret_post',
    'form',
    'none',
    'no',
    'Tokens do not expire and there is no refresh token. EU and AU workspaces use region hosts.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, grant_types, scope_separator, token_endpoint_auth_method, token_request_format, default_expires_in, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'jobber',
    true,
    'Jobber',
    'https://api.getjobber.com/api/oauth/authorize',
    'https://api.getjobber.com/api/oauth/token',
    '{"authorization_code","refresh_token"}',
    ' ',
    'client_secret_post',
    'form',
    3600,
    'refresh_token',
    'sometimes',
    'Answers have no expires_in; tokens last 1 hour (the JWT holds exp). Rotation is an app setting. No scopes on the URL.');

INSERT INTO vault.provider (
    name, builtin, display_name, issuer, authorization_endpoint, token_endpoint, grant_types, scope_separator, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'kakao',
    true,
    'Kakao',
    'https://kauth.kakao.com',
    'https://kauth.kakao.com/oauth/authorize',
    'https://kauth.kakao.com/oauth/token',
    '{"authorization_code","refresh_token"}',
    ' ',
    'client_secret_post',
    'form',
    'refresh_token',
    'sometimes',
    'refresh_token_expires_in is returned; a new refresh token only comes when the old one is near its end.');

INSERT INTO vault.provider (
    name, builtin, display_name, issuer, authorization_endpoint, token_endpoint, revocation_endpoint, introspection_endpoint, device_authorization_endpoint, userinfo_endpoint, grant_types, pkce, scope_separator, placeholders, token_endpoint_auth_method, token_request_format, response_fields, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'keycloak',
    true,
    'Keycloak',
    'https://{host}/realms/{realm}',
    'https://{host}/realms/{realm}/protocol/openid-connect/auth',
    'https://{host}/realms/{realm}/protocol/openid-connect/token',
    'https://{host}/realms/{realm}/protocol/openid-connect/revoke',
    'https://{host}/realms/{realm}/protocol/openid-connect/token/introspect',
    'https://{host}/realms/{realm}/protocol/openid-connect/auth/device',
    'https://{host}/realms/{realm}/protocol/openid-connect/userinfo',
    '{"authorization_code","refresh_token","client_credentials","device_code"}',
    'S256',
    ' ',
    '{"host","realm"}',
    'client_secret_basic',
    'form',
    '{"refresh_token_expires_in": "/refresh_expires_in"}',
    'refresh_token',
    'sometimes',
    'Reuse of an old refresh token is only refused when the realm turns on Revoke Refresh Token. Servers before 17 put /auth before /realms.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, grant_types, pkce, scope_separator, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, refresh_token_lifetime, notes)
VALUES (
    'klaviyo',
    true,
    'Klaviyo',
    'https://www.klaviyo.com/oauth/authorize',
    'https://a.klaviyo.com/oauth/token',
    '{"authorization_code","refresh_token"}',
    'required',
    ' ',
    'client_secret_basic',
    'form',
    'refresh_token',
    'unknown',
    7776000,
    'Access tokens last 1 hour.');

INSERT INTO vault.provider (
    name, builtin, display_name, issuer, authorization_endpoint, token_endpoint, userinfo_endpoint, grant_types, pkce, scope_separator, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'line',
    true,
    'LINE Login',
    'https://access.line.me',
    'https://access.line.me/oauth2/v2.1/authorize',
    'https://api.line.me/oauth2/v2.1/token',
    'https://api.line.me/oauth2/v2.1/userinfo',
    '{"authorization_code","refresh_token"}',
    'S256',
    ' ',
    'client_secret_post',
    'form',
    'refresh_token',
    'unknown',
    'Access tokens last about 30 days. Access token checks use GET /oauth2/v2.1/verify.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, grant_types, scope_separator, authorization_parameters, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'linear',
    true,
    'Linear',
    'https://linear.app/oauth/authorize',
    'https://api.linear.app/oauth/token',
    '{"authorization_code","refresh_token"}',
    ',',
    '{"prompt": "consent"}',
    'client_secret_post',
    'form',
    'refresh_token',
    'yes',
    'Apps created from October 2025 get 24 hour tokens with a rotating refresh token; older grants live for years without one. scope in the answer may be an array.');

INSERT INTO vault.provider (
    name, builtin, display_name, issuer, authorization_endpoint, token_endpoint, introspection_endpoint, userinfo_endpoint, grant_types, pkce, scope_separator, token_endpoint_auth_method, token_request_format, error_verdicts, refresh_credential, rotates_refresh_token, grant_lifetime, notes)
VALUES (
    'linkedin',
    true,
    'LinkedIn',
    'https://www.linkedin.com/oauth',
    'https://www.linkedin.com/oauth/v2/authorization',
    'https://www.linkedin.com/oauth/v2/accessToken',
    'https://www.linkedin.com/oauth/v2/introspectToken',
    'https://api.linkedin.com/v2/userinfo',
    '{"authorization_code","refresh_token","client_credentials"}',
    'none',
    ' ',
    'client_secret_post',
    'form',
    '{"refresh token is invalid, expired or revoked": "grant_dead"}',
    'refresh_token',
    'no',
    31536000,
    'Basic authentication does not work. Refresh tokens only for approved partners; the year counts from consent and is not extended. Access tokens last 60 days. Cancel shows as user_cancelled_login.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, userinfo_endpoint, grant_types, scope_separator, token_endpoint_auth_method, token_request_format, zero_expires_means_never, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'mailchimp',
    true,
    'Mailchimp',
    'https://login.mailchimp.com/oauth2/authorize',
    'https://login.mailchimp.com/oauth2/token',
    'https://login.mailchimp.com/oauth2/metadata',
    '{"authorization_code"}',
    ' ',
    'client_secret_post',
    'form',
    true,
    'none',
    'no',
    'No refresh token and no scopes. Metadata call gives dc and uses the header scheme OAuth.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, revocation_endpoint, userinfo_endpoint, grant_types, pkce, scope_separator, placeholders, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'mastodon',
    true,
    'Mastodon',
    'https://{host}/oauth/authorize',
    'https://{host}/oauth/token',
    'https://{host}/oauth/revoke',
    'https://{host}/oauth/userinfo',
    '{"authorization_code","client_credentials"}',
    'S256',
    ' ',
    '{"host"}',
    'client_secret_post',
    'form',
    'none',
    'no',
    'Clients are registered per server. Tokens do not expire and there is no refresh token; created_at is returned.');

INSERT INTO vault.provider (
    name, builtin, display_name, issuer, authorization_endpoint, token_endpoint, device_authorization_endpoint, userinfo_endpoint, grant_types, pkce, scope_separator, token_endpoint_auth_method, public_clients, token_request_format, refresh_parameters, error_verdicts, refresh_credential, rotates_refresh_token, replay_leeway_seconds, refresh_token_lifetime, notes)
VALUES (
    'microsoft',
    true,
    'Microsoft identity platform (common)',
    'https://login.microsoftonline.com/common/v2.0',
    'https://login.microsoftonline.com/common/oauth2/v2.0/authorize',
    'https://login.microsoftonline.com/common/oauth2/v2.0/token',
    'https://login.microsoftonline.com/common/oauth2/v2.0/devicecode',
    'https://graph.microsoft.com/oidc/userinfo',
    '{"authorization_code","refresh_token","device_code"}',
    'S256',
    ' ',
    'client_secret_post',
    true,
    'form',
    '{"scope": "{scope?}"}',
    '{"AADSTS7000215": "client_broken", "AADSTS7000222": "client_broken", "AADSTS7000112": "client_broken", "AADSTS700016": "client_broken", "AADSTS90014": "misconfigured", "AADSTS90012": "transient", "AADSTS90024": "transient", "AADSTS90033": "transient", "AADSTS90055": "transient"}',
    'refresh_token',
    'yes',
    86400,
    7776000,
    'Needs scope offline_access. Every use hands out a fresh refresh token; the old one is not revoked. Refresh tokens live 90 days, 24 hours for single-page applications. id_token issuer carries the real tenant, not common.');

INSERT INTO vault.provider (
    name, builtin, display_name, issuer, authorization_endpoint, token_endpoint, device_authorization_endpoint, userinfo_endpoint, grant_types, pkce, scope_separator, placeholders, token_endpoint_auth_method, public_clients, token_request_format, refresh_parameters, error_verdicts, refresh_credential, rotates_refresh_token, replay_leeway_seconds, refresh_token_lifetime, notes)
VALUES (
    'microsoft_tenant',
    true,
    'Microsoft Entra ID (one tenant)',
    'https://login.microsoftonline.com/{tenant}/v2.0',
    'https://login.microsoftonline.com/{tenant}/oauth2/v2.0/authorize',
    'https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token',
    'https://login.microsoftonline.com/{tenant}/oauth2/v2.0/devicecode',
    'https://graph.microsoft.com/oidc/userinfo',
    '{"authorization_code","refresh_token","client_credentials","device_code","jwt_bearer"}',
    'S256',
    ' ',
    '{"tenant"}',
    'client_secret_post',
    true,
    'form',
    '{"scope": "{scope?}"}',
    '{"AADSTS7000215": "client_broken", "AADSTS7000222": "client_broken", "AADSTS7000112": "client_broken", "AADSTS700016": "client_broken", "AADSTS90014": "misconfigured", "AADSTS90012": "transient", "AADSTS90024": "transient", "AADSTS90033": "transient", "AADSTS90055": "transient"}',
    'refresh_token',
    'yes',
    86400,
    7776000,
    'Needs scope offline_access. tenant may be a GUID, a domain, organizations or consumers. The old refresh token is not revoked. client_credentials needs one scope of the form resource/.default.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, grant_types, scope_separator, authorization_parameters, token_parameters, placeholders, token_endpoint_auth_method, token_request_format, refresh_parameters, error_verdicts, refresh_credential, rotates_refresh_token, replay_leeway_seconds, refresh_token_lifetime, notes)
VALUES (
    'microsoft_v1',
    true,
    'Microsoft Entra ID (v1 endpoint)',
    'https://login.microsoftonline.com/{tenant}/oauth2/authorize',
    'https://login.microsoftonline.com/{tenant}/oauth2/token',
    '{"authorization_code","refresh_token","client_credentials"}',
    ' ',
    '{"resource": "{resource}"}',
    '{"resource": "{resource}"}',
    '{"tenant","resource"}',
    'client_secret_post',
    'form',
    '{"resource": "{resource}"}',
    '{"AADSTS7000215": "client_broken", "AADSTS7000222": "client_broken", "AADSTS7000112": "client_broken", "AADSTS700016": "client_broken", "AADSTS90012": "transient", "AADSTS90024": "transient", "AADSTS90033": "transient", "AADSTS90055": "transient"}',
    'refresh_token',
    'yes',
    86400,
    7776000,
    'Older endpoint still used by Dynamics style APIs. expires_in and expires_on arrive as strings. The answer names the resource, so it fills the placeholder by itself.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, revocation_endpoint, grant_types, scope_separator, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, refresh_token_lifetime, notes)
VALUES (
    'miro',
    true,
    'Miro',
    'https://miro.com/oauth/authorize',
    'https://api.miro.com/v1/oauth/token',
    'https://api.miro.com/v2/oauth/revoke',
    '{"authorization_code","refresh_token"}',
    ' ',
    'client_secret_post',
    'form',
    'refresh_token',
    'yes',
    5184000,
    'Expiring tokens (1 hour) are an option chosen when the app is created; otherwise tokens do not expire.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, revocation_endpoint, grant_types, scope_separator, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'mollie',
    true,
    'Mollie Connect',
    'https://my.mollie.com/oauth2/authorize',
    'https://api.mollie.com/oauth2/tokens',
    'https://api.mollie.com/oauth2/tokens',
    '{"authorization_code","refresh_token"}',
    ' ',
    'client_secret_basic',
    'form',
    'refresh_token',
    'no',
    'Revocation is an HTTP DELETE on the token URL.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, grant_types, scope_separator, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'monday',
    true,
    'monday.com',
    'https://auth.monday.com/oauth2/authorize',
    'https://auth.monday.com/oauth2/token',
    '{"authorization_code"}',
    ' ',
    'client_secret_post',
    'form',
    'none',
    'no',
    'Tokens live until the app is uninstalled; no refresh token.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, grant_types, scope_separator, authorization_parameters, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'myob',
    true,
    'MYOB',
    'https://secure.myob.com/oauth2/account/authorize',
    'https://secure.myob.com/oauth2/v1/authorize',
    '{"authorization_code","refresh_token"}',
    ' ',
    '{"prompt": "consent"}',
    'client_secret_post',
    'form',
    'refresh_token',
    'unknown',
    'The token endpoint path ends in authorize.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, grant_types, scope_separator, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'naver',
    true,
    'Naver',
    'https://nid.naver.com/oauth2.0/authorize',
    'https://nid.naver.com/oauth2.0/token',
    '{"authorization_code","refresh_token"}',
    ' ',
    'client_secret_post',
    'form',
    'refresh_token',
    'no',
    'expires_in is a string. state is also required on the token request.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, grant_types, scope_separator, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'netlify',
    true,
    'Netlify',
    'https://app.netlify.com/authorize',
    'https://api.netlify.com/oauth/token',
    '{"authorization_code"}',
    ' ',
    'client_secret_post',
    'form',
    'none',
    'no',
    'Tokens do not expire and no refresh token is issued.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, grant_types, pkce, scope_separator, authorization_parameters, placeholders, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, grant_lifetime, notes)
VALUES (
    'netsuite',
    true,
    'Oracle NetSuite',
    'https://{account_id}.app.netsuite.com/app/login/oauth2/authorize.nl',
    'https://{account_id}.suitetalk.api.netsuite.com/services/rest/auth/oauth2/v1/token',
    '{"authorization_code","refresh_token","client_credentials"}',
    'S256',
    ' ',
    '{"prompt": "consent"}',
    '{"account_id"}',
    'client_secret_basic',
    'form',
    'refresh_token',
    'no',
    604800,
    'expires_in is a string. Refresh answers carry no refresh token, so access ends 7 days after consent. client_credentials uses a signed JWT assertion. Sandbox ids use a dash (123-sb1).');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, grant_types, scope_separator, placeholders, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'nextcloud',
    true,
    'Nextcloud',
    'https://{host}/index.php/apps/oauth2/authorize',
    'https://{host}/index.php/apps/oauth2/api/v1/token',
    '{"authorization_code","refresh_token"}',
    ' ',
    '{"host"}',
    'client_secret_post',
    'form',
    'refresh_token',
    'yes',
    'No scopes. The path works with or without index.php depending on the server.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, revocation_endpoint, introspection_endpoint, grant_types, scope_separator, authorization_parameters, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'notion',
    true,
    'Notion',
    'https://api.notion.com/v1/oauth/authorize',
    'https://api.notion.com/v1/oauth/token',
    'https://api.notion.com/v1/oauth/revoke',
    'https://api.notion.com/v1/oauth/introspect',
    '{"authorization_code","refresh_token"}',
    ' ',
    '{"owner": "user"}',
    'client_secret_basic',
    'json',
    'refresh_token',
    'yes',
    'JSON body with Basic credentials; no scopes. A refresh answers with a new access and a new refresh token, without expires_in. Connections made before refresh support never got a refresh token and do not expire.');

INSERT INTO vault.provider (
    name, builtin, display_name, issuer, authorization_endpoint, token_endpoint, revocation_endpoint, introspection_endpoint, device_authorization_endpoint, userinfo_endpoint, grant_types, pkce, scope_separator, placeholders, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, replay_leeway_seconds, notes)
VALUES (
    'okta',
    true,
    'Okta (org authorization server)',
    'https://{subdomain}.okta.com',
    'https://{subdomain}.okta.com/oauth2/v1/authorize',
    'https://{subdomain}.okta.com/oauth2/v1/token',
    'https://{subdomain}.okta.com/oauth2/v1/revoke',
    'https://{subdomain}.okta.com/oauth2/v1/introspect',
    'https://{subdomain}.okta.com/oauth2/v1/device/authorize',
    'https://{subdomain}.okta.com/oauth2/v1/userinfo',
    '{"authorization_code","refresh_token","client_credentials","device_code"}',
    'S256',
    ' ',
    '{"subdomain"}',
    'client_secret_basic',
    'form',
    'refresh_token',
    'sometimes',
    30,
    'Needs offline_access. Rotation is set per app: on by default for single page apps, off for web and native apps; grace period 0 to 60 seconds. Org server client_credentials accepts private_key_jwt only.');

INSERT INTO vault.provider (
    name, builtin, display_name, issuer, authorization_endpoint, token_endpoint, revocation_endpoint, introspection_endpoint, userinfo_endpoint, grant_types, pkce, scope_separator, placeholders, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, replay_leeway_seconds, notes)
VALUES (
    'okta_auth_server',
    true,
    'Okta (custom authorization server)',
    'https://{domain}/oauth2/{auth_server}',
    'https://{domain}/oauth2/{auth_server}/v1/authorize',
    'https://{domain}/oauth2/{auth_server}/v1/token',
    'https://{domain}/oauth2/{auth_server}/v1/revoke',
    'https://{domain}/oauth2/{auth_server}/v1/introspect',
    'https://{domain}/oauth2/{auth_server}/v1/userinfo',
    '{"authorization_code","refresh_token","client_credentials","device_code"}',
    'S256',
    ' ',
    '{"domain","auth_server"}',
    'client_secret_basic',
    'form',
    'refresh_token',
    'sometimes',
    30,
    'auth_server is often the word default. Refresh lifetime is set by access policy.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, grant_types, scope_separator, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'oura',
    true,
    'Oura',
    'https://cloud.ouraring.com/oauth/authorize',
    'https://api.ouraring.com/oauth/token',
    '{"authorization_code","refresh_token"}',
    ' ',
    'client_secret_post',
    'form',
    'refresh_token',
    'yes',
    'Refresh tokens are single use.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, grant_types, scope_separator, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, refresh_token_lifetime, notes)
VALUES (
    'outreach',
    true,
    'Outreach',
    'https://api.outreach.io/oauth/authorize',
    'https://api.outreach.io/oauth/token',
    '{"authorization_code","refresh_token"}',
    ' ',
    'client_secret_post',
    'form',
    'refresh_token',
    'yes',
    1209600,
    'Access tokens last 2 hours.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, grant_types, pkce, scope_separator, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'pagerduty',
    true,
    'PagerDuty (classic user OAuth)',
    'https://app.pagerduty.com/oauth/authorize',
    'https://app.pagerduty.com/oauth/token',
    '{"authorization_code","refresh_token"}',
    'S256',
    ' ',
    'client_secret_post',
    'form',
    'refresh_token',
    'unknown',
    'Clients in the wild disagree on header or body credentials. Scoped OAuth lives on identity.pagerduty.com instead.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, userinfo_endpoint, grant_types, scope_separator, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'patreon',
    true,
    'Patreon',
    'https://www.patreon.com/oauth2/authorize',
    'https://www.patreon.com/api/oauth2/token',
    'https://www.patreon.com/api/oauth2/v2/identity',
    '{"authorization_code","refresh_token"}',
    ' ',
    'client_secret_post',
    'form',
    'refresh_token',
    'yes',
    'Documentation calls both tokens single use: store the new refresh token.');

INSERT INTO vault.provider (
    name, builtin, display_name, issuer, authorization_endpoint, token_endpoint, grant_types, scope_separator, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'paypal',
    true,
    'PayPal',
    'https://www.paypal.com',
    'https://www.paypal.com/signin/authorize',
    'https://api-m.paypal.com/v1/oauth2/token',
    '{"authorization_code","refresh_token","client_credentials"}',
    ' ',
    'client_secret_basic',
    'form',
    'refresh_token',
    'unknown',
    'expires_in may be a string (a Go client library says so). Older clients use host api.paypal.com. Claims OpenID Connect but does not always return an id_token.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, revocation_endpoint, userinfo_endpoint, grant_types, scope_separator, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'paypal_sandbox',
    true,
    'PayPal (sandbox)',
    'https://www.sandbox.paypal.com/signin/authorize',
    'https://api-m.sandbox.paypal.com/v1/oauth2/token',
    'https://api-m.sandbox.paypal.com/v1/oauth2/revoke',
    'https://api-m.sandbox.paypal.com/v1/oauth2/token/userinfo',
    '{"authorization_code","refresh_token","client_credentials"}',
    ' ',
    'client_secret_basic',
    'form',
    'refresh_token',
    'unknown',
    'The sandbox discovery document lists production endpoints.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, grant_types, scope_separator, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'pennylane',
    true,
    'Pennylane',
    'https://app.pennylane.com/oauth/authorize',
    'https://app.pennylane.com/oauth/token',
    '{"authorization_code","refresh_token"}',
    '+',
    'client_secret_post',
    'form',
    'refresh_token',
    'unknown',
    'Scopes must reach the server joined by literal plus signs, not %2B.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, grant_types, scope_separator, token_parameters, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, refresh_token_lifetime, notes)
VALUES (
    'pinterest',
    true,
    'Pinterest v5',
    'https://www.pinterest.com/oauth/',
    'https://api.pinterest.com/v5/oauth/token',
    '{"authorization_code","refresh_token","client_credentials"}',
    ',',
    '{"continuous_refresh": "true"}',
    'client_secret_basic',
    'form',
    'refresh_token',
    'sometimes',
    5184000,
    'refresh_token_expires_in is returned. Older v1 endpoints in some libraries are dead.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, userinfo_endpoint, grant_types, scope_separator, token_endpoint_auth_method, token_request_format, success_condition, refresh_credential, rotates_refresh_token, refresh_token_lifetime, notes)
VALUES (
    'pipedrive',
    true,
    'Pipedrive',
    'https://oauth.pipedrive.com/oauth/authorize',
    'https://oauth.pipedrive.com/oauth/token',
    'https://api.pipedrive.com/v1/users/me',
    '{"authorization_code","refresh_token"}',
    ' ',
    'client_secret_basic',
    'form',
    '{"pointer": "/success", "equals": true}',
    'refresh_token',
    'unknown',
    5184000,
    'No scopes; empty query parameters are refused. api_domain is the API host.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, grant_types, scope_separator, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'procore',
    true,
    'Procore',
    'https://login.procore.com/oauth/authorize',
    'https://login.procore.com/oauth/token',
    '{"authorization_code","refresh_token","client_credentials"}',
    ' ',
    'client_secret_post',
    'form',
    'refresh_token',
    'yes',
    'Access tokens last 5400 seconds; the old refresh token dies on use. created_at is returned.');

INSERT INTO vault.provider (
    name, builtin, display_name, issuer, authorization_endpoint, token_endpoint, revocation_endpoint, userinfo_endpoint, grant_types, scope_separator, token_endpoint_auth_method, token_request_format, response_fields, refresh_credential, rotates_refresh_token, refresh_token_lifetime, grant_lifetime, notes)
VALUES (
    'quickbooks',
    true,
    'Intuit QuickBooks Online',
    'https://oauth.platform.intuit.com/op/v1',
    'https://appcenter.intuit.com/connect/oauth2',
    'https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer',
    'https://developer.api.intuit.com/v2/oauth2/tokens/revoke',
    'https://accounts.platform.intuit.com/v1/openid_connect/userinfo',
    '{"authorization_code","refresh_token"}',
    ' ',
    'client_secret_basic',
    'form',
    '{"refresh_token_expires_in": ["/x_refresh_token_expires_in", "/refresh_token_expires_in"]}',
    'refresh_token',
    'sometimes',
    8640000,
    157680000,
    'The refresh token changes about daily; only the last one issued counts. realmId arrives on the redirect. Sandbox shares these URLs.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, revocation_endpoint, userinfo_endpoint, grant_types, scope_separator, authorization_parameters, placeholders, token_endpoint_auth_method, basic_password, token_request_format, request_headers, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'reddit',
    true,
    'Reddit',
    'https://www.reddit.com/api/v1/authorize',
    'https://www.reddit.com/api/v1/access_token',
    'https://www.reddit.com/api/v1/revoke_token',
    'https://oauth.reddit.com/api/v1/me',
    '{"authorization_code","refresh_token","client_credentials"}',
    ' ',
    '{"duration": "permanent"}',
    '{"user_agent"}',
    'client_secret_basic',
    '{client_secret?}',
    'form',
    '{"User-Agent": "{user_agent?}"}',
    'refresh_token',
    'no',
    'Basic is required even without a secret. Reddit wants a descriptive User-Agent: put it as user_agent into the client''s metadata. Refresh answers omit refresh_token. API calls go to oauth.reddit.com.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, revocation_endpoint, grant_types, pkce, scope_separator, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, replay_leeway_seconds, refresh_token_lifetime, notes)
VALUES (
    'ringcentral',
    true,
    'RingCentral',
    'https://platform.ringcentral.com/restapi/oauth/authorize',
    'https://platform.ringcentral.com/restapi/oauth/token',
    'https://platform.ringcentral.com/restapi/oauth/revoke',
    '{"authorization_code","refresh_token","jwt_bearer"}',
    'S256',
    ' ',
    'client_secret_basic',
    'form',
    'refresh_token',
    'yes',
    3600,
    604800,
    'Refresh tokens are single use, but until the new access token is first used the old one keeps answering for up to 60 minutes with the same result.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, grant_types, scope_separator, placeholders, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'rippling',
    true,
    'Rippling (app shop)',
    'https://app.rippling.com/apps/PLATFORM/{app_name}/authorize',
    'https://api.rippling.com/api/o/token/',
    '{"authorization_code","refresh_token"}',
    ' ',
    '{"app_name"}',
    'client_secret_basic',
    'form',
    'refresh_token',
    'unknown',
    'Flow usually starts from Rippling with a code on the redirect. Trailing slash matters.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, grant_types, scope_separator, authorization_parameters, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, refresh_token_lifetime, notes)
VALUES (
    'sage_accounting',
    true,
    'Sage Accounting',
    'https://www.sageone.com/oauth2/auth/central',
    'https://oauth.accounting.sage.com/token',
    '{"authorization_code","refresh_token"}',
    ' ',
    '{"filter": "apiv3.1"}',
    'client_secret_post',
    'form',
    'refresh_token',
    'yes',
    2678400,
    'Access tokens last 5 minutes; refresh_token_expires_in is returned.');

INSERT INTO vault.provider (
    name, builtin, display_name, issuer, authorization_endpoint, token_endpoint, revocation_endpoint, introspection_endpoint, userinfo_endpoint, grant_types, pkce, scope_separator, token_endpoint_auth_method, token_request_format, default_expires_in, error_verdicts, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'salesforce',
    true,
    'Salesforce',
    'https://login.salesforce.com',
    'https://login.salesforce.com/services/oauth2/authorize',
    'https://login.salesforce.com/services/oauth2/token',
    'https://login.salesforce.com/services/oauth2/revoke',
    'https://login.salesforce.com/services/oauth2/introspect',
    'https://login.salesforce.com/services/oauth2/userinfo',
    '{"authorization_code","refresh_token","jwt_bearer"}',
    'S256',
    ' ',
    'client_secret_post',
    'form',
    7200,
    '{"inactive_user": "grant_dead", "inactive_org": "grant_dead", "invalid_client_id": "client_broken", "rate_limit_exceeded": "transient"}',
    'refresh_token',
    'sometimes',
    'No expires_in: lifetime is the org''s session timeout, the default is a guess. issued_at is in milliseconds, as a string. Needs scope refresh_token or offline_access; rotation is an app setting. instance_url is the API host.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, revocation_endpoint, introspection_endpoint, userinfo_endpoint, grant_types, pkce, scope_separator, placeholders, token_endpoint_auth_method, token_request_format, default_expires_in, error_verdicts, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'salesforce_my_domain',
    true,
    'Salesforce (My Domain)',
    'https://{my_domain}.my.salesforce.com/services/oauth2/authorize',
    'https://{my_domain}.my.salesforce.com/services/oauth2/token',
    'https://{my_domain}.my.salesforce.com/services/oauth2/revoke',
    'https://{my_domain}.my.salesforce.com/services/oauth2/introspect',
    'https://{my_domain}.my.salesforce.com/services/oauth2/userinfo',
    '{"authorization_code","refresh_token","client_credentials","jwt_bearer"}',
    'S256',
    ' ',
    '{"my_domain"}',
    'client_secret_post',
    'form',
    7200,
    '{"inactive_user": "grant_dead", "inactive_org": "grant_dead", "invalid_client_id": "client_broken", "rate_limit_exceeded": "transient"}',
    'refresh_token',
    'sometimes',
    'Client credentials only work on the My Domain host. Sandboxes use NAME--SANDBOX.sandbox as my_domain.');

INSERT INTO vault.provider (
    name, builtin, display_name, issuer, authorization_endpoint, token_endpoint, revocation_endpoint, introspection_endpoint, userinfo_endpoint, grant_types, pkce, scope_separator, token_endpoint_auth_method, token_request_format, default_expires_in, error_verdicts, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'salesforce_sandbox',
    true,
    'Salesforce (sandbox)',
    'https://test.salesforce.com',
    'https://test.salesforce.com/services/oauth2/authorize',
    'https://test.salesforce.com/services/oauth2/token',
    'https://test.salesforce.com/services/oauth2/revoke',
    'https://test.salesforce.com/services/oauth2/introspect',
    'https://test.salesforce.com/services/oauth2/userinfo',
    '{"authorization_code","refresh_token","jwt_bearer"}',
    'S256',
    ' ',
    'client_secret_post',
    'form',
    7200,
    '{"inactive_user": "grant_dead", "inactive_org": "grant_dead", "invalid_client_id": "client_broken", "rate_limit_exceeded": "transient"}',
    'refresh_token',
    'sometimes',
    'Sandbox twin of salesforce; JWT audience is https://test.salesforce.com.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, grant_types, scope_separator, placeholders, token_endpoint_auth_method, token_request_format, response_fields, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'sap_concur',
    true,
    'SAP Concur',
    'https://{region}.api.concursolutions.com/oauth2/v0/authorize',
    'https://{region}.api.concursolutions.com/oauth2/v0/token',
    '{"authorization_code","refresh_token"}',
    ' ',
    '{"region"}',
    'client_secret_post',
    'form',
    '{"refresh_token_expires_at": "/refresh_expires_in"}',
    'refresh_token',
    'unknown',
    'The answer names geolocation: later calls go to that host, whose first part is the region.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, grant_types, scope_separator, placeholders, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'sap_xsuaa',
    true,
    'SAP BTP (XSUAA)',
    'https://{subdomain}.authentication.{region}.hana.ondemand.com/oauth/authorize',
    'https://{subdomain}.authentication.{region}.hana.ondemand.com/oauth/token',
    '{"authorization_code","refresh_token","client_credentials","jwt_bearer"}',
    ' ',
    '{"subdomain","region"}',
    'client_secret_basic',
    'form',
    'refresh_token',
    'unknown',
    'Cloud Foundry UAA under the hood; x509 bindings use another cert host.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, grant_types, scope_separator, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'sentry',
    true,
    'Sentry (OAuth application)',
    'https://sentry.io/oauth/authorize/',
    'https://sentry.io/oauth/token/',
    '{"authorization_code","refresh_token"}',
    ' ',
    'client_secret_post',
    'form',
    'refresh_token',
    'unknown',
    'Trailing slashes matter. This is the user OAuth flow; organisation integrations use sentry_integration.');

INSERT INTO vault.provider (
    name, builtin, display_name, token_endpoint, grant_types, scope_separator, placeholders, token_endpoint_auth_method, token_request_format, response_fields, default_expires_in, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'sentry_integration',
    true,
    'Sentry (integration platform)',
    'https://sentry.io/api/0/sentry-app-installations/{installation_uuid}/authorizations/',
    '{"authorization_code","refresh_token"}',
    ' ',
    '{"installation_uuid"}',
    'client_secret_post',
    'json',
    '{"access_token": "/token", "refresh_token": "/refreshToken", "expires_at": "/expiresAt"}',
    28800,
    'refresh_token',
    'yes',
    'The code comes with the installation webhook or redirect. Answers have status 201. No redirect_uri.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, grant_types, pkce, scope_separator, placeholders, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, refresh_token_lifetime, notes)
VALUES (
    'servicenow',
    true,
    'ServiceNow',
    'https://{instance}.service-now.com/oauth_auth.do',
    'https://{instance}.service-now.com/oauth_token.do',
    '{"authorization_code","refresh_token"}',
    'S256',
    ' ',
    '{"instance"}',
    'client_secret_post',
    'form',
    'refresh_token',
    'unknown',
    8640000,
    'Default lifetimes 30 minutes and 100 days, set per application registry. Clients use body or header credentials.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, grant_types, scope_separator, token_parameters, placeholders, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, refresh_token_lifetime, notes)
VALUES (
    'shopify',
    true,
    'Shopify',
    'https://{shop}.myshopify.com/admin/oauth/authorize',
    'https://{shop}.myshopify.com/admin/oauth/access_token',
    '{"authorization_code","refresh_token"}',
    ',',
    '{"expiring": "1"}',
    '{"shop"}',
    'client_secret_post',
    'json',
    'refresh_token',
    'yes',
    7776000,
    'With expiring=1: 60 minute token plus refresh token; without it a token that never expires. A refresh kills the old pair; one expiring token per app and shop. API header is X-Shopify-Access-Token. Redirect carries an hmac to check.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, grant_types, scope_separator, token_endpoint_auth_method, token_request_format, success_condition, error_verdicts, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'slack',
    true,
    'Slack (bot token)',
    'https://slack.com/oauth/v2/authorize',
    'https://slack.com/api/oauth.v2.access',
    '{"authorization_code","refresh_token"}',
    ',',
    'client_secret_post',
    'form',
    '{"pointer": "/ok", "equals": true}',
    '{"invalid_refresh_token": "grant_dead", "token_revoked": "grant_dead", "token_expired": "grant_dead", "account_inactive": "grant_dead", "bad_client_secret": "client_broken", "invalid_client_id": "client_broken", "ratelimited": "transient", "internal_error": "transient", "fatal_error": "transient", "service_unavailable": "transient", "request_timeout": "transient", "team_added_to_org": "transient"}',
    'refresh_token',
    'yes',
    'Tokens only expire (12 hours) and come with refresh tokens when token rotation is on for the app; rotation cannot be turned off again. User scopes travel in user_scope. Revocation is the Web API method auth.revoke with the token itself.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, grant_types, scope_separator, token_endpoint_auth_method, token_request_format, response_objects, success_condition, error_verdicts, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'slack_user',
    true,
    'Slack (user token)',
    'https://slack.com/oauth/v2/authorize',
    'https://slack.com/api/oauth.v2.access',
    '{"authorization_code","refresh_token"}',
    ',',
    'client_secret_post',
    'form',
    '{"/authed_user",""}',
    '{"pointer": "/ok", "equals": true}',
    '{"invalid_refresh_token": "grant_dead", "token_revoked": "grant_dead", "token_expired": "grant_dead", "account_inactive": "grant_dead", "bad_client_secret": "client_broken", "invalid_client_id": "client_broken", "ratelimited": "transient", "internal_error": "transient", "fatal_error": "transient", "service_unavailable": "transient", "request_timeout": "transient", "team_added_to_org": "transient"}',
    'refresh_token',
    'yes',
    'Where bot and user token are wanted, store the same answer as slack and as slack_user. Scopes go in user_scope, not scope.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, userinfo_endpoint, grant_types, scope_separator, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'smartsheet',
    true,
    'Smartsheet',
    'https://app.smartsheet.com/b/authorize',
    'https://api.smartsheet.com/2.0/token',
    'https://api.smartsheet.com/2.0/users/me',
    '{"authorization_code","refresh_token"}',
    ' ',
    'client_secret_post',
    'form',
    'refresh_token',
    'yes',
    'Instead of client_secret a SHA-256 hash of secret|code or secret|refresh_token is also taken. Access tokens last 7 days. EU and government hosts differ.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, grant_types, scope_separator, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'snapchat',
    true,
    'Snapchat Marketing',
    'https://accounts.snapchat.com/login/oauth2/authorize',
    'https://accounts.snapchat.com/login/oauth2/access_token',
    '{"authorization_code","refresh_token"}',
    ' ',
    'client_secret_post',
    'form',
    'refresh_token',
    'unknown',
    'Login Kit uses other accounts.snapchat.com paths.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, grant_types, pkce, scope_separator, placeholders, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'snowflake',
    true,
    'Snowflake OAuth',
    'https://{account}.snowflakecomputing.com/oauth/authorize',
    'https://{account}.snowflakecomputing.com/oauth/token-request',
    '{"authorization_code","refresh_token"}',
    'S256',
    ' ',
    '{"account"}',
    'client_secret_basic',
    'form',
    'refresh_token',
    'sometimes',
    'Needs scope refresh_token (add session:role:NAME for a role). Lifetime and single-use refresh tokens are set on the security integration.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, userinfo_endpoint, grant_types, pkce, scope_separator, token_endpoint_auth_method, public_clients, token_request_format, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'spotify',
    true,
    'Spotify',
    'https://accounts.spotify.com/authorize',
    'https://accounts.spotify.com/api/token',
    'https://api.spotify.com/v1/me',
    '{"authorization_code","refresh_token","client_credentials"}',
    'S256',
    ' ',
    'client_secret_basic',
    true,
    'form',
    'refresh_token',
    'sometimes',
    'A refresh may or may not bring a new refresh token (PKCE apps do).');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, revocation_endpoint, grant_types, pkce, scope_separator, authorization_parameters, token_endpoint_auth_method, public_clients, token_request_format, default_expires_in, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'square',
    true,
    'Square',
    'https://connect.squareup.com/oauth2/authorize',
    'https://connect.squareup.com/oauth2/token',
    'https://connect.squareup.com/oauth2/revoke',
    '{"authorization_code","refresh_token"}',
    'S256',
    ' ',
    '{"session": "false"}',
    'client_secret_post',
    true,
    'json',
    2592000,
    'refresh_token',
    'no',
    'Code flow returns the same refresh token; the PKCE flow rotates, and its refresh token lives 90 days. Revoke uses header Authorization: Client SECRET and a JSON body.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, grant_types, scope_separator, authorization_parameters, token_endpoint_auth_method, token_request_format, response_fields, default_expires_in, refresh_credential, rotates_refresh_token, refresh_token_lifetime, notes)
VALUES (
    'squarespace',
    true,
    'Squarespace Commerce',
    'https://login.squarespace.com/api/1/login/oauth/provider/authorize',
    'https://login.squarespace.com/api/1/login/oauth/provider/tokens',
    '{"authorization_code","refresh_token"}',
    ',',
    '{"access_type": "offline"}',
    'client_secret_basic',
    'form',
    '{"expires_at": "/access_token_expires_at"}',
    1800,
    'refresh_token',
    'yes',
    604800,
    'The default is a guess for answers without access_token_expires_at.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, grant_types, scope_separator, token_endpoint_auth_method, token_request_format, response_fields, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'stackexchange',
    true,
    'Stack Exchange',
    'https://stackoverflow.com/oauth',
    'https://stackoverflow.com/oauth/access_token/json',
    '{"authorization_code"}',
    ',',
    'client_secret_post',
    'form',
    '{"expires_in": ["/expires", "/expires_in"]}',
    'none',
    'no',
    'scope no_expiry gives a token without end. The path without /json answers form-encoded.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, revocation_endpoint, grant_types, scope_separator, authorization_parameters, token_endpoint_auth_method, token_request_format, revocation_parameters, error_fields, error_verdicts, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'strava',
    true,
    'Strava',
    'https://www.strava.com/oauth/authorize',
    'https://www.strava.com/api/v3/oauth/token',
    'https://www.strava.com/oauth/deauthorize',
    '{"authorization_code","refresh_token"}',
    ',',
    '{"approval_prompt": "auto"}',
    'client_secret_post',
    'form',
    '{"token": null, "token_type_hint": null, "access_token": "{access_token}"}',
    '{"error": ["/errors/0/code", "/error"], "error_description": ["/errors/0/resource", "/message"]}',
    '{"RefreshToken": "grant_dead", "Application": "client_broken"}',
    'refresh_token',
    'yes',
    'Also answers on /oauth/token. Access tokens last 6 hours. The profile is only in the first answer.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, grant_types, scope_separator, token_endpoint_auth_method, basic_username, basic_password, token_request_format, default_expires_in, refresh_credential, rotates_refresh_token, refresh_token_lifetime, notes)
VALUES (
    'stripe_apps',
    true,
    'Stripe Apps',
    'https://marketplace.stripe.com/oauth/v2/authorize',
    'https://api.stripe.com/v1/oauth/token',
    '{"authorization_code","refresh_token"}',
    ' ',
    'client_secret_basic',
    '{client_secret}',
    '',
    'form',
    3600,
    'refresh_token',
    'yes',
    31536000,
    'Register the secret key as client_secret. Answers carry no expires_in though tokens last 1 hour. Public listing links embed a channel id.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, revocation_endpoint, grant_types, scope_separator, authorization_parameters, placeholders, token_endpoint_auth_method, token_request_format, revocation_parameters, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'stripe_connect',
    true,
    'Stripe Connect',
    'https://connect.stripe.com/oauth/authorize',
    'https://connect.stripe.com/oauth/token',
    'https://connect.stripe.com/oauth/deauthorize',
    '{"authorization_code","refresh_token"}',
    ' ',
    '{"scope": "read_write"}',
    '{"stripe_user_id"}',
    'client_secret_post',
    'form',
    '{"token": null, "token_type_hint": null, "stripe_user_id": "{stripe_user_id}"}',
    'refresh_token',
    'unknown',
    'client_secret is the platform secret key. Standard access tokens do not expire. The answer''s stripe_user_id fills the placeholder of the revocation by itself.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, grant_types, pkce, scope_separator, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'supabase',
    true,
    'Supabase Management API',
    'https://api.supabase.com/v1/oauth/authorize',
    'https://api.supabase.com/v1/oauth/token',
    '{"authorization_code","refresh_token"}',
    'S256',
    ' ',
    'client_secret_basic',
    'form',
    'refresh_token',
    'unknown',
    'Client id and secret are accepted in the header or in the form body.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, grant_types, scope_separator, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'surveymonkey',
    true,
    'SurveyMonkey',
    'https://api.surveymonkey.com/oauth/authorize',
    'https://api.surveymonkey.com/oauth/token',
    '{"authorization_code"}',
    ',',
    'client_secret_post',
    'form',
    'none',
    'no',
    'Long-lived tokens, no refresh token. EU and Canada accounts use api.eu.surveymonkey.com and api.surveymonkey.ca.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, refresh_endpoint, grant_types, scope_separator, token_endpoint_auth_method, token_request_method, token_request_format, refresh_parameters, default_expires_in, error_fields, error_verdicts, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'threads',
    true,
    'Threads',
    'https://threads.net/oauth/authorize',
    'https://graph.threads.net/oauth/access_token',
    'https://graph.threads.net/refresh_access_token',
    '{"authorization_code"}',
    ',',
    'client_secret_post',
    'GET',
    'form',
    '{"client_id": null, "client_secret": null, "grant_type": "th_refresh_token", "access_token": "{access_token}"}',
    3600,
    '{"error": ["/error/code", "/error/type", "/error_type", "/error"], "error_description": ["/error/message", "/error_message"]}',
    '{"1": "transient", "2": "transient", "4": "transient", "17": "transient", "102": "grant_dead", "190": "grant_dead"}',
    'access_token',
    'no',
    'Store the token of 60 days, not the short one of an hour: it comes from GET graph.threads.net/access_token with grant_type=th_exchange_token.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, revocation_endpoint, grant_types, pkce, scope_separator, token_endpoint_auth_method, token_request_format, refresh_parameters, revocation_parameters, response_fields, refresh_credential, rotates_refresh_token, grant_lifetime, notes)
VALUES (
    'tiktok',
    true,
    'TikTok (Login Kit v2)',
    'https://www.tiktok.com/v2/auth/authorize/',
    'https://open.tiktokapis.com/v2/oauth/token/',
    'https://open.tiktokapis.com/v2/oauth/revoke/',
    '{"authorization_code","refresh_token","client_credentials"}',
    'S256',
    ',',
    'client_secret_post',
    'form',
    '{"client_id": null, "client_key": "{client_id}"}',
    '{"client_id": null, "client_key": "{client_id}"}',
    '{"refresh_token_expires_in": "/refresh_expires_in"}',
    'refresh_token',
    'sometimes',
    31536000,
    'Access tokens last 24 hours. code must be URL-decoded first. Desktop PKCE uses a hex digest.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, grant_types, scope_separator, token_endpoint_auth_method, token_request_format, response_objects, error_fields, success_condition, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'tiktok_ads',
    true,
    'TikTok for Business',
    'https://business-api.tiktok.com/portal/auth',
    'https://business-api.tiktok.com/open_api/v1.3/oauth2/access_token/',
    '{"authorization_code"}',
    ',',
    'client_secret_post',
    'json',
    '{"/data"}',
    '{"error": "/code", "error_description": "/message"}',
    '{"pointer": "/code", "equals": 0}',
    'none',
    'no',
    'Fields are app_id, secret and auth_code. The token does not expire and has no refresh token. API header is Access-Token.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, grant_types, scope_separator, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'todoist',
    true,
    'Todoist',
    'https://todoist.com/oauth/authorize',
    'https://todoist.com/oauth/access_token',
    '{"authorization_code","refresh_token"}',
    ',',
    'client_secret_post',
    'form',
    'refresh_token',
    'yes',
    'New apps get refresh tokens that rotate on each use; apps without the option get long-lived tokens and no refresh token.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, refresh_endpoint, grant_types, scope_separator, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'trustpilot',
    true,
    'Trustpilot',
    'https://authenticate.trustpilot.com',
    'https://api.trustpilot.com/v1/oauth/oauth-business-users-for-applications/accesstoken',
    'https://api.trustpilot.com/v1/oauth/oauth-business-users-for-applications/refresh',
    '{"authorization_code","refresh_token","client_credentials"}',
    ' ',
    'client_secret_basic',
    'form',
    'refresh_token',
    'unknown',
    'Separate refresh URL. expires_in has been reported as a string.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, userinfo_endpoint, grant_types, scope_separator, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'tumblr',
    true,
    'Tumblr',
    'https://www.tumblr.com/oauth2/authorize',
    'https://api.tumblr.com/v2/oauth2/token',
    'https://api.tumblr.com/v2/user/info',
    '{"authorization_code","refresh_token"}',
    ' ',
    'client_secret_post',
    'form',
    'refresh_token',
    'unknown',
    'Needs scope offline_access. The answer carries id_token:false, a boolean where a string is expected.');

INSERT INTO vault.provider (
    name, builtin, display_name, issuer, authorization_endpoint, token_endpoint, revocation_endpoint, device_authorization_endpoint, userinfo_endpoint, grant_types, scope_separator, token_endpoint_auth_method, token_request_format, error_fields, error_verdicts, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'twitch',
    true,
    'Twitch',
    'https://id.twitch.tv/oauth2',
    'https://id.twitch.tv/oauth2/authorize',
    'https://id.twitch.tv/oauth2/token',
    'https://id.twitch.tv/oauth2/revoke',
    'https://id.twitch.tv/oauth2/device',
    'https://id.twitch.tv/oauth2/userinfo',
    '{"authorization_code","refresh_token","client_credentials","device_code"}',
    ' ',
    'client_secret_post',
    'form',
    '{"error": "/error", "error_description": ["/message", "/error_description"]}',
    '{"Invalid refresh token": "grant_dead", "invalid refresh token": "grant_dead", "invalid client secret": "client_broken", "invalid client": "client_broken"}',
    'refresh_token',
    'sometimes',
    'Basic is not supported. scope in the answer is a JSON array. Refresh tokens must be URL-encoded.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, userinfo_endpoint, grant_types, scope_separator, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'typeform',
    true,
    'Typeform',
    'https://api.typeform.com/oauth/authorize',
    'https://api.typeform.com/oauth/token',
    'https://api.typeform.com/me',
    '{"authorization_code","refresh_token"}',
    ' ',
    'client_secret_post',
    'form',
    'refresh_token',
    'yes',
    'Needs scope offline for a refresh token.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, grant_types, scope_separator, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'vercel',
    true,
    'Vercel (integration)',
    'https://vercel.com/oauth/authorize',
    'https://api.vercel.com/v2/oauth/access_token',
    '{"authorization_code"}',
    ' ',
    'client_secret_post',
    'form',
    'none',
    'no',
    'Integration tokens do not expire. Integrations are normally installed from a per-integration URL; the newer Sign in with Vercel uses other endpoints with PKCE.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, userinfo_endpoint, grant_types, scope_separator, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'vimeo',
    true,
    'Vimeo',
    'https://api.vimeo.com/oauth/authorize',
    'https://api.vimeo.com/oauth/access_token',
    'https://api.vimeo.com/me',
    '{"authorization_code","client_credentials"}',
    ' ',
    'client_secret_basic',
    'form',
    'none',
    'no',
    'Tokens do not expire and no refresh token is issued.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, userinfo_endpoint, grant_types, pkce, scope_separator, placeholders, token_endpoint_auth_method, token_request_format, refresh_parameters, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'vk_id',
    true,
    'VK ID',
    'https://id.vk.com/authorize',
    'https://id.vk.com/oauth2/auth',
    'https://id.vk.com/oauth2/user_info',
    '{"authorization_code","refresh_token"}',
    'required',
    ' ',
    '{"device_id"}',
    'client_secret_post',
    'form',
    '{"device_id": "{device_id}"}',
    'refresh_token',
    'unknown',
    'Put device_id from the redirect into the token''s metadata. The older oauth.vk.com flow has no refresh token.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, grant_types, scope_separator, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, refresh_token_lifetime, notes)
VALUES (
    'webex',
    true,
    'Cisco Webex',
    'https://webexapis.com/v1/authorize',
    'https://webexapis.com/v1/access_token',
    '{"authorization_code","refresh_token"}',
    ' ',
    'client_secret_post',
    'form',
    'refresh_token',
    'no',
    7776000,
    'Access tokens last 14 days; refresh_token_expires_in is returned. Discovery issuer differs by region.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, grant_types, scope_separator, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'webflow',
    true,
    'Webflow',
    'https://webflow.com/oauth/authorize',
    'https://api.webflow.com/oauth/access_token',
    '{"authorization_code"}',
    ' ',
    'client_secret_post',
    'form',
    'none',
    'no',
    'No refresh token; JSON and form bodies are both accepted.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, refresh_endpoint, grant_types, scope_separator, token_endpoint_auth_method, token_request_method, token_request_format, refresh_parameters, error_fields, success_condition, error_verdicts, refresh_credential, rotates_refresh_token, grant_lifetime, notes)
VALUES (
    'wechat',
    true,
    'WeChat (website login)',
    'https://open.weixin.qq.com/connect/qrconnect',
    'https://api.weixin.qq.com/sns/oauth2/access_token',
    'https://api.weixin.qq.com/sns/oauth2/refresh_token',
    '{"authorization_code","refresh_token"}',
    ',',
    'client_secret_post',
    'GET',
    'form',
    '{"client_id": null, "client_secret": null, "appid": "{client_id}"}',
    '{"error": "/errcode", "error_description": "/errmsg"}',
    '{"pointer": "/errcode", "equals": 0}',
    '{"40030": "grant_dead", "42002": "grant_dead", "42007": "grant_dead", "40013": "client_broken", "40125": "client_broken", "-1": "transient", "45009": "transient", "45011": "transient"}',
    'refresh_token',
    'no',
    2592000,
    'Parameters are appid and secret; the authorise URL ends with #wechat_redirect. Access tokens last 2 hours.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, grant_types, scope_separator, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'whoop',
    true,
    'WHOOP',
    'https://api.prod.whoop.com/oauth/oauth2/auth',
    'https://api.prod.whoop.com/oauth/oauth2/token',
    '{"authorization_code","refresh_token"}',
    ' ',
    'client_secret_post',
    'form',
    'refresh_token',
    'yes',
    'Needs scope offline. A refresh invalidates the previous pair.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, grant_types, scope_separator, token_parameters, token_endpoint_auth_method, token_request_format, refresh_parameters, response_objects, error_fields, success_condition, error_verdicts, refresh_credential, rotates_refresh_token, refresh_token_lifetime, notes)
VALUES (
    'withings',
    true,
    'Withings',
    'https://account.withings.com/oauth2_user/authorize2',
    'https://wbsapi.withings.net/v2/oauth2',
    '{"authorization_code","refresh_token"}',
    ',',
    '{"action": "requesttoken"}',
    'client_secret_post',
    'form',
    '{"action": "requesttoken"}',
    '{"/body"}',
    '{"error": "/status", "error_description": "/error"}',
    '{"pointer": "/status", "equals": 0}',
    '{"invalid refresh_token": "grant_dead", "Invalid refresh_token": "grant_dead", "invalid client_id": "client_broken", "invalid client_secret": "client_broken", "522": "transient", "601": "transient"}',
    'refresh_token',
    'yes',
    31536000,
    'Refresh tokens are single use. Access tokens last 3 hours. An older token URL on account.withings.com is still in some libraries.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, userinfo_endpoint, grant_types, scope_separator, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'wordpress_com',
    true,
    'WordPress.com',
    'https://public-api.wordpress.com/oauth2/authorize',
    'https://public-api.wordpress.com/oauth2/token',
    'https://public-api.wordpress.com/rest/v1/me',
    '{"authorization_code"}',
    ' ',
    'client_secret_post',
    'form',
    'none',
    'no',
    'Code-flow tokens do not expire and there is no refresh token; blog_id and blog_url are returned.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, allowed_hosts, grant_types, pkce, scope_separator, placeholders, token_endpoint_auth_method, token_request_format, default_expires_in, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'workday',
    true,
    'Workday',
    'https://{authorization_host}/{tenant}/authorize',
    'https://{token_host}/ccx/oauth2/{tenant}/token',
    '{"*.workday.com","*.myworkday.com"}',
    '{"authorization_code","refresh_token"}',
    'S256',
    ' ',
    '{"authorization_host","tenant","token_host"}',
    'client_secret_basic',
    'form',
    3600,
    'refresh_token',
    'sometimes',
    'The default lifetime is a guess for answers without expires_in. Non-expiring refresh tokens are an API client option; some tenants return no new refresh token.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, grant_types, scope_separator, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'wrike',
    true,
    'Wrike',
    'https://login.wrike.com/oauth2/authorize/v4',
    'https://login.wrike.com/oauth2/token',
    '{"authorization_code","refresh_token"}',
    ',',
    'client_secret_post',
    'form',
    'refresh_token',
    'unknown',
    'The answer names the API host of the account; use it for API calls.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, revocation_endpoint, userinfo_endpoint, grant_types, pkce, scope_separator, token_endpoint_auth_method, public_clients, token_request_format, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'x',
    true,
    'X (Twitter) OAuth 2.0',
    'https://x.com/i/oauth2/authorize',
    'https://api.x.com/2/oauth2/token',
    'https://api.x.com/2/oauth2/revoke',
    'https://api.x.com/2/users/me',
    '{"authorization_code","refresh_token"}',
    'required',
    ' ',
    'client_secret_basic',
    true,
    'form',
    'refresh_token',
    'yes',
    'Needs scope offline.access. Access tokens last 2 hours. The twitter.com hosts still answer in many clients.');

INSERT INTO vault.provider (
    name, builtin, display_name, issuer, authorization_endpoint, token_endpoint, revocation_endpoint, userinfo_endpoint, grant_types, pkce, scope_separator, token_endpoint_auth_method, public_clients, token_request_format, refresh_credential, rotates_refresh_token, replay_leeway_seconds, refresh_token_lifetime, notes)
VALUES (
    'xero',
    true,
    'Xero',
    'https://identity.xero.com',
    'https://login.xero.com/identity/connect/authorize',
    'https://identity.xero.com/connect/token',
    'https://identity.xero.com/connect/revocation',
    'https://identity.xero.com/connect/userinfo',
    '{"authorization_code","refresh_token","client_credentials"}',
    'S256',
    ' ',
    'client_secret_basic',
    true,
    'form',
    'refresh_token',
    'yes',
    1800,
    5184000,
    'Needs offline_access. Access tokens last 30 minutes.');

INSERT INTO vault.provider (
    name, builtin, display_name, issuer, authorization_endpoint, token_endpoint, userinfo_endpoint, grant_types, scope_separator, placeholders, token_endpoint_auth_method, token_request_format, refresh_parameters, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'yahoo',
    true,
    'Yahoo',
    'https://api.login.yahoo.com',
    'https://api.login.yahoo.com/oauth2/request_auth',
    'https://api.login.yahoo.com/oauth2/get_token',
    'https://api.login.yahoo.com/openid/v1/userinfo',
    '{"authorization_code","refresh_token"}',
    ' ',
    '{"redirect_uri"}',
    'client_secret_basic',
    'form',
    '{"redirect_uri": "{redirect_uri?}"}',
    'refresh_token',
    'unknown',
    'Some clients must repeat redirect_uri on refresh: put it, or oob, into the client''s metadata.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, grant_types, pkce, scope_separator, token_parameters, placeholders, token_endpoint_auth_method, token_request_format, refresh_parameters, refresh_credential, rotates_refresh_token, refresh_token_lifetime, notes)
VALUES (
    'zendesk',
    true,
    'Zendesk',
    'https://{subdomain}.zendesk.com/oauth/authorizations/new',
    'https://{subdomain}.zendesk.com/oauth/tokens',
    '{"authorization_code","refresh_token"}',
    'S256',
    ' ',
    '{"expires_in": 172800, "refresh_token_expires_in": 7776000}',
    '{"subdomain"}',
    'client_secret_post',
    'json',
    '{"expires_in": 172800, "refresh_token_expires_in": 7776000}',
    'refresh_token',
    'yes',
    7776000,
    'Refresh tokens exist since April 2025 and are mandatory for apps during 2026; older tokens never expire. A refresh deletes the previous pair. Without the two parameters the refresh token dies after about 30 days.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, revocation_endpoint, allowed_hosts, grant_types, pkce, scope_separator, authorization_parameters, placeholders, token_endpoint_auth_method, token_request_format, error_verdicts, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'zoho',
    true,
    'Zoho',
    'https://accounts.zoho.{tld}/oauth/v2/auth',
    'https://accounts.zoho.{tld}/oauth/v2/token',
    'https://accounts.zoho.{tld}/oauth/v2/token/revoke',
    '{"accounts.zoho.com","accounts.zoho.eu","accounts.zoho.in","accounts.zoho.com.au","accounts.zoho.jp","accounts.zoho.sa","accounts.zoho.com.cn"}',
    '{"authorization_code","refresh_token"}',
    'S256',
    ',',
    '{"access_type": "offline", "prompt": "consent"}',
    '{"tld"}',
    'client_secret_post',
    'form',
    '{"invalid_code": "grant_dead", "invalid_client": "client_broken", "invalid_client_secret": "client_broken", "Access Denied": "transient", "too many requests": "transient"}',
    'refresh_token',
    'no',
    'tld is com, eu, in, com.au, jp, sa or com.cn (Canada is accounts.zohocloud.ca). The redirect names location and accounts-server: refresh must go there. Access tokens last 1 hour. At most 10 access tokens per refresh token in 10 minutes; at most 20 refresh tokens per user, the oldest is dropped.');

INSERT INTO vault.provider (
    name, builtin, display_name, authorization_endpoint, token_endpoint, revocation_endpoint, userinfo_endpoint, grant_types, pkce, scope_separator, token_endpoint_auth_method, token_request_format, refresh_credential, rotates_refresh_token, refresh_token_lifetime, notes)
VALUES (
    'zoom',
    true,
    'Zoom (user OAuth)',
    'https://zoom.us/oauth/authorize',
    'https://zoom.us/oauth/token',
    'https://zoom.us/oauth/revoke',
    'https://api.zoom.us/v2/users/me',
    '{"authorization_code","refresh_token"}',
    'S256',
    ' ',
    'client_secret_basic',
    'form',
    'refresh_token',
    'yes',
    7776000,
    'Only the newest refresh token works; access tokens last 1 hour. Scopes come from the app, none are sent.');

INSERT INTO vault.provider (
    name, builtin, display_name, token_endpoint, grant_types, scope_separator, token_parameters, placeholders, token_endpoint_auth_method, token_request_format, refresh_parameters, refresh_credential, rotates_refresh_token, notes)
VALUES (
    'zoom_s2s',
    true,
    'Zoom (server-to-server)',
    'https://zoom.us/oauth/token',
    '{"client_credentials"}',
    ' ',
    '{"grant_type": "account_credentials", "account_id": "{account_id}"}',
    '{"account_id"}',
    'client_secret_basic',
    'form',
    '{"grant_type": "account_credentials", "account_id": "{account_id}", "scope": null}',
    'client_credentials',
    'no',
    'No refresh token: the client asks again after 1 hour. A new token ends the previous one.');
