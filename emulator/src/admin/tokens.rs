//! Tokens in the admin API: the claims of those that were issued, and new ones without a flow.

use axum::Json;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::actions::Answer;
use super::error::{AdminError, Sent, need};
use crate::forge::{self, MintError};
use crate::jwt;
use crate::registrations::Registrations;
use crate::server::Shared;

pub(super) async fn issued(state: Shared) -> Answer {
    let rows = state.journal.tokens().into_iter().map(|issued| {
        json!({ "at": format!("{}Z", issued.at.graph()), "kind": issued.kind, "claims": issued.claims })
    });
    Ok(Json(json!({ "tokens": rows.collect::<Vec<_>>() })))
}

/// For a user through a client, or for an app alone.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Mint {
    user: Option<String>,
    client: Option<Uuid>,
    scopes: Option<Vec<String>>,
    app: Option<Uuid>,
    roles: Option<Vec<String>>,
    /// Client id or identifier URI.
    api: Option<String>,
}

pub(super) async fn mint(state: Shared, Sent(sent): Sent<Mint>) -> Answer {
    sent.nothing_superfluous()?;
    let api = api(&state.registrations(), &need("api", sent.api)?)?;
    let words = |field: &str, words: Option<Vec<String>>| need(field, words);
    let token = match (sent.user, sent.app) {
        (Some(user), None) => {
            let (client, scopes) = (need("client", sent.client)?, words("scopes", sent.scopes)?);
            let scopes: Vec<&str> = scopes.iter().map(String::as_str).collect();
            forge::user_token(&state, &user, client, api, &scopes).map_err(|e| not_found(e, "client"))?
        }
        (None, Some(app)) => {
            let roles = sent.roles.unwrap_or_default();
            let roles: Vec<&str> = roles.iter().map(String::as_str).collect();
            forge::app_token(&state, app, api, &roles).map_err(|e| not_found(e, "app"))?
        }
        _ => return Err(AdminError::invalid("user", "exactly one of user and app must be given")),
    };
    // Just made, so one of the two ways opens it.
    let keys = state.keys();
    let claims = jwt::open(&token, &keys).or_else(|_| jwt::open_graph(&token, &keys)).unwrap_or_default();
    let expires = claims.get("exp").and_then(Value::as_i64).unwrap_or_default();
    Ok(Json(json!({
        "access_token": token,
        "token_type": "Bearer",
        "expires_in": expires - state.clock.now().0,
    })))
}

impl Mint {
    /// A user's token has no application roles, and an app's no scopes.
    fn nothing_superfluous(&self) -> Result<(), AdminError> {
        let with = |field: &str, owner: &str| {
            Err(AdminError::invalid(field, format!("{field} does not go with {owner}")))
        };
        match self {
            Self { user: Some(_), app: None, roles: Some(_), .. } => with("roles", "user"),
            Self { app: Some(_), user: None, client: Some(_), .. } => with("client", "app"),
            Self { app: Some(_), user: None, scopes: Some(_), .. } => with("scopes", "app"),
            _ => Ok(()),
        }
    }
}

fn api(all: &Registrations, name: &str) -> Result<Uuid, AdminError> {
    all.api(name).map(|api| api.client_id).ok_or_else(|| AdminError::NotFound {
        field: "api",
        message: format!("no app has the client id or identifier URI {name:?}"),
    })
}

fn not_found(error: MintError, app: &'static str) -> AdminError {
    let field = match error {
        MintError::User(_) => "user",
        MintError::App(_) => app,
    };
    AdminError::NotFound { field, message: error.to_string() }
}
