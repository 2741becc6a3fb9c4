//! The certified provider, driven by the same user agent: so that flow and rotation are not only right by our own
//! reading of the specifications. Needs node, and `npm ci` in `tests/oidc_provider`.

mod common;

use std::time::Duration;

use common::text;
use token_vault_oauth_server::user_agent::Application;
use token_vault_oauth_server::{OidcProvider, OidcProviderConfig};

const REDIRECT_URI: &str = "https://app.example/callback";

#[test]
fn code_flow_rotation_and_reuse_detection() {
    let provider = OidcProvider::start(&OidcProviderConfig {
        client_id: common::CLIENT.to_owned(),
        client_secret: common::SECRET.to_owned(),
        redirect_uri: REDIRECT_URI.to_owned(),
        access_token_ttl: Duration::from_secs(2),
    })
    .expect("the provider starts");
    let application = Application::discover(
        provider.issuer(),
        provider.ca_pem(),
        common::CLIENT,
        Some(common::SECRET),
    )
    .expect("metadata");

    let approved = application
        .authorize(REDIRECT_URI, "user-42", "openid offline_access")
        .expect("a code");
    let first = application
        .exchange(&approved)
        .and_then(|answer| answer.into_success())
        .expect("tokens");
    assert_eq!(first["expires_in"], 2);

    let old = text(&first, "refresh_token");
    let second = application
        .refresh(&old)
        .and_then(|answer| answer.into_success())
        .expect("tokens");
    let new = text(&second, "refresh_token");
    assert_ne!(old, new);
    assert_ne!(text(&first, "access_token"), text(&second, "access_token"));

    assert_eq!(
        application.refresh(&old).expect("an answer").error(),
        Some("invalid_grant")
    );
    // The replay has taken the new token along.
    assert_eq!(
        application.refresh(&new).expect("an answer").error(),
        Some("invalid_grant")
    );

    let journal = provider.journal().expect("the journal");
    let statuses: Vec<_> = journal
        .iter()
        .map(|entry| entry["status"].as_u64())
        .collect();
    assert_eq!(statuses, [Some(200), Some(200), Some(400), Some(400)]);
    assert_eq!(
        journal[1]["new_refresh_token_id"],
        journal[3]["refresh_token_id"]
    );
    assert_eq!(journal[2]["error"], "invalid_grant");
    let issued = provider.issued_secrets().expect("the secrets");
    assert!([old, new].iter().all(|token| issued.contains(token)));
}
