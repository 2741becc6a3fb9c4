-- What each function is for, as \df+ shows it: arguments with their units, result, privilege, errors by SQLSTATE, and
-- the standard it follows. Columns of tables and views where the name does not say it all.
--
-- Said once, because it holds for every function:
-- * 42501 where the calling role has not the privilege; 22004 where an argument that must be given is NULL;
--   22023 where one has an impossible value; 22001 where a name is longer than 512 bytes.
-- * "tenant" NULL means the session's tenant (token_vault.tenant) or else 'default'; TV041 where the session is bound
--   to another one.
-- * What needs a data key raises TV001, TV002, TV003, TV004 or TV006 where it can't be had.

-- Tokens: storing

COMMENT ON FUNCTION vault.store_token(text, text, text, text, bigint, text, text, text, timestamptz, bigint, text, text, text, jsonb) IS
'stores what a provider issued, encrypted, in place of an earlier token of the same tenant, provider, subject and label
What is NULL and was stored before stays: refresh_token, id_token, token_type, scope, client. metadata is merged.
access_token, refresh_token, id_token: 1 byte to 1 MiB. expires_in, refresh_token_expires_in: seconds from now, at most 100 years.
expires_at: instead of expires_in; infinity: never. Neither given: the provider''s default_expires_in, else the token counts as not expiring.
client: name of the client that obtained the token; needed where the provider has several. metadata: a JSON object, stored readable.
Privilege: write. Errors: TV020 unknown provider, TV021 unknown or disabled client, TV022 several clients. Fields: RFC 6749 section 5.1.';

COMMENT ON FUNCTION vault.store_token_response(text, text, jsonb, text, text, text, jsonb) IS
'stores a provider''s JSON answer as it came; otherwise like vault.store_token()
Where the fields are, and the unit of the expiry, is said by the provider''s row. Fields beside the tokens (instance_url, ...) are
stored readable in vault.tokens.response; those that look like secrets are left out.
Privilege: write. Errors: TV040 not a token response, and those of vault.store_token(). RFC 6749 section 5.1.';

-- Tokens: reading

COMMENT ON FUNCTION vault.get_token(text, text, text, text, interval, boolean) IS
'a valid access token; NULL where there is no such token
An expired one is refreshed first: the call waits up to token_vault.refresh_wait for it. Sees the newest committed token in every isolation level.
min_validity: how long the token must still live, default 0; a token with less is refreshed first.
auto_refresh: false never waits and raises TV030 instead.
Privilege: read. Errors: TV010 can''t be decrypted, TV020 unknown provider, TV030 expired and can''t be refreshed,
TV031 the user must authorize again, TV032 refresh failed, TV033 not refreshed in time, TV034 can''t be refreshed here,
TV035 deleted meanwhile, TV036 changed by this transaction, TV038 tokens of this provider never live so long.';

COMMENT ON FUNCTION vault.authorization_header(text, text, text, text, interval, boolean) IS
'vault.get_token() as the value of an Authorization header: "Bearer " and the token (RFC 6750 section 2.1)
Arguments, privilege and errors are those of vault.get_token().';

COMMENT ON FUNCTION vault.get_token_set(text, text, text, text, interval, boolean) IS
'vault.get_token() with token type, scope, issue and expiry time; no row where there is no such token
expires_at is NULL where the token is not known to expire. Arguments, privilege and errors are those of vault.get_token().';

COMMENT ON FUNCTION vault.get_tokens(text, text[], text, text, interval, boolean) IS
'vault.get_token() for many subjects of a provider in one round trip: one row for each, in their order
Those that have to be refreshed first are refreshed at the same time; the call waits for all of them up to token_vault.refresh_wait.
subjects: at most 1000; one that is named twice gives two rows. The other arguments and the privilege are those of vault.get_token().
access_token is NULL where there is no such token, and where it can''t be had: then error_code is the SQLSTATE that
vault.get_token() would raise (TV010, TV030 to TV036, TV038), and error its message. What is wrong with the call itself (a missing privilege,
a limit, an unknown provider: TV020) is raised. expires_at is NULL where the token is not known to expire.';

