//! The settings `token_vault.*`. A key is never the value of a setting: settings say where to find it.

use std::ffi::{CStr, CString};
use std::path::PathBuf;
use std::time::Duration;

use pgrx::guc::{GucContext, GucFlags, GucRegistry, GucSetting};
use pgrx::pg_sys;

use super::tenant;

static MASTER_KEY_FILE: GucSetting<Option<CString>> = GucSetting::<Option<CString>>::new(None);
static MASTER_KEY_COMMAND: GucSetting<Option<CString>> = GucSetting::<Option<CString>>::new(None);
static PREVIOUS_MASTER_KEY_FILE: GucSetting<Option<CString>> =
    GucSetting::<Option<CString>>::new(None);
static PREVIOUS_MASTER_KEY_COMMAND: GucSetting<Option<CString>> =
    GucSetting::<Option<CString>>::new(None);
static MASTER_KEY_TIMEOUT: GucSetting<i32> = GucSetting::<i32>::new(10_000);
static KEY_ROTATION_INTERVAL: GucSetting<i32> = GucSetting::<i32>::new(0);
static KEY_RETENTION: GucSetting<i32> = GucSetting::<i32>::new(0);
static TENANT: GucSetting<Option<CString>> = GucSetting::<Option<CString>>::new(None);
static REQUIRE_TENANT_PROOF: GucSetting<bool> = GucSetting::<bool>::new(false);
static TENANT_PROOF_LIFETIME: GucSetting<i32> = GucSetting::<i32>::new(300);
static REFRESH_ENABLED: GucSetting<bool> = GucSetting::<bool>::new(true);
static NOTIFY_REFRESHED: GucSetting<bool> = GucSetting::<bool>::new(true);
static CLEAN_LOGS: GucSetting<bool> = GucSetting::<bool>::new(true);
static WAIT_ON_NEW_TIMELINE: GucSetting<bool> = GucSetting::<bool>::new(false);
static REFRESH_WAIT: GucSetting<i32> = GucSetting::<i32>::new(10_000);
static REQUEST_TIMEOUT: GucSetting<i32> = GucSetting::<i32>::new(30_000);
static CONNECTIONS: GucSetting<i32> = GucSetting::<i32>::new(16);
static ALLOWED_NETWORKS: GucSetting<Option<CString>> =
    GucSetting::<Option<CString>>::new(Some(c""));
static CA_FILE: GucSetting<Option<CString>> = GucSetting::<Option<CString>>::new(None);
static PROXY: GucSetting<Option<CString>> = GucSetting::<Option<CString>>::new(None);

