/* <begin connected objects> */
-- bootstrap
-- What must hold before anything is created. PostgreSQL runs the script in one transaction:
-- an error here leaves nothing behind.

DO $$
DECLARE
    owner name;
BEGIN
    SELECT pg_catalog.pg_get_userbyid(nspowner) INTO owner
    FROM pg_catalog.pg_namespace
    WHERE nspname OPERATOR(pg_catalog.=) 'vault';
    IF FOUND THEN
        RAISE EXCEPTION USING
            ERRCODE = 'duplicate_schema',
            MESSAGE = 'schema "vault" already exists',
            DETAIL = pg_catalog.format('It belongs to role "%s" and is not part of this extension.', owner),
            HINT = 'token_vault needs the schema "vault" for itself. Supabase Vault (extension '
                   '"supabase_vault") uses the same name: install token_vault in another database, or drop or rename that schema.';
    END IF;
    IF pg_catalog.current_setting('server_encoding') OPERATOR(pg_catalog.<>) 'UTF8' THEN
        RAISE EXCEPTION USING
            ERRCODE = 'feature_not_supported',
            MESSAGE = 'token_vault needs a database with encoding UTF8',
            HINT = 'Create the database with ENCODING ''UTF8'' TEMPLATE template0.';
    END IF;
END
$$;

CREATE SCHEMA vault;
COMMENT ON SCHEMA vault IS 'token_vault: OAuth tokens and other credentials, encrypted';
/* </end connected objects> */

/* <begin connected objects> */
-- requires:
--   bootstrap

-- The shell type, so that its input and output functions can be declared.
CREATE TYPE vault.secret;
/* </end connected objects> */

/* <begin connected objects> */
-- token_vault::sqltype::secret::text::secret_from_text
-- requires:
--   secret_shell
CREATE  FUNCTION vault."secret_from_text"(
	"plaintext" TEXT /* & str */
) RETURNS vault.secret /* Secret */
STRICT VOLATILE PARALLEL RESTRICTED  
LANGUAGE c /* Rust */
AS 'MODULE_PATHNAME', 'secret_from_text_wrapper';


-- token_vault::sqltype::secret::text::secret_in
-- requires:
--   secret_shell
CREATE  FUNCTION vault."secret_in"(
	"input" cstring, /* & CStr */
	"_type" oid, /* Oid */
	"_typmod" INT /* i32 */
) RETURNS vault.secret /* Secret */
STRICT STABLE PARALLEL RESTRICTED  
LANGUAGE c /* Rust */
AS 'MODULE_PATHNAME', 'secret_in_wrapper';


-- token_vault::sqltype::secret::text::secret_out
-- requires:
--   secret_shell
CREATE  FUNCTION vault."secret_out"(
	"secret" vault.secret /* Secret */
) RETURNS cstring /* CString */
IMMUTABLE STRICT PARALLEL SAFE  
LANGUAGE c /* Rust */
AS 'MODULE_PATHNAME', 'secret_out_wrapper';


-- token_vault::sqltype::secret::binary::secret_recv
-- requires:
--   secret_shell
CREATE  FUNCTION vault."secret_recv"(
	"message" internal, /* Internal */
	"_type" oid, /* Oid */
	"_typmod" INT /* i32 */
) RETURNS vault.secret /* Secret */
STRICT STABLE PARALLEL RESTRICTED  
LANGUAGE c /* Rust */
AS 'MODULE_PATHNAME', 'secret_recv_wrapper';


-- token_vault::sqltype::secret::binary::secret_send
-- requires:
--   secret_shell
CREATE  FUNCTION vault."secret_send"(
	"secret" vault.secret /* Secret */
) RETURNS bytea /* Vec < u8 > */
IMMUTABLE STRICT PARALLEL SAFE  
LANGUAGE c /* Rust */
AS 'MODULE_PATHNAME', 'secret_send_wrapper';


-- creates:
--   Type(pg::secret_datum::Secret)

-- requires:
--   secret_shell
--   sqltype::secret::text::secret_in
--   sqltype::secret::text::secret_out
--   sqltype::secret::text::secret_from_text
--   sqltype::secret::binary::secret_recv
--   sqltype::secret::binary::secret_send

-- The encrypted column. On disk and in binary form it is an envelope, in text form "tv1." and base64url.
-- No equality, no ordering, no hash on purpose: equal plaintexts must not be seen to be equal.

CREATE TYPE vault.secret (
    INPUT   = vault.secret_in,
    OUTPUT  = vault.secret_out,
    RECEIVE = vault.secret_recv,
    SEND    = vault.secret_send,
    INTERNALLENGTH = VARIABLE,
    STORAGE = external,      -- ciphertext does not compress
    CATEGORY = 'U'
);
COMMENT ON TYPE vault.secret IS 'a value encrypted by token_vault; vault.reveal() gives its plaintext to roles that may';

-- Expressions, and drivers that send strings as varchar, reach the type by the assignment cast; it encrypts.
CREATE CAST (text AS vault.secret) WITH FUNCTION vault.secret_from_text(text) AS ASSIGNMENT;
CREATE CAST (varchar AS vault.secret) WITH FUNCTION vault.secret_from_text(text) AS ASSIGNMENT;
/* </end connected objects> */

/* <begin connected objects> */
-- token_vault::sqlfn::access::grant_access
CREATE  FUNCTION vault."grant_access"(
	"role" TEXT, /* Option < & str > */
	"privileges" TEXT[], /* :: std :: option :: Option < Vec < Option < String > > > */
	"tenant" TEXT DEFAULT NULL, /* Option < & str > */
	"provider" TEXT DEFAULT NULL, /* Option < & str > */
	"subject" TEXT DEFAULT NULL /* Option < & str > */
) RETURNS void
VOLATILE PARALLEL UNSAFE 
LANGUAGE c /* Rust */
AS 'MODULE_PATHNAME', 'grant_access_wrapper';
/* </end connected objects> */

/* <begin connected objects> */
-- token_vault::sqlfn::access::revoke_access
CREATE  FUNCTION vault."revoke_access"(
	"role" TEXT, /* Option < & str > */
	"privileges" TEXT[] DEFAULT NULL, /* :: std :: option :: Option < Vec < Option < String > > > */
	"tenant" TEXT DEFAULT NULL, /* Option < & str > */
	"provider" TEXT DEFAULT NULL, /* Option < & str > */
	"subject" TEXT DEFAULT NULL /* Option < & str > */
) RETURNS void
VOLATILE PARALLEL UNSAFE 
LANGUAGE c /* Rust */
AS 'MODULE_PATHNAME', 'revoke_access_wrapper';
/* </end connected objects> */

/* <begin connected objects> */
-- token_vault::sqlfn::audit::audit_entries
CREATE  FUNCTION vault."audit_entries"(
	"batch" bytea /* & [u8] */
) RETURNS TABLE (
	"at" timestamp with time zone,  /* TimestampWithTimeZone */
	"event" TEXT,  /* String */
	"login_role" TEXT,  /* Option < String > */
	"role" TEXT,  /* Option < String > */
	"application_name" TEXT,  /* Option < String > */
	"client_address" TEXT,  /* Option < String > */
	"tenant" TEXT,  /* Option < String > */
	"provider" TEXT,  /* Option < String > */
	"subject" TEXT,  /* Option < String > */
	"label" TEXT,  /* Option < String > */
	"reason" TEXT,  /* Option < String > */
	"detail" TEXT  /* Option < String > */
)
IMMUTABLE STRICT PARALLEL SAFE 
LANGUAGE c /* Rust */
AS 'MODULE_PATHNAME', 'audit_entries_wrapper';
/* </end connected objects> */

/* <begin connected objects> */
-- token_vault::sqlfn::audit::audit_head
CREATE  FUNCTION vault."audit_head"() RETURNS TABLE (
	"position" bigint,  /* i64 */
	"mac" TEXT  /* String */
)
STRICT VOLATILE PARALLEL UNSAFE 
LANGUAGE c /* Rust */
AS 'MODULE_PATHNAME', 'audit_head_wrapper';
/* </end connected objects> */

/* <begin connected objects> */
-- token_vault::sqlfn::audit::audit_seal
CREATE  FUNCTION vault."audit_seal"() RETURNS bigint /* i64 */
STRICT VOLATILE PARALLEL UNSAFE 
LANGUAGE c /* Rust */
AS 'MODULE_PATHNAME', 'audit_seal_wrapper';
/* </end connected objects> */

/* <begin connected objects> */
-- token_vault::sqlfn::audit::audit_verify
CREATE  FUNCTION vault."audit_verify"(
	"from_position" bigint DEFAULT NULL, /* Option < i64 > */
	"until_position" bigint DEFAULT NULL, /* Option < i64 > */
	"expected_position" bigint DEFAULT NULL, /* Option < i64 > */
	"expected_mac" TEXT DEFAULT NULL /* Option < & str > */
) RETURNS TABLE (
	"entries" bigint,  /* i64 */
	"first_position" bigint,  /* Option < i64 > */
	"last_position" bigint,  /* Option < i64 > */
	"unsealed" bigint,  /* i64 */
	"problem" TEXT,  /* Option < String > */
	"problem_position" bigint  /* Option < i64 > */
)
VOLATILE PARALLEL UNSAFE 
LANGUAGE c /* Rust */
AS 'MODULE_PATHNAME', 'audit_verify_wrapper';
/* </end connected objects> */

/* <begin connected objects> */
-- token_vault::sqlfn::client::add_client_secret
CREATE  FUNCTION vault."add_client_secret"(
	"client" TEXT, /* Option < & str > */
	"client_secret" TEXT, /* Option < & str > */
	"tenant" TEXT DEFAULT NULL, /* Option < & str > */
	"place" TEXT DEFAULT 'first' /* Option < & str > */
) RETURNS void
VOLATILE PARALLEL UNSAFE 
LANGUAGE c /* Rust */
AS 'MODULE_PATHNAME', 'add_client_secret_wrapper';
/* </end connected objects> */

