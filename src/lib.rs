//! OAuth tokens and other credentials, encrypted inside PostgreSQL and kept fresh by it.
//!
//! Directions: `sqlfn`, `sqltype`, `worker` → `store` → `pg`; all of them use the packages
//! `token_vault_core` (no PostgreSQL, no I/O, no clock) and `worker` uses `token_vault_http`. Nothing points
//! back. `docs/architecture.md` is the map.

use pgrx::prelude::*;
use pgrx::{extension_sql_file, pg_shmem_init};
use store::audit::buffer::{BUFFER, Book};
use store::limit::{COUNTED, Counters};
use store::master_key::CACHE;
use worker::board::BOARD;
use worker::usage::USAGE;

mod clean_log;
mod error;
mod pg;
mod sqlfn;
mod sqltype;
mod store;
mod worker;

#[cfg(any(test, feature = "pg_test"))]
#[path = "../pg_test/mod.rs"]
pub mod pg_test;

pgrx::pg_module_magic!(name, version);

#[global_allocator]
static ALLOCATOR: pg::allocator::Wiping = pg::allocator::Wiping;

/// The schema of every object. bootstrap.sql makes it, after looking whether somebody else has it; the generated
/// `CREATE SCHEMA IF NOT EXISTS` accepts only a schema of this extension.
#[pg_schema]
mod vault {}

// The install script: hand-written files around the generated signatures, in this order. Each file requires the one before
// it, so that the order is the same in every build; scripts/order-script.awk puts the functions between them in order.
extension_sql_file!("../sql/bootstrap.sql", name = "bootstrap", bootstrap);
extension_sql_file!(
    "../sql/secret_shell.sql",
    name = "secret_shell",
    requires = ["bootstrap"]
);
extension_sql_file!(
    "../sql/secret.sql",
    name = "secret_type",
    creates = [Type(pg::secret_datum::Secret)],
    requires = [
        "secret_shell",
        sqltype::secret::text::secret_in,
        sqltype::secret::text::secret_out,
        sqltype::secret::text::secret_from_text,
        sqltype::secret::binary::secret_recv,
        sqltype::secret::binary::secret_send
    ]
);
extension_sql_file!(
    "../sql/installation.sql",
    name = "installation",
    requires = ["secret_type"]
);
extension_sql_file!("../sql/key.sql", name = "key", requires = ["installation"]);
extension_sql_file!("../sql/provider.sql", name = "provider", requires = ["key"]);
extension_sql_file!(
    "../sql/provider_comments.sql",
    name = "provider_comments",
    requires = ["provider"]
);
extension_sql_file!(
    "../sql/catalogue.sql",
    name = "catalogue",
    requires = ["provider_comments"]
);
extension_sql_file!(
    "../sql/client.sql",
    name = "client",
    requires = ["catalogue"]
);
extension_sql_file!("../sql/token.sql", name = "token", requires = ["client"]);
extension_sql_file!("../sql/access.sql", name = "access", requires = ["token"]);
extension_sql_file!(
    "../sql/views.sql",
    name = "views",
    requires = [
        "access",
        sqlfn::reencryption::key_usage,
        sqlfn::visibility::can_see,
        sqlfn::visibility::can_see_all,
        sqlfn::visibility::can_administer,
        sqlfn::visibility::can_grant
    ]
);
extension_sql_file!(
    "../sql/attention.sql",
    name = "attention",
    requires = ["views"]
);
extension_sql_file!(
    "../sql/reencryption.sql",
    name = "reencryption",
    requires = ["attention", sqlfn::visibility::can_administer]
);
extension_sql_file!(
    "../sql/audit.sql",
    name = "audit",
    requires = [
        "reencryption",
        sqlfn::audit::audit_entries,
        sqlfn::visibility::can_see,
        sqlfn::visibility::can_see_all
    ]
);
extension_sql_file!(
    "../sql/comments.sql",
    name = "comments",
    requires = [
        "audit",
        sqlfn::access::grant_access,
        sqlfn::access::revoke_access,
        sqlfn::visibility::role_can,
        sqlfn::tenant::enter_tenant,
        sqlfn::tenant::add_tenant_authority,
        sqlfn::tenant::drop_tenant_authority,
        sqlfn::export::export_token_set,
        sqlfn::export::export_client_secrets,
        sqlfn::audit::audit_seal,
        sqlfn::audit::audit_head,
        sqlfn::audit::audit_verify,
        sqlfn::client::register_client,
        sqlfn::client::add_client_secret,
        sqlfn::client::drop_client_secrets,
        sqlfn::client::enable_client,
        sqlfn::client::disable_client,
        sqlfn::client::drop_client,
        sqlfn::installation::adopt_installation,
        sqlfn::installation::status,
        sqlfn::key::create_master_key,
        sqlfn::key::rotate_key,
        sqlfn::key::create_tenant_key,
        sqlfn::key::rotate_master_key,
        sqlfn::key::shred_tenant,
        sqlfn::provider::register_provider,
        sqlfn::provider::drop_provider,
        sqlfn::reencryption::pause_reencryption,
        sqlfn::reencryption::resume_reencryption,
        sqlfn::reencryption::key_usage,
        sqlfn::reencryption::bytes_key,
        sqlfn::reencryption::secret_key,
        sqlfn::reencryption::is_current,
        sqlfn::refresh::refresh_token,
        sqlfn::refresh::refresh_due,
        sqlfn::refresh::set_refresh_policy,
        sqlfn::token_batch::get_tokens,
        sqlfn::token_delete::delete_token,
        sqlfn::token_delete::delete_subject,
        sqlfn::token_delete::delete_tenant,
        sqlfn::token_read::get_token,
        sqlfn::token_read::authorization_header,
        sqlfn::token_read::get_token_set,
        sqlfn::token_read::has_token,
        sqlfn::token_read::is_valid,
        sqlfn::token_read::token_status,
        sqlfn::token_store::store_token,
        sqlfn::token_store::store_token_response,
        sqlfn::verification::verify,
        sqltype::secret::functions::seal,
        sqltype::secret::functions::reveal
    ]
);
extension_sql_file!("../sql/finalize.sql", name = "finalize", finalize);