COMMENT ON FUNCTION vault.has_token(text, text, text, text) IS
'whether there is such a token, valid or not
Privilege: read. Errors: TV020 unknown provider.';

COMMENT ON FUNCTION vault.is_valid(text, text, text, text, interval) IS
'whether there is such a token and it has not expired; asks no provider and decrypts nothing
min_validity: how long it must still live, default 0.
Privilege: read. Errors: TV020 unknown provider.';

COMMENT ON FUNCTION vault.token_status(text, text, text, text) IS
'valid, expired or reauthorization_required; NULL where there is no such token
reauthorization_required: the provider refuses the grant for good. The access token may still be served until it expires.
Privilege: read. Errors: TV020 unknown provider.';

-- Tokens: deleting

COMMENT ON FUNCTION vault.delete_token(text, text, text, text) IS
'deletes a token here; whether there was one. The provider is not told: the token stays valid there until it expires or is revoked
Privilege: write.';

COMMENT ON FUNCTION vault.delete_subject(text, text) IS
'deletes every token of a subject of one tenant, at all providers; their number. The providers are not told
Privilege: write.';

COMMENT ON FUNCTION vault.delete_tenant(text) IS
'deletes every token of a tenant; their number. Its clients stay; the providers are not told
Privilege: admin.';

-- Refreshing

COMMENT ON FUNCTION vault.refresh_token(text, text, text, text) IS
'refreshes a token now, valid or not, and waits up to token_vault.refresh_wait; the new expiry time, NULL where it is not known to expire
Privilege: refresh. Errors: TV020 unknown provider, TV031 the user must authorize again, TV032 failed, TV033 not in time,
TV034 can''t be refreshed here, TV035 no such token, TV036 changed by this transaction, TV037 nothing to refresh with, or policy never. RFC 6749 section 6.';

COMMENT ON FUNCTION vault.refresh_due(interval, integer) IS
'refreshes the tokens that are due, for callers such as cron, and waits up to six times token_vault.refresh_wait; one row for each token
within: how far ahead to look, default 0. max_tokens: 1 to 1000. Only tokens of the session''s tenant, where it is bound to one.
outcome: refreshed; failed (tried again later); reauthorization_required; pending (no outcome yet); deleted. error: a code or a short reason.
Privilege: refresh. Errors: TV004, TV034 can''t be refreshed here.';

COMMENT ON FUNCTION vault.set_refresh_policy(text, text, text, text, text) IS
'says when a token is refreshed; whether there is such a token
policy: always: before it expires; on_use: only if it was used since it was issued, and before its refresh token dies of disuse; never;
NULL: as its client''s other tokens.
Privilege: write. Errors: TV020 unknown provider.';

-- Providers

COMMENT ON FUNCTION vault.register_provider(text, text, text, text, text, text, text, jsonb) IS
'adds a provider, replaces a registered one, or overrides a built-in one of the same name
token_endpoint, revocation_endpoint: https:// URL templates; {name} is filled from the token''s or the client''s metadata.
token_endpoint_auth_method: client_secret_basic (default), client_secret_post or none. settings: any other column of vault.provider, by name.
A column that is not given has its default, also where a provider is replaced.
Privilege: admin, because tokens and client secrets are sent to these URLs. Names: RFC 8414 section 2.';

COMMENT ON FUNCTION vault.drop_provider(text) IS
'removes a registered provider; a built-in one of the same name is in force again. Tokens and clients stay
Privilege: admin. Errors: TV020 unknown provider, TV025 it is built in.';

-- Clients