/* <begin connected objects> */
-- token_vault::sqlfn::client::disable_client
CREATE  FUNCTION vault."disable_client"(
	"client" TEXT, /* Option < & str > */
	"tenant" TEXT DEFAULT NULL /* Option < & str > */
) RETURNS void
VOLATILE PARALLEL UNSAFE 
LANGUAGE c /* Rust */
AS 'MODULE_PATHNAME', 'disable_client_wrapper';
/* </end connected objects> */

/* <begin connected objects> */
-- token_vault::sqlfn::client::drop_client
CREATE  FUNCTION vault."drop_client"(
	"client" TEXT, /* Option < & str > */
	"tenant" TEXT DEFAULT NULL /* Option < & str > */
) RETURNS void
VOLATILE PARALLEL UNSAFE 
LANGUAGE c /* Rust */
AS 'MODULE_PATHNAME', 'drop_client_wrapper';
/* </end connected objects> */

/* <begin connected objects> */
-- token_vault::sqlfn::client::drop_client_secrets
CREATE  FUNCTION vault."drop_client_secrets"(
	"client" TEXT, /* Option < & str > */
	"tenant" TEXT DEFAULT NULL, /* Option < & str > */
	"keep" INT DEFAULT 1 /* Option < i32 > */
) RETURNS bigint /* i64 */
VOLATILE PARALLEL UNSAFE 
LANGUAGE c /* Rust */
AS 'MODULE_PATHNAME', 'drop_client_secrets_wrapper';
/* </end connected objects> */

/* <begin connected objects> */
-- token_vault::sqlfn::client::enable_client
CREATE  FUNCTION vault."enable_client"(
	"client" TEXT, /* Option < & str > */
	"tenant" TEXT DEFAULT NULL /* Option < & str > */
) RETURNS void
VOLATILE PARALLEL UNSAFE 
LANGUAGE c /* Rust */
AS 'MODULE_PATHNAME', 'enable_client_wrapper';
/* </end connected objects> */

/* <begin connected objects> */
-- token_vault::sqlfn::client::register_client
CREATE  FUNCTION vault."register_client"(
	"name" TEXT, /* Option < & str > */
	"provider" TEXT, /* Option < & str > */
	"client_id" TEXT, /* Option < & str > */
	"client_secret" TEXT DEFAULT NULL, /* Option < & str > */
	"tenant" TEXT DEFAULT NULL, /* Option < & str > */
	"scope" TEXT DEFAULT NULL, /* Option < & str > */
	"redirect_uri" TEXT DEFAULT NULL, /* Option < & str > */
	"metadata" jsonb DEFAULT NULL, /* Option < Jsonb > */
	"settings" jsonb DEFAULT NULL /* Option < Jsonb > */
) RETURNS void
VOLATILE PARALLEL UNSAFE 
LANGUAGE c /* Rust */
AS 'MODULE_PATHNAME', 'register_client_wrapper';
/* </end connected objects> */

/* <begin connected objects> */
-- token_vault::sqlfn::export::export_client_secrets
CREATE  FUNCTION vault."export_client_secrets"(
	"client" TEXT, /* Option < & str > */
	"tenant" TEXT DEFAULT NULL /* Option < & str > */
) RETURNS TABLE (
	"place" bigint,  /* i64 */
	"client_secret" TEXT  /* String */
)
VOLATILE PARALLEL UNSAFE 
LANGUAGE c /* Rust */
AS 'MODULE_PATHNAME', 'export_client_secrets_wrapper';
/* </end connected objects> */

/* <begin connected objects> */
-- token_vault::sqlfn::export::export_token_set
CREATE  FUNCTION vault."export_token_set"(
	"provider" TEXT, /* Option < & str > */
	"subject" TEXT, /* Option < & str > */
	"tenant" TEXT DEFAULT NULL, /* Option < & str > */
	"label" TEXT DEFAULT '' /* Option < & str > */
) RETURNS TABLE (
	"access_token" TEXT,  /* String */
	"refresh_token" TEXT,  /* Option < String > */
	"id_token" TEXT,  /* Option < String > */
	"token_type" TEXT,  /* Option < String > */
	"scope" TEXT,  /* Option < String > */
	"issued_at" timestamp with time zone,  /* TimestampWithTimeZone */
	"expires_at" timestamp with time zone,  /* Option < TimestampWithTimeZone > */
	"refresh_token_expires_at" timestamp with time zone  /* Option < TimestampWithTimeZone > */
)
VOLATILE PARALLEL UNSAFE 
LANGUAGE c /* Rust */
AS 'MODULE_PATHNAME', 'export_token_set_wrapper';
/* </end connected objects> */

/* <begin connected objects> */
-- token_vault::sqlfn::installation::adopt_installation
CREATE  FUNCTION vault."adopt_installation"() RETURNS void
STRICT VOLATILE PARALLEL UNSAFE 
LANGUAGE c /* Rust */
AS 'MODULE_PATHNAME', 'adopt_installation_wrapper';
/* </end connected objects> */

/* <begin connected objects> */
-- token_vault::sqlfn::installation::status
CREATE  FUNCTION vault."status"() RETURNS TABLE (
	"item" TEXT,  /* & '_ str */
	"state" TEXT,  /* String */
	"advice" TEXT  /* Option < String > */
)
STRICT VOLATILE PARALLEL UNSAFE 
LANGUAGE c /* Rust */
AS 'MODULE_PATHNAME', 'status_wrapper';
/* </end connected objects> */

/* <begin connected objects> */
-- token_vault::sqlfn::key::create_master_key
CREATE  FUNCTION vault."create_master_key"() RETURNS TEXT /* String */
STRICT VOLATILE PARALLEL UNSAFE 
LANGUAGE c /* Rust */
AS 'MODULE_PATHNAME', 'create_master_key_wrapper';
/* </end connected objects> */

/* <begin connected objects> */
-- token_vault::sqlfn::key::create_tenant_key
CREATE  FUNCTION vault."create_tenant_key"(
	"tenant" TEXT /* Option < & str > */
) RETURNS TEXT /* String */
VOLATILE PARALLEL UNSAFE 
LANGUAGE c /* Rust */
AS 'MODULE_PATHNAME', 'create_tenant_key_wrapper';
/* </end connected objects> */

/* <begin connected objects> */
-- token_vault::sqlfn::key::rotate_key
CREATE  FUNCTION vault."rotate_key"(
	"tenant" TEXT DEFAULT NULL /* Option < & str > */
) RETURNS TEXT /* String */
VOLATILE PARALLEL UNSAFE 
LANGUAGE c /* Rust */
AS 'MODULE_PATHNAME', 'rotate_key_wrapper';
/* </end connected objects> */

/* <begin connected objects> */
-- token_vault::sqlfn::key::rotate_master_key
CREATE  FUNCTION vault."rotate_master_key"() RETURNS TEXT /* String */
STRICT VOLATILE PARALLEL UNSAFE 
LANGUAGE c /* Rust */
AS 'MODULE_PATHNAME', 'rotate_master_key_wrapper';
/* </end connected objects> */

/* <begin connected objects> */
-- token_vault::sqlfn::key::shred_tenant
CREATE  FUNCTION vault."shred_tenant"(
	"tenant" TEXT /* Option < & str > */
) RETURNS TABLE (
	"item" TEXT,  /* & '_ str */
	"state" TEXT,  /* String */
	"advice" TEXT  /* Option < String > */
)
VOLATILE PARALLEL UNSAFE 
LANGUAGE c /* Rust */
AS 'MODULE_PATHNAME', 'shred_tenant_wrapper';
/* </end connected objects> */

/* <begin connected objects> */
-- token_vault::sqlfn::provider::drop_provider
CREATE  FUNCTION vault."drop_provider"(
	"name" TEXT /* Option < & str > */
) RETURNS void
VOLATILE PARALLEL UNSAFE 
LANGUAGE c /* Rust */
AS 'MODULE_PATHNAME', 'drop_provider_wrapper';
/* </end connected objects> */

/* <begin connected objects> */
-- token_vault::sqlfn::provider::register_provider
CREATE  FUNCTION vault."register_provider"(
	"name" TEXT, /* Option < & str > */
	"token_endpoint" TEXT, /* Option < & str > */
	"authorization_endpoint" TEXT DEFAULT NULL, /* Option < & str > */
	"revocation_endpoint" TEXT DEFAULT NULL, /* Option < & str > */
	"token_endpoint_auth_method" TEXT DEFAULT NULL, /* Option < & str > */
	"issuer" TEXT DEFAULT NULL, /* Option < & str > */
	"display_name" TEXT DEFAULT NULL, /* Option < & str > */
	"settings" jsonb DEFAULT NULL /* Option < Jsonb > */
) RETURNS void
VOLATILE PARALLEL UNSAFE 
LANGUAGE c /* Rust */
AS 'MODULE_PATHNAME', 'register_provider_wrapper';
/* </end connected objects> */

/* <begin connected objects> */
-- token_vault::sqlfn::reencryption::envelope_key
-- requires:
--   secret_type
CREATE  FUNCTION vault."envelope_key"(
	"envelope" vault.secret /* SecretHead < HEADER_LEN > */
) RETURNS bigint /* Option < i64 > */
IMMUTABLE STRICT PARALLEL SAFE   
LANGUAGE c /* Rust */
AS 'MODULE_PATHNAME', 'secret_key_wrapper';
/* </end connected objects> */

