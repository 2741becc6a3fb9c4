//! The client and the pool against small TLS servers on loopback that behave and misbehave.

mod calls;
mod failures;
mod outbound;
mod pool;
mod proxy;
mod server;