COMMENT ON FUNCTION vault.register_client(text, text, text, text, text, text, text, jsonb, jsonb) IS
'registers our client at a provider, or changes the one of this name and tenant: what is NULL stays, client_secret replaces all earlier ones, and it is enabled
client_id, client_secret: as the provider issued them (RFC 6749 section 2.2, 2.3.1); the secret is stored encrypted.
tenant: NULL for a client that all tenants share. scope: sent with a refresh where the provider wants one and the token has none.
metadata: a JSON object, stored readable; fills placeholders in the provider''s URLs and parameters.
settings: a JSON object; refresh_policy (always, on_use: only tokens that were used since they were issued, never), max_concurrent_requests,
rate_limit_requests in rate_limit_seconds. What is not in it stays; null stands for the default.
Privilege: admin. Errors: TV020 unknown provider, TV023 moved to another provider while tokens were obtained with it.';

COMMENT ON FUNCTION vault.add_client_secret(text, text, text, text) IS
'adds a secret to those of a client, which are tried in order: the next one where the provider refuses the client
place: first (default) or last. tenant: NULL for a shared client.
Privilege: admin. Errors: TV021 unknown client.';

COMMENT ON FUNCTION vault.drop_client_secrets(text, text, integer) IS
'removes all secrets of a client but the first ones; how many went
keep: how many stay, default 1. tenant: NULL for a shared client.
Privilege: admin. Errors: TV021 unknown client.';

COMMENT ON FUNCTION vault.enable_client(text, text) IS
'switches a client on again. tenant: NULL for a shared client
Privilege: admin. Errors: TV021 unknown client.';

COMMENT ON FUNCTION vault.disable_client(text, text) IS
'switches a client off: it is not used for refreshes, and no token is stored for it. Its tokens are served while they are valid
tenant: NULL for a shared client. Privilege: admin. Errors: TV021 unknown client.';

COMMENT ON FUNCTION vault.drop_client(text, text) IS
'removes a client and its secrets. tenant: NULL for a shared client
Privilege: admin. Errors: TV021 unknown client, TV023 tokens were obtained with it.';

-- Encrypted columns

COMMENT ON FUNCTION vault.seal(text, text) IS
'encrypts any text, also one that begins with "tv1."
context: what the value is bound to, default ''''; vault.reveal() must name the same. plaintext: at most 16 MiB (22001).
Privilege: write.';

COMMENT ON FUNCTION vault.reveal(vault.secret, text) IS
'the plaintext of an encrypted value
context: the one it was sealed with, default ''''.
Privilege: read. Errors: TV010 damaged or another context, TV006 its key is not in this database.';

COMMENT ON FUNCTION vault.secret_in(cstring, oid, integer) IS
'text input of vault.secret: plaintext is encrypted (privilege write); "tv1.", an envelope, is taken as it is (privilege restore, else TV011)';
COMMENT ON FUNCTION vault.secret_out(vault.secret) IS
'text output of vault.secret: "tv1." and the envelope in base64url without padding (RFC 4648 section 5). Opens nothing and never fails';
COMMENT ON FUNCTION vault.secret_recv(internal, oid, integer) IS
'binary input of vault.secret: the bytes of an envelope (privilege restore, else TV011), or UTF-8 text as for vault.secret_in';
COMMENT ON FUNCTION vault.secret_send(vault.secret) IS
'binary output of vault.secret: the bytes of the envelope';
COMMENT ON FUNCTION vault.secret_from_text(text) IS
'the assignment cast from text and varchar; the same rules as vault.secret_in';
COMMENT ON CAST (text AS vault.secret) IS 'encrypts; see vault.secret_in';
COMMENT ON CAST (varchar AS vault.secret) IS 'encrypts; see vault.secret_in';

-- Keys, access, installation

COMMENT ON FUNCTION vault.create_master_key() IS
'creates this vault''s first data key, wrapped by the master key; the master key''s fingerprint, 16 hexadecimal digits
Where the file named by token_vault.master_key_file does not exist, it is written with a new random key, mode 0600; where it exists, its key is used.
A file that was written stays when the transaction is rolled back, and is used by the next call.
Where token_vault.master_key_command is set, its key is used.
Privilege: admin. Errors: TV001 no source is configured, TV002 it can''t be written or used, TV005 the vault has a master key.';