/* <begin connected objects> */
-- token_vault::sqlfn::reencryption::envelope_key
CREATE  FUNCTION vault."envelope_key"(
	"envelope" bytea /* BytesHead < HEADER_LEN > */
) RETURNS bigint /* Option < i64 > */
IMMUTABLE STRICT PARALLEL SAFE  
LANGUAGE c /* Rust */
AS 'MODULE_PATHNAME', 'bytes_key_wrapper';
/* </end connected objects> */

/* <begin connected objects> */
-- token_vault::sqlfn::reencryption::is_current
CREATE  FUNCTION vault."is_current"(
	"tenant" TEXT, /* & str */
	"envelope" bytea /* BytesHead < HEADER_LEN > */
) RETURNS bool /* bool */
STRICT STABLE PARALLEL RESTRICTED 
LANGUAGE c /* Rust */
AS 'MODULE_PATHNAME', 'is_current_wrapper';
/* </end connected objects> */

/* <begin connected objects> */
-- token_vault::sqlfn::reencryption::key_usage
CREATE  FUNCTION vault."key_usage"() RETURNS TABLE (
	"key" bigint,  /* i64 */
	"tokens" bigint,  /* i64 */
	"client_secrets" bigint,  /* i64 */
	"secrets" bigint  /* i64 */
)
STRICT VOLATILE PARALLEL UNSAFE 
LANGUAGE c /* Rust */
AS 'MODULE_PATHNAME', 'key_usage_wrapper';
/* </end connected objects> */

/* <begin connected objects> */
-- token_vault::sqlfn::reencryption::pause_reencryption
CREATE  FUNCTION vault."pause_reencryption"() RETURNS void
STRICT VOLATILE PARALLEL UNSAFE 
LANGUAGE c /* Rust */
AS 'MODULE_PATHNAME', 'pause_reencryption_wrapper';
/* </end connected objects> */

/* <begin connected objects> */
-- token_vault::sqlfn::reencryption::resume_reencryption
CREATE  FUNCTION vault."resume_reencryption"() RETURNS void
STRICT VOLATILE PARALLEL UNSAFE 
LANGUAGE c /* Rust */
AS 'MODULE_PATHNAME', 'resume_reencryption_wrapper';
/* </end connected objects> */

/* <begin connected objects> */
-- token_vault::sqlfn::refresh::refresh_due
CREATE  FUNCTION vault."refresh_due"(
	"within" interval DEFAULT NULL, /* Option < Interval > */
	"max_tokens" INT DEFAULT 100 /* Option < i32 > */
) RETURNS TABLE (
	"tenant" TEXT,  /* String */
	"provider" TEXT,  /* String */
	"subject" TEXT,  /* String */
	"label" TEXT,  /* String */
	"outcome" TEXT,  /* & '_ str */
	"error" TEXT,  /* Option < String > */
	"expires_at" timestamp with time zone  /* Option < TimestampWithTimeZone > */
)
VOLATILE PARALLEL UNSAFE 
LANGUAGE c /* Rust */
AS 'MODULE_PATHNAME', 'refresh_due_wrapper';
/* </end connected objects> */

/* <begin connected objects> */
-- token_vault::sqlfn::refresh::refresh_token
CREATE  FUNCTION vault."refresh_token"(
	"provider" TEXT, /* Option < & str > */
	"subject" TEXT, /* Option < & str > */
	"tenant" TEXT DEFAULT NULL, /* Option < & str > */
	"label" TEXT DEFAULT '' /* Option < & str > */
) RETURNS timestamp with time zone /* Option < TimestampWithTimeZone > */
VOLATILE PARALLEL UNSAFE 
LANGUAGE c /* Rust */
AS 'MODULE_PATHNAME', 'refresh_token_wrapper';
/* </end connected objects> */

/* <begin connected objects> */
-- token_vault::sqlfn::refresh::set_refresh_policy
CREATE  FUNCTION vault."set_refresh_policy"(
	"provider" TEXT, /* Option < & str > */
	"subject" TEXT, /* Option < & str > */
	"policy" TEXT, /* Option < & str > */
	"tenant" TEXT DEFAULT NULL, /* Option < & str > */
	"label" TEXT DEFAULT '' /* Option < & str > */
) RETURNS bool /* bool */
VOLATILE PARALLEL UNSAFE 
LANGUAGE c /* Rust */
AS 'MODULE_PATHNAME', 'set_refresh_policy_wrapper';
/* </end connected objects> */

/* <begin connected objects> */
-- token_vault::sqlfn::tenant::add_tenant_authority
CREATE  FUNCTION vault."add_tenant_authority"(
	"name" TEXT, /* Option < & str > */
	"public_key" bytea /* Option < & [u8] > */
) RETURNS void
VOLATILE PARALLEL UNSAFE 
LANGUAGE c /* Rust */
AS 'MODULE_PATHNAME', 'add_tenant_authority_wrapper';
/* </end connected objects> */

/* <begin connected objects> */
-- token_vault::sqlfn::tenant::drop_tenant_authority
CREATE  FUNCTION vault."drop_tenant_authority"(
	"name" TEXT /* Option < & str > */
) RETURNS void
VOLATILE PARALLEL UNSAFE 
LANGUAGE c /* Rust */
AS 'MODULE_PATHNAME', 'drop_tenant_authority_wrapper';
/* </end connected objects> */

/* <begin connected objects> */
-- token_vault::sqlfn::tenant::enter_tenant
CREATE  FUNCTION vault."enter_tenant"(
	"tenant" TEXT, /* Option < & str > */
	"proof" TEXT, /* Option < & str > */
	"is_local" bool DEFAULT false /* Option < bool > */
) RETURNS void
VOLATILE PARALLEL UNSAFE 
LANGUAGE c /* Rust */
AS 'MODULE_PATHNAME', 'enter_tenant_wrapper';
/* </end connected objects> */

/* <begin connected objects> */
-- token_vault::sqlfn::token_delete::delete_subject
CREATE  FUNCTION vault."delete_subject"(
	"subject" TEXT, /* Option < & str > */
	"tenant" TEXT DEFAULT NULL /* Option < & str > */
) RETURNS bigint /* i64 */
VOLATILE PARALLEL UNSAFE 
LANGUAGE c /* Rust */
AS 'MODULE_PATHNAME', 'delete_subject_wrapper';
/* </end connected objects> */

/* <begin connected objects> */
-- token_vault::sqlfn::token_delete::delete_tenant
CREATE  FUNCTION vault."delete_tenant"(
	"tenant" TEXT /* Option < & str > */
) RETURNS bigint /* i64 */
VOLATILE PARALLEL UNSAFE 
LANGUAGE c /* Rust */
AS 'MODULE_PATHNAME', 'delete_tenant_wrapper';
/* </end connected objects> */

/* <begin connected objects> */
-- token_vault::sqlfn::token_delete::delete_token
CREATE  FUNCTION vault."delete_token"(
	"provider" TEXT, /* Option < & str > */
	"subject" TEXT, /* Option < & str > */
	"tenant" TEXT DEFAULT NULL, /* Option < & str > */
	"label" TEXT DEFAULT '' /* Option < & str > */
) RETURNS bool /* bool */
VOLATILE PARALLEL UNSAFE 
LANGUAGE c /* Rust */
AS 'MODULE_PATHNAME', 'delete_token_wrapper';
/* </end connected objects> */

/* <begin connected objects> */
-- token_vault::sqlfn::token_read::authorization_header
CREATE  FUNCTION vault."authorization_header"(
	"provider" TEXT, /* Option < & str > */
	"subject" TEXT, /* Option < & str > */
	"tenant" TEXT DEFAULT NULL, /* Option < & str > */
	"label" TEXT DEFAULT '', /* Option < & str > */
	"min_validity" interval DEFAULT NULL, /* Option < Interval > */
	"auto_refresh" bool DEFAULT true /* Option < bool > */
) RETURNS TEXT /* Option < String > */
VOLATILE PARALLEL UNSAFE 
LANGUAGE c /* Rust */
AS 'MODULE_PATHNAME', 'authorization_header_wrapper';
/* </end connected objects> */

/* <begin connected objects> */
-- token_vault::sqlfn::token_read::get_token
CREATE  FUNCTION vault."get_token"(
	"provider" TEXT, /* Option < & str > */
	"subject" TEXT, /* Option < & str > */
	"tenant" TEXT DEFAULT NULL, /* Option < & str > */
	"label" TEXT DEFAULT '', /* Option < & str > */
	"min_validity" interval DEFAULT NULL, /* Option < Interval > */
	"auto_refresh" bool DEFAULT true /* Option < bool > */
) RETURNS TEXT /* Option < String > */
VOLATILE PARALLEL UNSAFE 
LANGUAGE c /* Rust */
AS 'MODULE_PATHNAME', 'get_token_wrapper';
/* </end connected objects> */

/* <begin connected objects> */
-- token_vault::sqlfn::token_read::get_token_set
CREATE  FUNCTION vault."get_token_set"(
	"provider" TEXT, /* Option < & str > */
	"subject" TEXT, /* Option < & str > */
	"tenant" TEXT DEFAULT NULL, /* Option < & str > */
	"label" TEXT DEFAULT '', /* Option < & str > */
	"min_validity" interval DEFAULT NULL, /* Option < Interval > */
	"auto_refresh" bool DEFAULT true /* Option < bool > */
) RETURNS TABLE (
	"access_token" TEXT,  /* String */
	"token_type" TEXT,  /* Option < String > */
	"scope" TEXT,  /* Option < String > */
	"issued_at" timestamp with time zone,  /* TimestampWithTimeZone */
	"expires_at" timestamp with time zone  /* Option < TimestampWithTimeZone > */
)
VOLATILE PARALLEL UNSAFE 
LANGUAGE c /* Rust */
AS 'MODULE_PATHNAME', 'get_token_set_wrapper';
/* </end connected objects> */

