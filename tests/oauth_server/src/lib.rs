//! The authorization server that `token_vault` is tested against: strict where RFC 6749 and its companions are strict,
//! and able to misbehave on purpose, because real providers do.
//!
//! [`OAuthServer::start`] runs it inside the calling process on a thread of its own; the binary `oauth_server` runs the
//! same thing alone. Everything a test wants to know or to change is a method of [`OAuthServer`], and, for callers in
//! other processes, a call to its control port ([`OAuthServer::control_url`]).
//!
//! What it implements: authorization code with PKCE (RFC 7636, S256 only), refresh tokens with or without rotation and
//! with reuse detection (RFC 9700 §4.14.2), revocation (RFC 7009), metadata (RFC 8414), the `iss` parameter (RFC 9207),
//! a protected resource (`/api/me`, RFC 6750), and beside `/token` the [`dialect`]s of providers that deviate. What it deliberately lacks: persistence, users, consent, and every check
//! that is about people rather than about the protocol.

#![forbid(unsafe_code)]

mod app;
mod authority;
mod behaviour;
mod client_auth;
mod config;
mod credential;
pub mod dialect;
mod endpoint;
mod error;
mod fault;
mod form;
mod journal;
mod listener;
mod message;
mod oidc_provider;
mod server;
mod store;
pub mod user_agent;
mod wire;

pub use authority::LocalAuthority;
pub use behaviour::{Behaviour, Piece};
pub use client_auth::AuthMethod;
pub use config::{ClientAuth, ClientConfig, Config, RefreshPolicy};
pub use credential::handle;
pub use fault::ConnectionFault;
pub use journal::{Endpoint, Entry, Outcome, WaitTimeout};
pub use oidc_provider::{OidcProvider, OidcProviderConfig};
pub use server::OAuthServer;