COMMENT ON FUNCTION vault.rotate_key(text) IS
'replaces the data key that new values are sealed with; the new key''s id
All sessions use the new key from this transaction''s commit on. What was sealed before stays readable, is encrypted again in the background (see vault.reencryption), and the old key is destroyed when nothing uses it.
tenant: replace this tenant''s own key; left out, the key that all others share.
Privilege: admin. Errors: TV004 there is no key yet, TV007 the tenant has no key of its own, TV012 another session has just replaced it. Event: key_rotated.';

COMMENT ON FUNCTION vault.create_tenant_key(text) IS
'gives a tenant a data key of its own; the key''s id
New tokens and client secrets of the tenant are sealed with it, and values of vault.secret in sessions whose token_vault.tenant it is. Its older tokens and client secrets are encrypted again in the background.
Privilege: admin. Errors: TV004 the vault has no key yet, TV008 the tenant has one. Event: key_created.';

COMMENT ON FUNCTION vault.rotate_master_key() IS
'wraps every data key with the configured master key, in one transaction; its fingerprint
First name the new key in token_vault.master_key_file (a file that does not exist is written) or token_vault.master_key_command, the old one in token_vault.previous_master_key_file or token_vault.previous_master_key_command, and reload; afterwards take the previous one out. No value is encrypted again.
Privilege: admin. Errors: TV001 no source is configured, TV002 a source can''t be used, TV003 no source has the key that is needed, TV009 nothing has changed. Event: master_key_rotated.';

COMMENT ON FUNCTION vault.verify() IS
'opens every data key, token, client secret and value of type vault.secret, and says for each whether it can be read
outcome: ok; damaged; moved (it belongs to another place, which detail names); unknown key (its data key is not here, was destroyed, or can''t be unwrapped); not checked (a table that can''t be read, or a column of arrays or composite values).
What does not open is reported last. No row makes it fail. SELECT outcome, count(*) FROM vault.verify() GROUP BY 1 gives the summary.
Privilege: admin.';

COMMENT ON FUNCTION vault.shred_tenant(text) IS
'destroys a tenant''s own data keys and deletes its tokens and clients; what was done, and what older backups still hold
Every value sealed with these keys is unreadable from this transaction''s commit on, here and on standbys. Waits for transactions that have just stored something for the tenant.
Privilege: admin. Errors: TV007 the tenant has no key of its own. Event: key_destroyed.';

COMMENT ON PROCEDURE vault.reencrypt(integer) IS
'seals all values again that are not sealed with the active key, now, and destroys retired keys that nothing is sealed with any more
batch_size: so many rows in one transaction, 1 to 10000. Commits after each batch, so it can''t be called in a transaction block (2D000). Rows that other sessions have locked are passed over.
The custodian does the same by itself where the library is preloaded.
Privilege: admin. Errors: 55006 another process is at it, 55000 re-encryption is paused.';

COMMENT ON FUNCTION vault.pause_reencryption() IS
'has re-encryption stop after the batch that is under way, until vault.resume_reencryption(); one that a later rotation asks for waits, too
No retired key is destroyed meanwhile.
Privilege: admin.';

COMMENT ON FUNCTION vault.resume_reencryption() IS
'lets re-encryption go on where it was paused
Privilege: admin.';

COMMENT ON FUNCTION vault.key_usage() IS
'for each key, how many access, refresh and ID tokens, client secrets and values of encrypted columns are sealed with it
Reads all of them. What encrypted values are in arrays, composite values, materialized views, foreign tables and other sessions'' temporary tables is not counted.
Privilege: admin.';

COMMENT ON FUNCTION vault.envelope_key(bytea) IS
'the key that an envelope says it is sealed with; NULL: the value is no envelope';
COMMENT ON FUNCTION vault.envelope_key(vault.secret) IS
'the key that an encrypted value says it is sealed with';
COMMENT ON FUNCTION vault.is_current(text, bytea) IS
'whether an envelope of this tenant is sealed with the key that new values are sealed with';

