//! Tests against real servers; one module for each concern.

mod client_secrets;
mod clone_guard;
mod column;
mod column_dump;
mod crash;
mod durability;
mod harness;
mod master_key;
mod master_key_setup;
mod oidc;
mod preload;
mod provider;
mod readme;
mod reads;
mod refresh;
mod refresh_failures;
mod refresh_on_demand;
mod refresh_outbound;
mod refresh_races;
mod refresh_waiting;
mod refresher;
mod session;