/* <begin connected objects> */
-- token_vault::sqlfn::token_read::has_token
CREATE  FUNCTION vault."has_token"(
	"provider" TEXT, /* Option < & str > */
	"subject" TEXT, /* Option < & str > */
	"tenant" TEXT DEFAULT NULL, /* Option < & str > */
	"label" TEXT DEFAULT '' /* Option < & str > */
) RETURNS bool /* bool */
VOLATILE PARALLEL UNSAFE 
LANGUAGE c /* Rust */
AS 'MODULE_PATHNAME', 'has_token_wrapper';
/* </end connected objects> */

/* <begin connected objects> */
-- token_vault::sqlfn::token_read::is_valid
CREATE  FUNCTION vault."is_valid"(
	"provider" TEXT, /* Option < & str > */
	"subject" TEXT, /* Option < & str > */
	"tenant" TEXT DEFAULT NULL, /* Option < & str > */
	"label" TEXT DEFAULT '', /* Option < & str > */
	"min_validity" interval DEFAULT NULL /* Option < Interval > */
) RETURNS bool /* bool */
VOLATILE PARALLEL UNSAFE 
LANGUAGE c /* Rust */
AS 'MODULE_PATHNAME', 'is_valid_wrapper';
/* </end connected objects> */

/* <begin connected objects> */
-- token_vault::sqlfn::token_read::token_status
CREATE  FUNCTION vault."token_status"(
	"provider" TEXT, /* Option < & str > */
	"subject" TEXT, /* Option < & str > */
	"tenant" TEXT DEFAULT NULL, /* Option < & str > */
	"label" TEXT DEFAULT '' /* Option < & str > */
) RETURNS TEXT /* Option < & '_ str > */
VOLATILE PARALLEL UNSAFE 
LANGUAGE c /* Rust */
AS 'MODULE_PATHNAME', 'token_status_wrapper';
/* </end connected objects> */

/* <begin connected objects> */
-- token_vault::sqlfn::token_store::store_token
CREATE  FUNCTION vault."store_token"(
	"provider" TEXT, /* Option < & str > */
	"subject" TEXT, /* Option < & str > */
	"access_token" TEXT, /* Option < & str > */
	"refresh_token" TEXT DEFAULT NULL, /* Option < & str > */
	"expires_in" bigint DEFAULT NULL, /* Option < i64 > */
	"scope" TEXT DEFAULT NULL, /* Option < & str > */
	"token_type" TEXT DEFAULT NULL, /* Option < & str > */
	"id_token" TEXT DEFAULT NULL, /* Option < & str > */
	"expires_at" timestamp with time zone DEFAULT NULL, /* Option < TimestampWithTimeZone > */
	"refresh_token_expires_in" bigint DEFAULT NULL, /* Option < i64 > */
	"tenant" TEXT DEFAULT NULL, /* Option < & str > */
	"label" TEXT DEFAULT '', /* Option < & str > */
	"client" TEXT DEFAULT NULL, /* Option < & str > */
	"metadata" jsonb DEFAULT NULL /* Option < Jsonb > */
) RETURNS void
VOLATILE PARALLEL UNSAFE 
LANGUAGE c /* Rust */
AS 'MODULE_PATHNAME', 'store_token_wrapper';
/* </end connected objects> */

/* <begin connected objects> */
-- token_vault::sqlfn::token_store::store_token_response
CREATE  FUNCTION vault."store_token_response"(
	"provider" TEXT, /* Option < & str > */
	"subject" TEXT, /* Option < & str > */
	"response" jsonb, /* Option < Jsonb > */
	"tenant" TEXT DEFAULT NULL, /* Option < & str > */
	"label" TEXT DEFAULT '', /* Option < & str > */
	"client" TEXT DEFAULT NULL, /* Option < & str > */
	"metadata" jsonb DEFAULT NULL /* Option < Jsonb > */
) RETURNS void
VOLATILE PARALLEL UNSAFE 
LANGUAGE c /* Rust */
AS 'MODULE_PATHNAME', 'store_token_response_wrapper';
/* </end connected objects> */

/* <begin connected objects> */
-- token_vault::sqlfn::verification::verify
CREATE  FUNCTION vault."verify"() RETURNS TABLE (
	"relation" TEXT,  /* String */
	"column_name" TEXT,  /* String */
	"location" TEXT,  /* String */
	"key" TEXT,  /* Option < String > */
	"outcome" TEXT,  /* & '_ str */
	"detail" TEXT  /* Option < String > */
)
STRICT VOLATILE PARALLEL UNSAFE 
LANGUAGE c /* Rust */
AS 'MODULE_PATHNAME', 'verify_wrapper';
/* </end connected objects> */

/* <begin connected objects> */
-- token_vault::sqlfn::visibility::can_administer
CREATE  FUNCTION vault."can_administer"() RETURNS bool /* bool */
STRICT STABLE PARALLEL RESTRICTED 
LANGUAGE c /* Rust */
AS 'MODULE_PATHNAME', 'can_administer_wrapper';
/* </end connected objects> */

/* <begin connected objects> */
-- token_vault::sqlfn::visibility::can_grant
CREATE  FUNCTION vault."can_grant"(
	"tenant" TEXT, /* & str */
	"provider" TEXT, /* & str */
	"subject" TEXT /* & str */
) RETURNS bool /* bool */
STRICT STABLE PARALLEL RESTRICTED 
LANGUAGE c /* Rust */
AS 'MODULE_PATHNAME', 'can_grant_wrapper';
/* </end connected objects> */

/* <begin connected objects> */
-- token_vault::sqlfn::visibility::can_see
CREATE  FUNCTION vault."can_see"(
	"tenant" TEXT DEFAULT NULL, /* Option < & str > */
	"provider" TEXT DEFAULT NULL, /* Option < & str > */
	"subject" TEXT DEFAULT NULL /* Option < & str > */
) RETURNS bool /* bool */
STABLE PARALLEL RESTRICTED 
LANGUAGE c /* Rust */
AS 'MODULE_PATHNAME', 'can_see_wrapper';
/* </end connected objects> */

/* <begin connected objects> */
-- token_vault::sqlfn::visibility::can_see_all
CREATE  FUNCTION vault."can_see_all"() RETURNS bool /* bool */
STRICT STABLE PARALLEL RESTRICTED 
LANGUAGE c /* Rust */
AS 'MODULE_PATHNAME', 'can_see_all_wrapper';
/* </end connected objects> */

/* <begin connected objects> */
-- token_vault::sqlfn::visibility::role_can
CREATE  FUNCTION vault."role_can"(
	"role" oid, /* Oid */
	"privilege" TEXT, /* & str */
	"tenant" TEXT, /* & str */
	"provider" TEXT, /* & str */
	"subject" TEXT /* & str */
) RETURNS bool /* bool */
STRICT STABLE PARALLEL RESTRICTED 
LANGUAGE c /* Rust */
AS 'MODULE_PATHNAME', 'role_can_wrapper';
/* </end connected objects> */

/* <begin connected objects> */
-- token_vault::sqltype::secret::functions::reveal
-- requires:
--   secret_type
CREATE  FUNCTION vault."reveal"(
	"secret" vault.secret, /* Secret */
	"context" TEXT DEFAULT '' /* & str */
) RETURNS TEXT /* String */
STRICT STABLE PARALLEL RESTRICTED  
LANGUAGE c /* Rust */
AS 'MODULE_PATHNAME', 'reveal_wrapper';
/* </end connected objects> */

/* <begin connected objects> */
-- token_vault::sqltype::secret::functions::seal
-- requires:
--   secret_type
CREATE  FUNCTION vault."seal"(
	"plaintext" TEXT, /* & str */
	"context" TEXT DEFAULT '' /* & str */
) RETURNS vault.secret /* Secret */
STRICT VOLATILE PARALLEL RESTRICTED  
LANGUAGE c /* Rust */
AS 'MODULE_PATHNAME', 'seal_wrapper';
/* </end connected objects> */

/* <begin connected objects> */
CREATE SCHEMA IF NOT EXISTS vault; /* token_vault::vault */
/* </end connected objects> */

/* <begin connected objects> */
-- requires:
--   secret_type

-- Which cluster and database this vault lives in: the clone guard. The row is data (written by
-- vault.create_master_key, dumped with the rest), so a restored dump or a copied database still
-- names the original and refreshes nothing until vault.adopt_installation() is called.

CREATE TABLE vault.installation (
    singleton         boolean     NOT NULL DEFAULT true PRIMARY KEY CHECK (singleton),
    system_identifier text        NOT NULL, -- of the cluster, as pg_control_system() shows it
    database_oid      oid         NOT NULL,
    timeline          bigint      NOT NULL, -- another one: a standby was promoted, or a backup recovered
    backup_label      text        NOT NULL, -- SHA-256 of the data directory's backup_label.old; '' where there is none
    adopted_at        timestamptz NOT NULL DEFAULT pg_catalog.statement_timestamp()
);
COMMENT ON TABLE vault.installation IS 'the cluster and database whose worker may refresh tokens (clone guard)';

SELECT pg_catalog.pg_extension_config_dump('vault.installation', '');
/* </end connected objects> */

/* <begin connected objects> */
-- requires:
--   installation

-- Data keys, each wrapped by the master key, which never enters the database.