COMMENT ON FUNCTION vault.grant_access(text, text[], text, text, text) IS
'gives a role privileges, beside those it has; roles that inherit from it have them too
privileges: read, write, refresh, export, restore, admin.
tenant, provider, subject: patterns for what they are given for. * stands for any text, \ takes the next character as it is.
NULL is *, for the tenant of a session that is bound to one its name. What needs a whole tenant needs * for the others, and
what concerns the whole vault (providers, keys, status) * for all three.
Called again, it also grants what PostgreSQL itself asks for, where the role has been created after its rule.
Privilege: admin, for all that the patterns reach. Errors: 42704 no such role.';

COMMENT ON FUNCTION vault.revoke_access(text, text[], text, text, text) IS
'takes privileges from a role, from the next statement of every session on; without privileges: all. Needed before DROP ROLE
tenant, provider, subject: the patterns of one rule, as they were given; one that is NULL is then *. All three NULL: every rule of the role
that the caller may revoke.
Privilege: admin, for all that the patterns reach.';

COMMENT ON FUNCTION vault.enter_tenant(text, text, boolean) IS
'binds this session to a tenant that it can''t leave any more, but for another one with another proof
proof: a compact JWS (RFC 7515) with alg EdDSA (RFC 8037), signed by a tenant authority. Claims: tenant; exp, at most
token_vault.tenant_proof_lifetime ahead; and where they are there nbf, iat, and aud, which must name this database. kid names the authority.
is_local: only until the end of this transaction, or until it, or the savepoint before, is rolled back.
Needs no privilege. Errors: TV042 the proof is not accepted.';

COMMENT ON FUNCTION vault.add_tenant_authority(text, bytea) IS
'accepts proofs for tenants that the holder of a key has signed
name: what proofs may name in kid. public_key: the 32 bytes of an Ed25519 public key (RFC 8032).
Privilege: admin.';

COMMENT ON FUNCTION vault.drop_tenant_authority(text) IS
'accepts no more proofs of this tenant authority; sessions stay in the tenants they have entered
Privilege: admin.';

COMMENT ON FUNCTION vault.export_token_set(text, text, text, text) IS
'a token with all its credentials, as it is stored, to take it elsewhere; no row where there is none
Nothing is refreshed. With a provider that rotates refresh tokens, only one may go on with this one: the vault (see vault.delete_token()) or whoever has exported it.
Privilege: export. Errors: TV010 can''t be decrypted, TV020 unknown provider.';

COMMENT ON FUNCTION vault.export_client_secrets(text, text) IS
'the secrets of a client in the order they are tried
tenant: the client''s; NULL: one that all tenants share. Privilege: export. Errors: TV010 can''t be decrypted, TV021 unknown client.';

COMMENT ON FUNCTION vault.adopt_installation() IS
'makes this database the one that refreshes the vault''s tokens, after it was restored or copied from another one
Call it only where the original refreshes no longer: two refreshers end each other''s grants where refresh tokens rotate.
Privilege: admin.';

COMMENT ON FUNCTION vault.status() IS
'how the vault is: version, master key file, master key, installation, refresher; and what to do where something is missing
Privilege: admin.';

COMMENT ON FUNCTION vault.can_see(text, text, text) IS
'whether the calling role may see a row about this tenant (NULL: shared by all), provider and subject (NULL: none) in the views of the vault; never fails';
COMMENT ON FUNCTION vault.can_see_all() IS
'whether the calling role may see all rows of the vault''s views; never fails';
COMMENT ON FUNCTION vault.can_grant(text, text, text) IS
'whether the calling role may grant and revoke rules with these patterns for tenant, provider and subject; never fails';
COMMENT ON FUNCTION vault.role_can(oid, text, text, text, text) IS
'whether a role has a privilege for the tokens of this tenant, provider and subject';
COMMENT ON FUNCTION vault.can_administer() IS
'whether the calling role may administer the vault; never fails';

-- Tables

