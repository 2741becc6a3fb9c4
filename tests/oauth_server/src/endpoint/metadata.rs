//! Authorization server metadata (RFC 8414).

use serde_json::json;

use super::{authorize, revoke, token};
use crate::app::App;
use crate::message::Reply;

pub(super) const PATH: &str = "/.well-known/oauth-authorization-server";

pub(super) fn answer(app: &App) -> Reply {
    let issuer = &app.issuer;
    let methods = ["client_secret_basic", "client_secret_post", "none"];
    let body = json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}{}", authorize::PATH),
        "token_endpoint": format!("{issuer}{}", token::PATH),
        "revocation_endpoint": format!("{issuer}{}", revoke::PATH),
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_methods_supported": methods,
        "revocation_endpoint_auth_methods_supported": methods,
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
    });
    Reply::json(200, &body)
}