CREATE TABLE vault.key (
    id                     bigint      NOT NULL PRIMARY KEY, -- random; part of every envelope
    tenant                 text        CHECK (tenant OPERATOR(pg_catalog.<>) ''),  -- NULL: for every tenant without a key of its own
    state                  text        NOT NULL DEFAULT 'active' CHECK (state OPERATOR(pg_catalog.=) ANY (ARRAY['active', 'retired', 'destroyed', 'audit'])),
    wrapped_key            bytea       CHECK ((wrapped_key IS NULL) OPERATOR(pg_catalog.=) (state OPERATOR(pg_catalog.=) 'destroyed')),
    master_key_fingerprint bytea       NOT NULL CHECK (pg_catalog.octet_length(master_key_fingerprint) OPERATOR(pg_catalog.=) 8),
    created_at             timestamptz NOT NULL DEFAULT pg_catalog.statement_timestamp(),
    retired_at             timestamptz,
    destroyed_at           timestamptz,
    unused_since           timestamptz                       -- a scan found no value sealed with it
);
COMMENT ON TABLE vault.key IS 'data keys, wrapped by the master key';
COMMENT ON COLUMN vault.key.state IS 'active, retired, destroyed; audit: ties the entries of the audit log together and seals no values';
COMMENT ON COLUMN vault.key.master_key_fingerprint IS 'tells which master key opens wrapped_key; says nothing about the key itself';

-- New values are sealed with the active key: one for all, and one for each tenant that has its own.
CREATE UNIQUE INDEX key_active ON vault.key (tenant) NULLS NOT DISTINCT WHERE state OPERATOR(pg_catalog.=) 'active';

SELECT pg_catalog.pg_extension_config_dump('vault.key', '');
/* </end connected objects> */

/* <begin connected objects> */
-- requires:
--   key

-- Authorization servers and their quirks, as data: no provider's name appears in the code. A row of the user's
-- (builtin = false) hides the built-in row of the same name, and only the user's rows are dumped.
-- What each column means is said by its COMMENT in provider_comments.sql.

CREATE TABLE vault.provider (
    name                          text    NOT NULL CHECK (name OPERATOR(pg_catalog.<>) ''),
    builtin                       boolean NOT NULL DEFAULT false,
    display_name                  text,
    issuer                        text,

    -- endpoints: RFC 8414 names; templates with {placeholders}
    authorization_endpoint        text,
    token_endpoint                text    NOT NULL,
    refresh_endpoint              text,
    revocation_endpoint           text,
    introspection_endpoint        text,
    device_authorization_endpoint text,
    userinfo_endpoint             text,
    allowed_hosts                 text[]  NOT NULL DEFAULT '{}',

    -- what an application needs for the first consent
    grant_types                   text[]  NOT NULL DEFAULT '{authorization_code,refresh_token}',
    pkce                          text    NOT NULL DEFAULT 'unknown' CHECK (pkce OPERATOR(pg_catalog.=) ANY (ARRAY['required', 'S256', 'none', 'unknown'])),
    scope_separator               text    NOT NULL DEFAULT ' ' CHECK (scope_separator OPERATOR(pg_catalog.=) ANY (ARRAY[' ', ',', '+'])),
    authorization_parameters      jsonb   NOT NULL DEFAULT '{}' CHECK (pg_catalog.jsonb_typeof(authorization_parameters) OPERATOR(pg_catalog.=) 'object'),
    token_parameters              jsonb   NOT NULL DEFAULT '{}' CHECK (pg_catalog.jsonb_typeof(token_parameters) OPERATOR(pg_catalog.=) 'object'),
    placeholders                  text[]  NOT NULL DEFAULT '{}',

    -- how the client authenticates, and the shape of a refresh request
    token_endpoint_auth_method    text    NOT NULL DEFAULT 'client_secret_basic'
        CHECK (token_endpoint_auth_method OPERATOR(pg_catalog.=) ANY (ARRAY['client_secret_basic', 'client_secret_post', 'none'])),
    basic_username                text    NOT NULL DEFAULT '{client_id}',
    basic_password                text    NOT NULL DEFAULT '{client_secret}',
    basic_form_encoded            boolean NOT NULL DEFAULT true,
    public_clients                boolean NOT NULL DEFAULT false,
    token_request_method          text    NOT NULL DEFAULT 'POST' CHECK (token_request_method OPERATOR(pg_catalog.=) ANY (ARRAY['POST', 'GET'])),
    token_request_format          text    NOT NULL DEFAULT 'form' CHECK (token_request_format OPERATOR(pg_catalog.=) ANY (ARRAY['form', 'json', 'query'])),
    refresh_parameters            jsonb   NOT NULL DEFAULT '{}' CHECK (pg_catalog.jsonb_typeof(refresh_parameters) OPERATOR(pg_catalog.=) 'object'),
    refresh_query_parameters      jsonb   NOT NULL DEFAULT '{}' CHECK (pg_catalog.jsonb_typeof(refresh_query_parameters) OPERATOR(pg_catalog.=) 'object'),
    request_headers               jsonb   NOT NULL DEFAULT '{}' CHECK (pg_catalog.jsonb_typeof(request_headers) OPERATOR(pg_catalog.=) 'object'),
    revocation_parameters         jsonb   NOT NULL DEFAULT '{}' CHECK (pg_catalog.jsonb_typeof(revocation_parameters) OPERATOR(pg_catalog.=) 'object'),

    -- the shape of an answer
    response_objects              text[]  NOT NULL DEFAULT '{""}' CHECK (pg_catalog.cardinality(response_objects) OPERATOR(pg_catalog.>) 0),
    response_fields               jsonb   NOT NULL DEFAULT '{}' CHECK (pg_catalog.jsonb_typeof(response_fields) OPERATOR(pg_catalog.=) 'object'),
    expires_format                text    NOT NULL DEFAULT 'seconds'
        CHECK (expires_format OPERATOR(pg_catalog.=) ANY (ARRAY['seconds', 'minutes', 'milliseconds', 'duration', 'epoch', 'epoch_milliseconds', 'iso8601'])),
    zero_expires_means_never      boolean NOT NULL DEFAULT false,
    default_expires_in            bigint  CHECK (default_expires_in OPERATOR(pg_catalog.>) 0),
    error_fields                  jsonb   NOT NULL DEFAULT '{}' CHECK (pg_catalog.jsonb_typeof(error_fields) OPERATOR(pg_catalog.=) 'object'),
    success_condition             jsonb   CHECK (pg_catalog.jsonb_typeof(success_condition) OPERATOR(pg_catalog.=) 'object'),
    error_verdicts                jsonb   NOT NULL DEFAULT '{}' CHECK (pg_catalog.jsonb_typeof(error_verdicts) OPERATOR(pg_catalog.=) 'object'),

    -- how a grant lives
    refresh_credential            text    NOT NULL DEFAULT 'refresh_token'
        CHECK (refresh_credential OPERATOR(pg_catalog.=) ANY (ARRAY['refresh_token', 'access_token', 'client_credentials', 'none'])),
    refresh_extends_tokens        boolean NOT NULL DEFAULT false,
    rotates_refresh_token         text    NOT NULL DEFAULT 'unknown' CHECK (rotates_refresh_token OPERATOR(pg_catalog.=) ANY (ARRAY['yes', 'no', 'sometimes', 'unknown'])),
    replay_leeway_seconds         bigint  NOT NULL DEFAULT 0 CHECK (replay_leeway_seconds OPERATOR(pg_catalog.>=) 0),
    refresh_token_lifetime        bigint  CHECK (refresh_token_lifetime OPERATOR(pg_catalog.>) 0),
    grant_lifetime                bigint  CHECK (grant_lifetime OPERATOR(pg_catalog.>) 0),
    max_refresh_window_seconds    bigint  CHECK (max_refresh_window_seconds OPERATOR(pg_catalog.>) 0),

    -- what it can bear
    max_concurrent_requests       integer CHECK (max_concurrent_requests OPERATOR(pg_catalog.>) 0),
    rate_limit_requests           integer CHECK (rate_limit_requests OPERATOR(pg_catalog.>=) 1 AND rate_limit_requests OPERATOR(pg_catalog.<=) 100000),
    rate_limit_seconds            bigint  NOT NULL DEFAULT 60 CHECK (rate_limit_seconds OPERATOR(pg_catalog.>=) 1 AND rate_limit_seconds OPERATOR(pg_catalog.<=) 86400),

    notes                         text,
    PRIMARY KEY (name, builtin)
);
COMMENT ON TABLE vault.provider IS 'authorization servers and their quirks; see the view vault.providers';

SELECT pg_catalog.pg_extension_config_dump('vault.provider', 'WHERE NOT builtin');
/* </end connected objects> */

/* <begin connected objects> */
-- requires:
--   provider