/// Makes the settings known to the server. Called once, when the library is loaded.
pub fn define() {
    let owner_only = GucFlags::SUPERUSER_ONLY;
    text(c"token_vault.master_key_file", c"File that holds the master key.",
        c"32 bytes as hex or base64, readable by the server's operating system user only. Keep it outside the data directory, or base backups will carry it.",
        &MASTER_KEY_FILE, GucContext::Sighup, owner_only);
    text(c"token_vault.master_key_command", c"Shell command that prints the master key.",
        c"Run by the server as its own operating system user; one line with 32 bytes as hex or base64. Goes before token_vault.master_key_file.",
        &MASTER_KEY_COMMAND, GucContext::Sighup, owner_only);
    text(
        c"token_vault.previous_master_key_file",
        c"File that holds the master key before the present one.",
        c"Asked too, while the master key is being replaced: see vault.rotate_master_key().",
        &PREVIOUS_MASTER_KEY_FILE,
        GucContext::Sighup,
        owner_only,
    );
    text(
        c"token_vault.previous_master_key_command",
        c"Shell command that prints the master key before the present one.",
        c"Asked too, while the master key is being replaced: see vault.rotate_master_key().",
        &PREVIOUS_MASTER_KEY_COMMAND,
        GucContext::Sighup,
        owner_only,
    );
    milliseconds(
        c"token_vault.master_key_timeout",
        c"How long a master key command may take.",
        &MASTER_KEY_TIMEOUT,
        1,
        GucContext::Sighup,
    );
    seconds(
        c"token_vault.key_rotation_interval",
        c"Age at which a data key is replaced by a new one.",
        c"0: never by itself. Needs the library in shared_preload_libraries.",
        &KEY_ROTATION_INTERVAL,
    );
    seconds(
        c"token_vault.key_retention",
        c"How long a data key that nothing uses any more is kept after its retirement.",
        c"0: it is destroyed as soon as no value and no transaction can need it.",
        &KEY_RETENTION,
    );
    // SAFETY: the hooks turn panics into errors, and what they hand out lives on.
    unsafe {
        GucRegistry::define_string_guc_with_hooks(
            c"token_vault.tenant",
            c"Tenant of this session.",
            c"When set, functions use this tenant where none is given and accept no other.",
            &TENANT,
            GucContext::Userset,
            GucFlags::default(),
            Some(tenant::check_setting),
            None,
            Some(tenant::show_setting),
        );
    }
    GucRegistry::define_bool_guc(
        c"token_vault.require_tenant_proof",
        c"Whether the vault is closed until vault.enter_tenant() was called.",
        c"For roles whose sessions serve several tenants: ALTER ROLE … SET.",
        &REQUIRE_TENANT_PROOF,
        GucContext::Suset,
        GucFlags::default(),
    );
    GucRegistry::define_int_guc(
        c"token_vault.tenant_proof_lifetime",
        c"How far ahead the expiry of a tenant proof may lie.",
        c"",
        &TENANT_PROOF_LIFETIME,
        1,
        i32::MAX,
        GucContext::Sighup,
        GucFlags::UNIT_S,
    );
    GucRegistry::define_bool_guc(
        c"token_vault.refresh_enabled",
        c"Whether tokens are refreshed.",
        c"When off, nothing is sent to any provider; stored tokens are served while they are valid.",
        &REFRESH_ENABLED,
        GucContext::Sighup,
        GucFlags::default(),
    );
    GucRegistry::define_bool_guc(
        c"token_vault.notify_refreshed",
        c"Whether each refresh is told to those who listen on channel token_vault.",
        c"Events that need somebody's attention are always told.",
        &NOTIFY_REFRESHED,
        GucContext::Sighup,
        GucFlags::default(),
    );
    GucRegistry::define_bool_guc(
        c"token_vault.wait_on_new_timeline",
        c"Whether a promoted or recovered server waits before it refreshes.",
        c"When on, it refreshes nothing until vault.adopt_installation() is called; off is for standbys that take over by themselves.",
        &WAIT_ON_NEW_TIMELINE,
        GucContext::Sighup,
        GucFlags::default(),
    );
    GucRegistry::define_bool_guc(
        c"token_vault.clean_logs",
        c"Whether secrets are taken out of statements that are logged or shown.",
        c"When off, literals and parameters of statements that use the vault reach the log, pg_stat_activity and pg_stat_statements as they are.",
        &CLEAN_LOGS,
        GucContext::Suset,
        GucFlags::default(),
    );
    milliseconds(
        c"token_vault.refresh_wait",
        c"How long a caller waits for the refresh of an expired token.",
        &REFRESH_WAIT,
        0,
        GucContext::Userset,
    );
    milliseconds(
        c"token_vault.request_timeout",
        c"How long one request to a provider may take.",
        &REQUEST_TIMEOUT,
        1,
        GucContext::Sighup,
    );
    GucRegistry::define_int_guc(
        c"token_vault.connections",
        c"Requests to providers under way at once, per database.",
        c"A change takes effect with the next refresh after a reload.",
        &CONNECTIONS,
        1,
        1024,
        GucContext::Sighup,
        GucFlags::default(),
    );
    text(c"token_vault.allowed_networks", c"Networks that may be connected to although they are private.",
        c"Comma-separated addresses or CIDR blocks. Without an entry, providers on loopback, private, link-local and similar addresses are refused.",
        &ALLOWED_NETWORKS, GucContext::Sighup, owner_only);
    text(
        c"token_vault.ca_file",
        c"PEM file with certificate authorities to trust beside the built-in ones.",
        c"",
        &CA_FILE,
        GucContext::Sighup,
        owner_only,
    );
    text(
        c"token_vault.proxy",
        c"HTTP proxy for requests to providers.",
        c"The environment's proxy variables are ignored.",
        &PROXY,
        GucContext::Sighup,
        owner_only,
    );
    // SAFETY: reserves the prefix, so that a misspelt setting is an error; the text is static.
    unsafe { pg_sys::MarkGUCPrefixReserved(c"token_vault".as_ptr()) };
}