COMMENT ON COLUMN vault.client.tenant IS 'NULL: shared by all tenants';
COMMENT ON COLUMN vault.client.client_id IS 'our identifier at the provider (RFC 6749 section 2.2)';
COMMENT ON COLUMN vault.client.scope IS 'sent with a refresh where the provider''s parameters ask for one and the token has none';
COMMENT ON COLUMN vault.client.active IS 'false: not used for refreshes, and not chosen for new tokens';
COMMENT ON COLUMN vault.client_secret.position IS 'the lowest is tried first';
COMMENT ON COLUMN vault.client_secret.client_secret IS 'envelope, bound to tenant, client and provider';

COMMENT ON COLUMN vault.key.id IS 'random, positive; part of every envelope';
COMMENT ON COLUMN vault.key.tenant IS 'NULL: for every tenant without a key of its own';
COMMENT ON COLUMN vault.key.state IS 'active (seals new values), retired (opens old ones), destroyed (opens nothing)';
COMMENT ON COLUMN vault.key.wrapped_key IS 'envelope under the master key; NULL once destroyed';

COMMENT ON COLUMN vault.token.issued_at IS 'when the access token was stored or last refreshed';
COMMENT ON COLUMN vault.token.expires_at IS 'NULL: not known to expire';
COMMENT ON COLUMN vault.token.refresh_after IS 'when it may be refreshed ahead of time; NULL: not known to expire';
COMMENT ON COLUMN vault.token.state IS 'active, or reauthorization_required: the provider refuses the grant for good';
COMMENT ON COLUMN vault.token.access_token IS 'envelope, bound to tenant, provider, subject, label and field';
COMMENT ON COLUMN vault.token.refresh_token IS 'envelope, bound like access_token';
COMMENT ON COLUMN vault.token.id_token IS 'envelope, bound like access_token';
COMMENT ON COLUMN vault.token.label IS 'tells several tokens of one grant apart; empty for the first';
COMMENT ON COLUMN vault.token.client IS 'which client obtained it; NULL: none was registered then';
COMMENT ON COLUMN vault.token.scope IS 'as the provider wrote it (RFC 6749 section 3.3)';
COMMENT ON COLUMN vault.token.last_error IS 'why the last refresh failed: a code or a short reason, never the provider''s text; NULL after a success';

COMMENT ON COLUMN vault.refresh_schedule.due_at IS 'when it is to be refreshed; while that is under way, when it was';
COMMENT ON COLUMN vault.refresh_schedule.failures IS 'attempts that failed since the last success';
COMMENT ON COLUMN vault.refresh_schedule.attempt IS 'number of the request that may be under way; set before it is sent, cleared with its outcome';
COMMENT ON COLUMN vault.refresh_schedule.attempt_generation IS 'the token''s generation that the request was made with';

COMMENT ON COLUMN vault.access_rule.tenant IS 'pattern: * stands for any text, \ takes the next character as it is';
COMMENT ON COLUMN vault.access_rule.role IS 'by name; without effect while there is no such role';
COMMENT ON COLUMN vault.installation.system_identifier IS 'of the cluster, as pg_control_system() shows it';
COMMENT ON COLUMN vault.installation.timeline IS 'that the server wrote on; another one after a promotion or a recovery';
COMMENT ON COLUMN vault.installation.backup_label IS 'SHA-256 of the data directory''s backup_label.old; empty where there is none';

-- Views