-- What the columns of vault.provider mean.
COMMENT ON COLUMN vault.provider.name IS 'what tokens and clients refer to';
COMMENT ON COLUMN vault.provider.builtin IS 'shipped with the extension; a row of the same name with false overrides it';
COMMENT ON COLUMN vault.provider.issuer IS 'issuer identifier, where discovery is known (RFC 8414)';
COMMENT ON COLUMN vault.provider.token_endpoint IS 'URL template; {name} is filled from the client''s or the token''s metadata';
COMMENT ON COLUMN vault.provider.refresh_endpoint IS 'URL template, where a refresh does not use the token endpoint';
COMMENT ON COLUMN vault.provider.revocation_endpoint IS 'URL template (RFC 7009)';
COMMENT ON COLUMN vault.provider.allowed_hosts IS 'if not empty, the only hosts a filled-in URL may have; *.example.com stands for any subdomain';
COMMENT ON COLUMN vault.provider.pkce IS 'RFC 7636: required, S256 (works), none (do not send), unknown';
COMMENT ON COLUMN vault.provider.scope_separator IS 'joins scopes: space, comma or a literal plus';
COMMENT ON COLUMN vault.provider.authorization_parameters IS 'extra parameters of the authorization request, made by the application';
COMMENT ON COLUMN vault.provider.token_parameters IS 'extra parameters of the first exchange, made by the application';
COMMENT ON COLUMN vault.provider.placeholders IS 'names of all {placeholders} in URLs and parameters';
COMMENT ON COLUMN vault.provider.token_endpoint_auth_method IS 'client_secret_basic, client_secret_post or none (RFC 8414)';
COMMENT ON COLUMN vault.provider.basic_username IS 'template of the user name for client_secret_basic';
COMMENT ON COLUMN vault.provider.basic_password IS 'template of the password for client_secret_basic';
COMMENT ON COLUMN vault.provider.basic_form_encoded IS 'encode user name and password before Basic, as RFC 6749 section 2.3.1 says';
COMMENT ON COLUMN vault.provider.public_clients IS 'a client without secret authenticates as with none: client_id among the parameters (RFC 6749 section 3.2.1)';
COMMENT ON COLUMN vault.provider.token_request_method IS 'POST, or GET, which sends all parameters in the query';
COMMENT ON COLUMN vault.provider.token_request_format IS 'form, json or query';
COMMENT ON COLUMN vault.provider.refresh_parameters IS 'parameter name to template; null removes a default parameter';
COMMENT ON COLUMN vault.provider.refresh_query_parameters IS 'the same, for the URL''s query';
COMMENT ON COLUMN vault.provider.request_headers IS 'header name to template; null removes a default header';
COMMENT ON COLUMN vault.provider.revocation_parameters IS 'like refresh_parameters, for a revocation';
COMMENT ON COLUMN vault.provider.response_objects IS 'JSON pointers (RFC 6901) of the objects that may hold the token, tried in order';
COMMENT ON COLUMN vault.provider.response_fields IS 'RFC 6749 field name to JSON pointer, or array of pointers, within that object';
COMMENT ON COLUMN vault.provider.expires_format IS 'unit or format of the expiry in the answer';
COMMENT ON COLUMN vault.provider.zero_expires_means_never IS 'an expires_in of 0 means that the token does not expire';
COMMENT ON COLUMN vault.provider.default_expires_in IS 'seconds, where the answer does not say; NULL: then the token is taken not to expire';
COMMENT ON COLUMN vault.provider.error_fields IS 'JSON pointers of "error" and "error_description"';
COMMENT ON COLUMN vault.provider.success_condition IS '{"pointer": ..., "equals": ...}: an answer where the pointer exists and differs is an error whatever its HTTP status';
COMMENT ON COLUMN vault.provider.error_verdicts IS 'error code or phrase to transient, grant_dead, client_broken or misconfigured';
COMMENT ON COLUMN vault.provider.refresh_credential IS 'what a refresh presents: refresh_token, access_token, client_credentials, or none (never refreshed)';
COMMENT ON COLUMN vault.provider.refresh_extends_tokens IS 'a success without access_token prolongs the stored tokens';
COMMENT ON COLUMN vault.provider.rotates_refresh_token IS 'whether a refresh replaces the refresh token: yes, no, sometimes, unknown';
COMMENT ON COLUMN vault.provider.replay_leeway_seconds IS 'how long the previous refresh token may be repeated after a rotation';
COMMENT ON COLUMN vault.provider.refresh_token_lifetime IS 'seconds of disuse after which the refresh token dies';
COMMENT ON COLUMN vault.provider.grant_lifetime IS 'seconds after consent at which the grant ends regardless of use';
COMMENT ON COLUMN vault.provider.max_refresh_window_seconds IS 'a refresh earlier than this before expiry is refused';
COMMENT ON COLUMN vault.provider.max_concurrent_requests IS 'at most so many requests are under way at once; NULL: token_vault.connections is the only limit';
COMMENT ON COLUMN vault.provider.rate_limit_requests IS 'at most so many requests in any rate_limit_seconds; NULL: no limit';
COMMENT ON COLUMN vault.provider.rate_limit_seconds IS 'the period that rate_limit_requests counts in';
COMMENT ON COLUMN vault.provider.notes IS 'facts that are not data: for people';
/* </end connected objects> */

/* <begin connected objects> */
-- requires:
--   provider_comments

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
/* </end connected objects> */

/* <begin connected objects> */
-- requires:
--   catalogue

-- Our registrations at the providers (RFC 6749 section 2).

CREATE TABLE vault.client (
    id           bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant       text,       -- NULL: shared by all tenants
    name         text        NOT NULL,
    provider     text        NOT NULL,
    client_id    text        NOT NULL,
    scope        text,
    redirect_uri text,
    metadata     jsonb       NOT NULL DEFAULT '{}' CHECK (pg_catalog.jsonb_typeof(metadata) OPERATOR(pg_catalog.=) 'object'),
    active       boolean     NOT NULL DEFAULT true,
    refresh_policy          text    NOT NULL DEFAULT 'always' CHECK (refresh_policy OPERATOR(pg_catalog.=) ANY (ARRAY['always', 'on_use', 'never'])),
    max_concurrent_requests integer CHECK (max_concurrent_requests OPERATOR(pg_catalog.>) 0),
    rate_limit_requests     integer CHECK (rate_limit_requests OPERATOR(pg_catalog.>=) 1 AND rate_limit_requests OPERATOR(pg_catalog.<=) 100000),
    rate_limit_seconds      bigint  NOT NULL DEFAULT 60 CHECK (rate_limit_seconds OPERATOR(pg_catalog.>=) 1 AND rate_limit_seconds OPERATOR(pg_catalog.<=) 86400),
    broken_since timestamptz, -- the provider refuses the client; NULL: it does not, as far as is known
    broken_error text,        -- a code, never the provider's text
    created_at   timestamptz NOT NULL DEFAULT pg_catalog.statement_timestamp(),
    updated_at   timestamptz NOT NULL DEFAULT pg_catalog.statement_timestamp(),
    UNIQUE NULLS NOT DISTINCT (tenant, name)
);
COMMENT ON TABLE vault.client IS 'OAuth clients: our registrations at the providers';
COMMENT ON COLUMN vault.client.metadata IS 'workspace metadata; also fills placeholders in the provider''s URLs and parameters';
COMMENT ON COLUMN vault.client.refresh_policy IS 'always: before a token expires; on_use: only if it was used since it was issued; never';
COMMENT ON COLUMN vault.client.max_concurrent_requests IS 'at most so many requests of this client are under way at once, besides the provider''s limit; NULL: no limit';
COMMENT ON COLUMN vault.client.rate_limit_requests IS 'at most so many requests of this client in any rate_limit_seconds; NULL: no limit';
CREATE INDEX client_provider ON vault.client (provider, tenant);

-- A client has an ordered list of secrets: while one is being replaced at the provider, the next is tried.
CREATE TABLE vault.client_secret (
    client        bigint      NOT NULL REFERENCES vault.client (id) ON DELETE CASCADE,
    position      integer     NOT NULL,
    client_secret bytea       NOT NULL, -- envelope
    created_at    timestamptz NOT NULL DEFAULT pg_catalog.statement_timestamp(),
    PRIMARY KEY (client, position)
);
COMMENT ON TABLE vault.client_secret IS 'client secrets, encrypted, tried in order of position';

