//! One line of the table: what a provider does, and what becomes of the token.

use std::time::Duration;

use postgres::types::Json;
use serde_json::{Map, Value};
use token_vault_cluster::Result;
use token_vault_oauth_server::{Behaviour, ClientConfig, ConnectionFault, RefreshPolicy};

use crate::provider::{Vault, secret};

/// Forgives as many repetitions as the table needs.
const ROTATION: RefreshPolicy = RefreshPolicy::Rotate {
    reuse_detection: true,
    leeway: Duration::from_secs(3600),
};

/// The files of the table. In each line:
///
/// * `name` — also the name of the case's provider, client and subject
/// * `fault` or `answer` — what goes wrong with connections, or with answers
/// * `provider` — columns of the provider's row, where it says something about this
/// * `refresh` — `static` where refresh tokens stay; otherwise they rotate, with a leeway of an hour
/// * `ends` — see [`End`]
/// * `error` — a part of `last_error`
/// * `holds` — a condition on the row of `vault.tokens`
const FILES: [(&str, &str); 7] = [
    (
        "connection",
        include_str!("../../misbehaviour/connection.json"),
    ),
    ("cut", include_str!("../../misbehaviour/cut.json")),
    ("http", include_str!("../../misbehaviour/http.json")),
    ("status", include_str!("../../misbehaviour/status.json")),
    ("body", include_str!("../../misbehaviour/body.json")),
    ("fields", include_str!("../../misbehaviour/fields.json")),
    ("errors", include_str!("../../misbehaviour/errors.json")),
];

/// How a request ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The answer was good enough: the token is refreshed, and asked for once.
    Refreshed,
    /// No byte of the request went out: tried again later.
    Unsent,
    /// Nobody knows what the provider did: asked again at once with the same refresh token, then later and later.
    Lost,
    /// The answer is kept, and looks as if tokens were in it somewhere: not asked again while the access token lives,
    /// because the provider's row may be mended until then.
    Kept,
    /// Trouble that passes: tried again later, never at once.
    Transient,
    /// The same, and not before the provider wants it.
    Waits,
    /// The client's credentials are refused: the token waits until they are mended.
    ClientBroken,
    /// An administrator has to look: the token is not condemned.
    Misconfigured,
    /// The grant is dead, and never sent again.
    Dead,
}

pub struct Case {
    pub name: String,
    pub fault: Option<ConnectionFault>,
    /// With placeholders that are known when the grant is.
    answer: Option<Value>,
    /// The same with their values.
    behaviour: Option<Behaviour>,
    provider: Value,
    is_static: bool,
    pub end: End,
    pub error: Option<String>,
    pub holds: String,
}

/// The whole table.
pub fn cases() -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    for (file, text) in FILES {
        let lines: Vec<Map<String, Value>> = serde_json::from_str(text)?;
        for line in lines {
            let case = Case::read(file, &line);
            cases.push(case.ok_or_else(|| format!("{file}.json: {line:?}"))?);
        }
    }
    Ok(cases)
}

impl Case {
    fn read(file: &str, line: &Map<String, Value>) -> Option<Self> {
        const MEMBERS: [&str; 8] = [
            "name", "fault", "answer", "provider", "refresh", "ends", "error", "holds",
        ];
        let text = |member: &str| line.get(member).and_then(Value::as_str);
        let fault = line.get("fault").cloned().map(serde_json::from_value);
        let is_known = line.keys().all(|member| MEMBERS.contains(&&**member));
        is_known.then_some(Self {
            name: format!("p-{file}-{}", text("name")?),
            fault: fault.transpose().ok()?,
            answer: line.get("answer").cloned(),
            behaviour: None,
            provider: line.get("provider").cloned().unwrap_or_default(),
            is_static: text("refresh") == Some("static"),
            end: end(text("ends")?)?,
            error: text("error").map(str::to_owned),
            holds: text("holds").unwrap_or("true").to_owned(),
        })
    }

    /// Makes provider, client and a grant that is not due yet, and has the provider misbehave from now on.
    pub fn set_up(&mut self, vault: &mut Vault) -> Result<()> {
        let endpoint = match self.fault {
            Some(fault) => {
                let port = vault.server.open_faulty_port(fault)?;
                format!("https://localhost:{port}/token")
            }
            None => format!("{}/token", vault.server.issuer()),
        };
        let refresh = match self.is_static {
            true => RefreshPolicy::Static,
            false => ROTATION,
        };
        let name = &self.name;
        let client =
            ClientConfig::confidential(name, &secret(name), "https://app.example/callback");
        vault.server.register(ClientConfig { refresh, ..client });
        vault.db.execute(
            "SELECT vault.register_provider($1, token_endpoint => $2, settings => $3)",
            &[name, &endpoint, &Json(object(&self.provider))],
        )?;
        self.register_client(vault)?;
        let grant = vault.server.issue(name, name, "profile");
        vault.db.execute(
            "SELECT vault.store_token_response($1, $1, $2::jsonb)",
            &[name, &Json(&grant)],
        )?;
        self.behaviour = self.filled_answer(vault, &grant)?;
        self.misbehave(vault);
        Ok(())
    }

    /// Has the provider misbehave from now on. A port's fault cannot be switched on again.
    pub fn misbehave(&self, vault: &Vault) {
        if let Some(behaviour) = self.behaviour.clone() {
            vault.server.misbehave_to(&self.name, behaviour, None);
        }
    }

    /// Registers the client, as an administrator also does to mend it.
    pub fn register_client(&self, vault: &mut Vault) -> Result<()> {
        vault.db.execute(
            "SELECT vault.register_client($1, provider => $1, client_id => $1, client_secret => $2)",
            &[&self.name, &secret(&self.name)],
        )?;
        Ok(())
    }

    fn filled_answer(&self, vault: &Vault, grant: &Value) -> Result<Option<Behaviour>> {
        let Some(answer) = &self.answer else {
            return Ok(None);
        };
        let member = |name: &str| grant[name].as_str().unwrap_or_default().to_owned();
        let elsewhere = format!("{}/token", vault.server.issuer());
        let filled = answer
            .to_string()
            .replace("{granted_access_token}", &member("access_token"))
            .replace("{granted_refresh_token}", &member("refresh_token"))
            .replace("{elsewhere}", &elsewhere);
        Ok(Some(serde_json::from_str(&filled)?))
    }
}

/// SQL's `settings` is an object, also where nothing is set.
fn object(settings: &Value) -> Value {
    Value::Object(settings.as_object().cloned().unwrap_or_default())
}

fn end(name: &str) -> Option<End> {
    Some(match name {
        "refreshed" => End::Refreshed,
        "unsent" => End::Unsent,
        "lost" => End::Lost,
        "kept" => End::Kept,
        "transient" => End::Transient,
        "waits" => End::Waits,
        "client_broken" => End::ClientBroken,
        "misconfigured" => End::Misconfigured,
        "dead" => End::Dead,
        _ => return None,
    })
}