COMMENT ON COLUMN vault.tokens.status IS 'valid, expired or reauthorization_required, now';
COMMENT ON COLUMN vault.tokens.client IS 'name of the client that obtained it';
COMMENT ON COLUMN vault.tokens.expires_at IS 'NULL: not known to expire';
COMMENT ON COLUMN vault.tokens.refresh_due_at IS 'when the worker refreshes it, or tries again; NULL: it does not';
COMMENT ON COLUMN vault.tokens.refresh_failures IS 'attempts that failed since the last success';
COMMENT ON COLUMN vault.tokens.refresh_attempt IS 'number of the request under way, or of one whose answer was lost';
COMMENT ON COLUMN vault.tokens.refreshed_at IS 'last success; NULL: never refreshed since it was stored first';
COMMENT ON COLUMN vault.tokens.last_error IS 'why the last refresh failed; NULL after a success';
COMMENT ON COLUMN vault.tokens.last_used_at IS 'when it was last handed out, a second or so late; only with the library preloaded';
COMMENT ON COLUMN vault.tokens.reads IS 'how often it was handed out; only with the library preloaded, and a sample where more than 2,000 different tokens are read in a second';
COMMENT ON COLUMN vault.tokens.generation IS 'grows each time it is stored or refreshed';
COMMENT ON COLUMN vault.tokens.metadata IS 'what the application stored with it';
COMMENT ON COLUMN vault.tokens.response IS 'what the provider''s answer carried beside the credentials';
COMMENT ON COLUMN vault.clients.tenant IS 'NULL: shared by all tenants';
COMMENT ON COLUMN vault.clients.client_secrets IS 'how many secrets it has';
COMMENT ON COLUMN vault.keys.key IS 'part of every envelope sealed with it';
COMMENT ON COLUMN vault.keys.tenant IS 'NULL: for all that have no key of their own';
COMMENT ON COLUMN vault.keys.state IS 'active: seals new values; retired: still opens older ones; destroyed: opens nothing';
COMMENT ON COLUMN vault.keys.unused_since IS 'when a search found no value sealed with it; it is destroyed when every transaction of that time has ended';
COMMENT ON COLUMN vault.keys.tokens IS 'access, refresh and ID tokens sealed with it';
COMMENT ON COLUMN vault.keys.client_secrets IS 'client secrets sealed with it';
COMMENT ON COLUMN vault.keys.secrets IS 'values of type vault.secret in users'' tables sealed with it';
COMMENT ON COLUMN vault.reencryption.state IS 'running, paused or done';
COMMENT ON COLUMN vault.reencryption.total IS 'values to be sealed again; NULL while they are counted';
COMMENT ON COLUMN vault.reencryption.done IS 'values sealed again';
COMMENT ON COLUMN vault.reencryption.remaining IS 'values still to be sealed again; once done, those that had to be left';
COMMENT ON COLUMN vault.reencryption.rate IS 'values a second, since a process took the job up';
COMMENT ON COLUMN vault.reencryption.relation IS 'the table that is being worked on';
COMMENT ON COLUMN vault.reencryption.problems IS 'values of this pass that had to be left as they are';
COMMENT ON COLUMN vault.reencryption.problem IS 'the last of them: where it is, and why';
COMMENT ON COLUMN vault.access_rules.role_exists IS 'false: the rule has no effect';
COMMENT ON COLUMN vault.access_rules.grants_missing IS 'true: the role was created after the rule; vault.grant_access() once more grants it what PostgreSQL asks for';

-- The audit log

COMMENT ON FUNCTION vault.audit_seal() IS
'seals the entries of the audit log that have been committed, makes partitions and drops old ones; returns how many were sealed
The refresher does this once a second; without it, call this from time to time, in a transaction of its own: until that ends, nobody else seals.
Privilege: admin.';

COMMENT ON FUNCTION vault.audit_head() IS
'the last place in the chain of the audit log and its code (HMAC-SHA-256); no row before there is a master key
Keep both somewhere else, and pass them to vault.audit_verify() later: it then notices if the end of the log was cut off together with its head.
Privilege: admin.';

COMMENT ON FUNCTION vault.audit_verify(bigint, bigint, bigint, text) IS
'looks whether the audit log is as it was sealed: one row for each problem, at most 100, or one row without a problem
from_position, until_position: places to look at, by default all. expected_position, expected_mac: what vault.audit_head() said once.
problem: changed, missing (from there on), inserted, forged cut, tail missing, expected code not found. entries: how many were looked at.
unsealed: entries that have no place yet; the refresher seals within a second, else vault.audit_seal().
Privilege: admin. Errors: those of keys (TV001 to TV006).';

COMMENT ON FUNCTION vault.audit_entries(bytea) IS
'the entries of a row of the audit log that holds many; vault.audit_log shows them like the others
Privilege: as for vault.audit_log, which uses it.';