/// Called when the library is loaded: by the postmaster if it is preloaded, else by the first session
/// that uses it.
#[pg_guard]
pub extern "C-unwind" fn _PG_init() {
    pg::settings::define();
    pg::fault::announce();
    clean_log::start(&sqlfn::WITH_SECRETS);
    if !pg::server::is_preloading() {
        return;
    }
    pg_shmem_init!(BOARD = worker::board::Board::EMPTY.into());
    pg_shmem_init!(USAGE = worker::usage::Usage::EMPTY.into());
    pg_shmem_init!(BUFFER = Book::new().into());
    pg_shmem_init!(COUNTED = Counters::none().into());
    pg_shmem_init!(CACHE = store::master_key::Cache::EMPTY.into());
    store::audit::buffer::on_missing_writer(worker::board::require_refresher);
    store::master_key::prepare();
    pg::shmem::set_preloaded();
    // While pg_upgrade carries a vault over, half of it is there: nobody may work with it.
    if !pg::server::is_upgrading() {
        pg::background::register("token_vault launcher", "token_vault_launcher");
    }
    pg::utility::watch(worker::departure::CONCERNS);
}

/// Main function of the launcher.
#[pg_guard]
#[unsafe(no_mangle)]
pub extern "C-unwind" fn token_vault_launcher(_argument: pg_sys::Datum) {
    worker::launcher::run();
}

/// Main function of a database's standing refresher.
#[pg_guard]
#[unsafe(no_mangle)]
pub extern "C-unwind" fn token_vault_refresher(database: pg_sys::Datum) {
    worker::process::run_standing(pg_sys::Oid::from(database.value() as u32));
}

/// Main function of a refresher that a session has started for itself.
#[pg_guard]
#[unsafe(no_mangle)]
pub extern "C-unwind" fn token_vault_errand(database: pg_sys::Datum) {
    worker::process::run_errand(pg_sys::Oid::from(database.value() as u32));
}

/// Main function of a database's custodian.
#[pg_guard]
#[unsafe(no_mangle)]
pub extern "C-unwind" fn token_vault_custodian(database: pg_sys::Datum) {
    worker::custodian::run(pg_sys::Oid::from(database.value() as u32));
}

/// The procedure `vault.reencrypt`.
#[pg_guard]
#[unsafe(no_mangle)]
pub extern "C-unwind" fn token_vault_reencrypt(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    pg::procedure::run(call, sqlfn::reencryption::reencrypt)
}

/// PostgreSQL asks for this one before it calls the procedure.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn pg_finfo_token_vault_reencrypt() -> &'static pg_sys::Pg_finfo_record {
    &pg::procedure::CONVENTION
}