/// Where the master key is, if it was said.
pub fn master_key_file() -> Option<PathBuf> {
    string(&MASTER_KEY_FILE).map(PathBuf::from)
}

/// What prints the master key, if it was said.
pub fn master_key_command() -> Option<String> {
    string(&MASTER_KEY_COMMAND)
}

pub fn previous_master_key_file() -> Option<PathBuf> {
    string(&PREVIOUS_MASTER_KEY_FILE).map(PathBuf::from)
}

pub fn previous_master_key_command() -> Option<String> {
    string(&PREVIOUS_MASTER_KEY_COMMAND)
}

pub fn master_key_timeout() -> Duration {
    Duration::from_millis(MASTER_KEY_TIMEOUT.get() as u64)
}

/// None: keys are not rotated by age.
pub fn key_rotation_interval() -> Option<Duration> {
    let interval = Duration::from_secs(KEY_ROTATION_INTERVAL.get() as u64);
    (!interval.is_zero()).then_some(interval)
}

pub fn key_retention() -> Duration {
    Duration::from_secs(KEY_RETENTION.get() as u64)
}

/// What the setting says; a session can be bound otherwise as well: see [`super::tenant::bound`].
pub fn tenant() -> Option<String> {
    string(&TENANT)
}

/// Whether nothing is open before a tenant was entered with a proof.
pub fn require_tenant_proof() -> bool {
    REQUIRE_TENANT_PROOF.get()
}

pub fn tenant_proof_lifetime() -> Duration {
    Duration::from_secs(TENANT_PROOF_LIFETIME.get() as u64)
}

pub fn refresh_enabled() -> bool {
    REFRESH_ENABLED.get()
}

pub fn notify_refreshed() -> bool {
    NOTIFY_REFRESHED.get()
}

/// Whether secrets are taken out of what is logged.
pub fn clean_logs() -> bool {
    CLEAN_LOGS.get()
}

pub fn refresh_wait() -> Duration {
    Duration::from_millis(REFRESH_WAIT.get() as u64)
}

/// Whether a promoted standby or a recovered backup is taken for a copy.
pub fn wait_on_new_timeline() -> bool {
    WAIT_ON_NEW_TIMELINE.get()
}

pub fn request_timeout() -> Duration {
    Duration::from_millis(REQUEST_TIMEOUT.get() as u64)
}

pub fn connections() -> usize {
    CONNECTIONS.get() as usize
}

pub fn allowed_networks() -> String {
    string(&ALLOWED_NETWORKS).unwrap_or_default()
}

pub fn ca_file() -> Option<PathBuf> {
    string(&CA_FILE).map(PathBuf::from)
}

pub fn proxy() -> Option<String> {
    string(&PROXY)
}

/// A setting's value; empty counts as not set. Settings are UTF-8 as the database is.
fn string(setting: &GucSetting<Option<CString>>) -> Option<String> {
    setting
        .get()
        .map(|value| value.to_string_lossy().into_owned())
        .filter(|value| !value.is_empty())
}

fn text(
    name: &'static CStr,
    short: &'static CStr,
    long: &'static CStr,
    setting: &'static GucSetting<Option<CString>>,
    context: GucContext,
    flags: GucFlags,
) {
    GucRegistry::define_string_guc(name, short, long, setting, context, flags);
}

fn seconds(
    name: &'static CStr,
    short: &'static CStr,
    long: &'static CStr,
    setting: &'static GucSetting<i32>,
) {
    GucRegistry::define_int_guc(
        name,
        short,
        long,
        setting,
        0,
        i32::MAX,
        GucContext::Sighup,
        GucFlags::UNIT_S,
    );
}

fn milliseconds(
    name: &'static CStr,
    short: &'static CStr,
    setting: &'static GucSetting<i32>,
    least: i32,
    context: GucContext,
) {
    GucRegistry::define_int_guc(
        name,
        short,
        c"",
        setting,
        least,
        i32::MAX,
        context,
        GucFlags::UNIT_MS,
    );
}