SELECT pg_catalog.pg_extension_config_dump('vault.client', '');
SELECT pg_catalog.pg_extension_config_dump('vault.client_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('vault.client_secret', '');
/* </end connected objects> */

/* <begin connected objects> */
-- requires:
--   client

-- No CHECK here and below: the server reads its expression anew for each statement, which takes as long as the rest of a
-- small one, and only the vault's own statements write these tables.

-- One row for each (tenant, provider, subject, label). No column that a refresh changes is indexed, and
-- two ciphertexts of 1.2 kB stay inline: updates of this wide row are HOT and reads need no TOAST.

CREATE TABLE vault.token (
    id               bigint      GENERATED ALWAYS AS IDENTITY UNIQUE,
    generation       bigint      NOT NULL DEFAULT 1, -- grows with every change of the credentials
    issued_at        timestamptz NOT NULL,
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL,
    expires_at       timestamptz,                    -- NULL: not known to expire
    refresh_after    timestamptz,                    -- when the refresh window opens; NULL: never refreshed
    state            text        NOT NULL DEFAULT 'active', -- or 'reauthorization_required'
    access_token     bytea       NOT NULL,           -- envelope
    tenant           text        NOT NULL,
    provider         text        NOT NULL,
    subject          text        NOT NULL,
    label            text        NOT NULL DEFAULT '',
    client           bigint      REFERENCES vault.client (id),
    refresh_token    bytea,                          -- envelope
    id_token         bytea,                          -- envelope
    token_type       text,
    scope            text,
    refresh_token_expires_at timestamptz,
    refreshed_at     timestamptz,
    last_error       text,                           -- a code, never the provider's text
    last_error_at    timestamptz,
    metadata         jsonb       NOT NULL DEFAULT '{}',
    response         jsonb       NOT NULL DEFAULT '{}',
    authorized_at    timestamptz NOT NULL,           -- when the refresh token was stored, not refreshed
    refresh_policy   text,                           -- always, on_use or never; NULL: the client's
    unread_answer    bytea,                          -- envelope: an answer that could not be understood
    PRIMARY KEY (tenant, provider, subject, label)
) WITH (toast_tuple_target = 8160, fillfactor = 70);
ALTER TABLE vault.token
    ALTER COLUMN access_token  SET STORAGE MAIN, ALTER COLUMN access_token  SET STATISTICS 0,
    ALTER COLUMN refresh_token SET STORAGE MAIN, ALTER COLUMN refresh_token SET STATISTICS 0,
    ALTER COLUMN id_token      SET STORAGE EXTERNAL, ALTER COLUMN id_token  SET STATISTICS 0,
    ALTER COLUMN unread_answer SET STORAGE EXTERNAL, ALTER COLUMN unread_answer SET STATISTICS 0;
COMMENT ON TABLE vault.token IS 'the tokens that providers issued, encrypted';
COMMENT ON COLUMN vault.token.generation IS 'an answer of the provider is applied only to the generation it was asked for';
COMMENT ON COLUMN vault.token.metadata IS 'connection metadata of the application: ip_address, user_agent and whatever it adds';
COMMENT ON COLUMN vault.token.response IS 'what the provider''s answer carried beside the credentials (instance_url, api_domain, ...)';

COMMENT ON COLUMN vault.token.unread_answer IS 'a provider''s answer that was not understood and may hold a rotated refresh token: read again with the provider''s row as it is then';

CREATE INDEX token_subject ON vault.token (tenant, subject);
CREATE INDEX token_client ON vault.token (client);
CREATE INDEX token_unread_answer ON vault.token (provider) WHERE unread_answer IS NOT NULL;
-- What needs a person is found without reading all tokens. A refresh does not change the state, so updates stay HOT.
CREATE INDEX token_state ON vault.token (state) WHERE state OPERATOR(pg_catalog.<>) 'active';

-- When each token is refreshed, and the intent of a request that is, or may be, under way. Narrow, so that
-- finding what is due costs the same whatever the number of tokens. The tokens of one provider, client and
-- tenant wait in one lane, and the lanes take turns: the upper bits of its number are a hash of provider and
-- client, the lower 16 one of the tenant (see store::schedule).
CREATE TABLE vault.refresh_schedule (
    token              bigint      NOT NULL PRIMARY KEY REFERENCES vault.token (id) ON DELETE CASCADE,
    lane               bigint      NOT NULL,
    due_at             timestamptz NOT NULL,
    failures           integer     NOT NULL DEFAULT 0,
    attempt            bigint,      -- set before a request is sent, cleared with its outcome; so are the other two
    attempt_generation bigint,      -- the generation the request was made with
    attempted_at       timestamptz
) WITH (fillfactor = 70);
COMMENT ON TABLE vault.refresh_schedule IS 'when each token is due for its refresh, and the attempt under way';
CREATE INDEX refresh_schedule_due ON vault.refresh_schedule (lane, due_at);
CREATE SEQUENCE vault.refresh_attempt;
COMMENT ON SEQUENCE vault.refresh_attempt IS 'numbers the requests to providers; shown in log and errors';

-- Written in batches by the worker, not by the readers.
CREATE TABLE vault.token_usage (
    token        bigint      NOT NULL PRIMARY KEY REFERENCES vault.token (id) ON DELETE CASCADE,
    last_used_at timestamptz NOT NULL,
    reads        bigint      NOT NULL
) WITH (fillfactor = 50);
COMMENT ON TABLE vault.token_usage IS 'when each token was last handed out, and how often';

SELECT pg_catalog.pg_extension_config_dump('vault.token', '');
SELECT pg_catalog.pg_extension_config_dump('vault.token_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('vault.refresh_schedule', '');
SELECT pg_catalog.pg_extension_config_dump('vault.refresh_attempt', '');
SELECT pg_catalog.pg_extension_config_dump('vault.token_usage', '');
/* </end connected objects> */

/* <begin connected objects> */
-- requires:
--   token

-- Who may do what. Roles are kept by name: a rule for a role that does not exist (a restored dump) is inert.

CREATE TABLE vault.access_rule (
    role       text        NOT NULL,
    tenant     text        NOT NULL DEFAULT '*', -- patterns: * is any text, \ takes the next character as it is
    provider   text        NOT NULL DEFAULT '*',
    subject    text        NOT NULL DEFAULT '*',
    privileges text[]      NOT NULL
        CHECK (privileges OPERATOR(pg_catalog.<@) ARRAY['read', 'write', 'refresh', 'export', 'restore', 'admin'] AND pg_catalog.cardinality(privileges) OPERATOR(pg_catalog.>) 0),
    granted_by text        NOT NULL,
    granted_at timestamptz NOT NULL DEFAULT pg_catalog.statement_timestamp(),
    PRIMARY KEY (role, tenant, provider, subject)
);
COMMENT ON TABLE vault.access_rule IS 'privileges on the vault, by role, for what the patterns reach';

SELECT pg_catalog.pg_extension_config_dump('vault.access_rule', '');

-- Whose signatures let a session enter a tenant. Public keys only: nothing here is secret.
CREATE TABLE vault.tenant_authority (
    name       text        NOT NULL PRIMARY KEY,
    public_key bytea       NOT NULL CHECK (pg_catalog.octet_length(public_key) OPERATOR(pg_catalog.=) 32),
    added_by   text        NOT NULL,
    added_at   timestamptz NOT NULL DEFAULT pg_catalog.statement_timestamp()
);
COMMENT ON TABLE vault.tenant_authority IS 'Ed25519 public keys (RFC 8032) of those who prove that a session may act for a tenant';

SELECT pg_catalog.pg_extension_config_dump('vault.tenant_authority', '');
/* </end connected objects> */

/* <begin connected objects> */
-- requires:
--   access
--   sqlfn::reencryption::key_usage
--   sqlfn::visibility::can_see
--   sqlfn::visibility::can_see_all
--   sqlfn::visibility::can_administer
--   sqlfn::visibility::can_grant

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
/* </end connected objects> */

/* <begin connected objects> */
-- requires:
--   views

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
/* </end connected objects> */

/* <begin connected objects> */
-- requires:
--   attention
--   sqlfn::visibility::can_administer

-- Re-encryption: after a key was rotated, every value that is sealed with an older key is sealed again.

-- The job: one row, once there was one. Not dumped: a restored vault begins anew.
CREATE TABLE vault.reencryption_job (
    singleton      boolean     NOT NULL DEFAULT true PRIMARY KEY CHECK (singleton),
    state          text        NOT NULL DEFAULT 'running' CHECK (state OPERATOR(pg_catalog.=) ANY (ARRAY['running', 'paused', 'done'])),
    started_at     timestamptz NOT NULL DEFAULT pg_catalog.statement_timestamp(),
    updated_at     timestamptz NOT NULL DEFAULT pg_catalog.statement_timestamp(),
    finished_at    timestamptz,
    total          bigint,                          -- NULL: not counted yet
    done           bigint      NOT NULL DEFAULT 0,
    pass           integer     NOT NULL DEFAULT 0,  -- what was locked, or moved behind the cursor, needs another one
    stage          text        NOT NULL DEFAULT 'counting' CHECK (stage OPERATOR(pg_catalog.=) ANY (ARRAY['counting', 'tokens', 'client secrets', 'columns'])),
    relation       oid,                             -- a user's table
    position       bigint      NOT NULL DEFAULT 0,  -- token id, client id, or place in that table
    resealed       bigint      NOT NULL DEFAULT 0,  -- in this pass
    problems       bigint      NOT NULL DEFAULT 0,  -- in this pass
    problem        text,
    run_started_at timestamptz NOT NULL DEFAULT pg_catalog.statement_timestamp(), -- since then one process is at work
    run_done       bigint      NOT NULL DEFAULT 0,
    searched_at    timestamptz,                     -- when values of retired keys were last looked for
    search_took    interval    NOT NULL DEFAULT '0'
) WITH (fillfactor = 50);
COMMENT ON TABLE vault.reencryption_job IS 'how far re-encryption is, with the place where it goes on after a crash';
COMMENT ON COLUMN vault.reencryption_job.problem IS 'the last value or table that was left as it is; names only, never data';

CREATE VIEW vault.reencryption WITH (security_barrier) AS
SELECT j.state, j.started_at, j.updated_at, j.finished_at, j.total, j.done,
       GREATEST(j.total OPERATOR(pg_catalog.-) j.done, 0) AS remaining,
       CASE WHEN j.total OPERATOR(pg_catalog.=) 0 THEN 100.0
            ELSE pg_catalog.round(100.0 OPERATOR(pg_catalog.*) j.done OPERATOR(pg_catalog./) j.total, 1) END AS percent,
       r.rate,
       CASE WHEN j.state OPERATOR(pg_catalog.=) 'running' AND r.rate OPERATOR(pg_catalog.>) 0
            THEN j.updated_at OPERATOR(pg_catalog.+) pg_catalog.make_interval(
                secs => ((j.total OPERATOR(pg_catalog.-) j.done) OPERATOR(pg_catalog./) r.rate)::double precision) END AS estimated_end,
       CASE WHEN j.state OPERATOR(pg_catalog.=) 'done' THEN NULL
            WHEN j.stage OPERATOR(pg_catalog.=) 'tokens' THEN 'vault.token'
            WHEN j.stage OPERATOR(pg_catalog.=) 'client secrets' THEN 'vault.client_secret'
            ELSE j.relation::pg_catalog.regclass::pg_catalog.text END AS relation,
       j.problems, j.problem
FROM vault.reencryption_job AS j
CROSS JOIN LATERAL (SELECT
       CASE WHEN j.updated_at OPERATOR(pg_catalog.>) j.run_started_at
            THEN pg_catalog.round((j.done OPERATOR(pg_catalog.-) j.run_done)
                 OPERATOR(pg_catalog./) EXTRACT(epoch FROM j.updated_at OPERATOR(pg_catalog.-) j.run_started_at), 1) END AS rate) AS r
WHERE vault.can_administer();
COMMENT ON VIEW vault.reencryption IS 'how far re-encryption is; empty while there never was any';

CREATE PROCEDURE vault.reencrypt(batch_size integer DEFAULT 500)
LANGUAGE c AS 'MODULE_PATHNAME', 'token_vault_reencrypt';
/* </end connected objects> */

/* <begin connected objects> */
-- requires:
--   reencryption
--   sqlfn::audit::audit_entries
--   sqlfn::visibility::can_see
--   sqlfn::visibility::can_see_all

-- The audit log: entries with a place in the chain and a code (HMAC) over what they say and the code before them. What a
-- transaction writes waits until it has committed and is then sealed, many at a time.

-- Without index, check and partition, because every change of a token writes a row here: vault.audit_entries() reads it.
CREATE TABLE vault.audit_unsealed (
    entries bytea NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000);
ALTER TABLE vault.audit_unsealed ALTER COLUMN entries SET STORAGE EXTERNAL;
COMMENT ON TABLE vault.audit_unsealed IS 'entries of the audit log that are not sealed yet';
SELECT pg_catalog.pg_extension_config_dump('vault.audit_unsealed', '');

CREATE TABLE vault.audit_entry (
    at               timestamptz NOT NULL,
    event            text        NOT NULL,
    login_role       text,
    role             text,
    application_name text,
    client_address   text,
    tenant           text,
    provider         text,
    subject          text,
    label            text,
    reason           text,
    detail           jsonb,
    position         bigint      NOT NULL,
    mac              bytea       NOT NULL,
    batch            bytea        -- many entries at one place: vault.audit_entries() shows them
) PARTITION BY RANGE (at);
ALTER TABLE vault.audit_entry ALTER COLUMN batch SET STORAGE EXTERNAL; -- to compress it takes longer than to write it
COMMENT ON TABLE vault.audit_entry IS 'who did what, when, about which token; never a value';

-- What falls into no month that was made ahead: no insert ever fails.
CREATE TABLE vault.audit_entry_default PARTITION OF vault.audit_entry DEFAULT;

-- Each partition has indexes of its own. With indexes on the whole table, a dump could not be restored: it would make those
-- of the later partitions a second time.
CREATE INDEX audit_entry_default_position ON vault.audit_entry_default (position);
COMMENT ON TABLE vault.audit_entry_default IS 'entries of months that have no partition of their own';
SELECT pg_catalog.pg_extension_config_dump('vault.audit_entry_default', '');

CREATE TABLE vault.audit_chain (
    singleton boolean NOT NULL DEFAULT true PRIMARY KEY CHECK (singleton),
    key       bigint  NOT NULL, -- of vault.key
    position  bigint  NOT NULL, -- of the last sealed entry
    mac       bytea   NOT NULL
) WITH (fillfactor = 50);
COMMENT ON TABLE vault.audit_chain IS 'the end of the chain of audit entries';
SELECT pg_catalog.pg_extension_config_dump('vault.audit_chain', '');

CREATE TABLE vault.audit_cut (
    first_position bigint      NOT NULL PRIMARY KEY,
    last_position  bigint      NOT NULL CHECK (last_position OPERATOR(pg_catalog.>=) first_position),
    last_mac       bytea       NOT NULL,
    seal           bytea       NOT NULL,
    cut_at         timestamptz NOT NULL DEFAULT pg_catalog.statement_timestamp()
);
COMMENT ON TABLE vault.audit_cut IS 'runs of entries that were dropped because they were old, so that the rest can be verified';
SELECT pg_catalog.pg_extension_config_dump('vault.audit_cut', '');

-- Not dumped: about this server's memory.
CREATE TABLE vault.audit_run (
    singleton boolean     NOT NULL DEFAULT true PRIMARY KEY CHECK (singleton),
    epoch     bigint      NOT NULL, -- of the shared memory that reads were noted in
    is_closed boolean     NOT NULL, -- everything that was noted there is written
    since     timestamptz NOT NULL
);
COMMENT ON TABLE vault.audit_run IS 'whether entries that were only in memory may have been lost in a crash';

CREATE VIEW vault.audit_log WITH (security_barrier) AS
SELECT e.at, e.event, e.login_role, e.role, e.application_name, e.client_address, e.tenant, e.provider, e.subject, e.label,
       e.reason, e.detail, e.position, e.mac
FROM (SELECT at, event, login_role, role, application_name, client_address, tenant, provider, subject, label, reason, detail,
             position, pg_catalog.encode(mac, 'hex') AS mac
      FROM vault.audit_entry WHERE batch IS NULL
      UNION ALL
      SELECT b.at, b.event, b.login_role, b.role, b.application_name, b.client_address, b.tenant, b.provider, b.subject, b.label,
             b.reason, b.detail::pg_catalog.jsonb, a.position, pg_catalog.encode(a.mac, 'hex')
      FROM vault.audit_entry AS a, vault.audit_entries(a.batch) AS b WHERE a.batch IS NOT NULL
      UNION ALL
      SELECT b.at, b.event, b.login_role, b.role, b.application_name, b.client_address, b.tenant, b.provider, b.subject, b.label,
             b.reason, b.detail::pg_catalog.jsonb, NULL, NULL
      FROM vault.audit_unsealed AS u, vault.audit_entries(u.entries) AS b) AS e
WHERE (SELECT vault.can_see_all()) OR vault.can_see(e.tenant, e.provider, e.subject);
COMMENT ON VIEW vault.audit_log IS 'the audit log, as far as the role may read or administer what the entries are about';
COMMENT ON COLUMN vault.audit_log.position IS 'place in the chain, which many entries at the same time share; NULL: not sealed yet';
/* </end connected objects> */

/* <begin connected objects> */
-- requires:
--   audit
--   sqlfn::access::grant_access
--   sqlfn::access::revoke_access
--   sqlfn::visibility::role_can
--   sqlfn::tenant::enter_tenant
--   sqlfn::tenant::add_tenant_authority
--   sqlfn::tenant::drop_tenant_authority
--   sqlfn::export::export_token_set
--   sqlfn::export::export_client_secrets
--   sqlfn::audit::audit_seal
--   sqlfn::audit::audit_head
--   sqlfn::audit::audit_verify
--   sqlfn::client::register_client
--   sqlfn::client::add_client_secret
--   sqlfn::client::drop_client_secrets
--   sqlfn::client::enable_client
--   sqlfn::client::disable_client
--   sqlfn::client::drop_client
--   sqlfn::installation::adopt_installation
--   sqlfn::installation::status
--   sqlfn::key::create_master_key
--   sqlfn::key::rotate_key
--   sqlfn::key::create_tenant_key
--   sqlfn::key::rotate_master_key
--   sqlfn::key::shred_tenant
--   sqlfn::provider::register_provider
--   sqlfn::provider::drop_provider
--   sqlfn::reencryption::pause_reencryption
--   sqlfn::reencryption::resume_reencryption
--   sqlfn::reencryption::key_usage
--   sqlfn::reencryption::bytes_key
--   sqlfn::reencryption::secret_key
--   sqlfn::reencryption::is_current
--   sqlfn::refresh::refresh_token
--   sqlfn::refresh::refresh_due
--   sqlfn::refresh::set_refresh_policy
--   sqlfn::token_delete::delete_token
--   sqlfn::token_delete::delete_subject
--   sqlfn::token_delete::delete_tenant
--   sqlfn::token_read::get_token
--   sqlfn::token_read::authorization_header
--   sqlfn::token_read::get_token_set
--   sqlfn::token_read::has_token
--   sqlfn::token_read::is_valid
--   sqlfn::token_read::token_status
--   sqlfn::token_store::store_token
--   sqlfn::token_store::store_token_response
--   sqlfn::verification::verify
--   sqltype::secret::functions::seal
--   sqltype::secret::functions::reveal

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
/* </end connected objects> */

/* <begin connected objects> */
-- finalize
-- The last part of the script: nothing is open to PUBLIC, nor to a role that default privileges (ALTER DEFAULT
-- PRIVILEGES) give rights on whatever is created. Who could write vault.access_rule could grant itself everything.
-- Row types too: a table with a column of one would block every later change of ours.
DO $$
DECLARE
    everybody text;
    kind text;
    type_name text;
BEGIN
    SELECT pg_catalog.concat_ws(', ', 'PUBLIC', pg_catalog.string_agg(DISTINCT pg_catalog.quote_ident(r.rolname), ', ')) INTO everybody
    FROM (SELECT relacl AS acl FROM pg_catalog.pg_class WHERE relnamespace OPERATOR(pg_catalog.=) 'vault'::pg_catalog.regnamespace
          UNION ALL SELECT proacl FROM pg_catalog.pg_proc WHERE pronamespace OPERATOR(pg_catalog.=) 'vault'::pg_catalog.regnamespace
          UNION ALL SELECT typacl FROM pg_catalog.pg_type WHERE typnamespace OPERATOR(pg_catalog.=) 'vault'::pg_catalog.regnamespace
          UNION ALL SELECT nspacl FROM pg_catalog.pg_namespace WHERE nspname OPERATOR(pg_catalog.=) 'vault') AS o
         CROSS JOIN LATERAL pg_catalog.aclexplode(o.acl) AS a
         JOIN pg_catalog.pg_roles AS r ON r.oid OPERATOR(pg_catalog.=) a.grantee
    WHERE r.rolname OPERATOR(pg_catalog.<>) CURRENT_USER;

    FOREACH kind IN ARRAY ARRAY['ALL TABLES IN SCHEMA', 'ALL SEQUENCES IN SCHEMA', 'ALL ROUTINES IN SCHEMA', 'SCHEMA'] LOOP
        EXECUTE pg_catalog.format('REVOKE ALL ON %s vault FROM %s', kind, everybody);
    END LOOP;
    FOR type_name IN
        SELECT pg_catalog.format('%I.%I', n.nspname, t.typname)
        FROM pg_catalog.pg_type AS t JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) t.typnamespace
        -- Not those of the tables' rows: who may use them gets nothing, and pg_dump would warn of each.
        WHERE n.nspname OPERATOR(pg_catalog.=) 'vault' AND t.typelem OPERATOR(pg_catalog.=) 0
          AND t.typrelid OPERATOR(pg_catalog.=) 0
    LOOP
        EXECUTE pg_catalog.format('REVOKE ALL ON TYPE %s FROM %s', type_name, everybody);
    END LOOP;
END
$$;
/* </end connected objects> */
