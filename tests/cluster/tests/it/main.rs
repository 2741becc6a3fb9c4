//! Tests against real servers; one module for each concern.

mod durability;
mod harness;
mod preload;
mod provider;
mod readme;
mod refresh;
