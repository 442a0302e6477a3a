//! What the admin API does to a running emulator; tokens are in `tokens.rs`.

use axum::Json;
use axum::extract::{Path, Query};
use axum::http::Uri;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::error::{AdminError, Sent, need};
use crate::clock::FARTHEST;
use crate::faults::{Endpoint, Operation, PlannedFault, Row};
use crate::keys;
use crate::registrations::Registrations;
use crate::server::Shared;
use crate::state::{RevocationReason, State};

/// How many keys may be published at once; documents of Entra hold fewer than ten.
const KEYS: usize = 100;

/// A JSON answer, or why not.
pub(super) type Answer = Result<Json<Value>, AdminError>;

/// A body that says nothing.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

pub(super) async fn faults(state: Shared) -> Answer {
    standing(&state)
}

pub(super) async fn plan(state: Shared, Sent(row): Sent<Row>) -> Answer {
    let too_many =
        |e: crate::TooManyFaults| AdminError::Conflict { field: "endpoint", message: e.to_string() };
    state.faults.plan(PlannedFault::try_from(row)?).map_err(too_many)?;
    standing(&state)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    endpoint: Option<Endpoint>,
}

pub(super) async fn clear(state: Shared, uri: Uri) -> Answer {
    let Query(which) =
        Query::<Which>::try_from_uri(&uri).map_err(|e| AdminError::invalid("endpoint", e.body_text()))?;
    match which.endpoint {
        Some(endpoint) => state.faults.clear(endpoint),
        None => state.faults.clear_all(),
    }
    standing(&state)
}

fn standing(state: &State) -> Answer {
    let mut rows = Vec::new();
    for (planned, hits) in state.faults.standing() {
        let mut row =
            serde_json::to_value(Row::from(&planned)).map_err(|e| AdminError::Failed(e.to_string()))?;
        row["hits"] = hits.into();
        rows.push(row);
    }
    Ok(Json(json!({ "faults": rows })))
}

pub(super) async fn counts(state: Shared) -> Answer {
    let mut counts = Map::new();
    for operation in Operation::ALL {
        let name = serde_json::to_value(operation).map_err(|e| AdminError::Failed(e.to_string()))?;
        counts.insert(name.as_str().unwrap_or_default().to_owned(), state.faults.count(operation).into());
    }
    Ok(Json(json!({ "counts": counts })))
}

pub(super) async fn reset_counts(state: Shared) -> Answer {
    state.faults.reset_counts();
    counts(state).await
}

pub(super) async fn clock(state: Shared) -> Answer {
    let now = state.clock.now();
    Ok(Json(json!({
        "now": format!("{}Z", now.graph()),
        "now_epoch": now.0,
        "offset_seconds": state.clock.ahead(),
    })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Time {
    advance_seconds: Option<i64>,
    offset_seconds: Option<i64>,
}

pub(super) async fn set_clock(state: Shared, Sent(time): Sent<Time>) -> Answer {
    let within = |field: &str, seconds: i64| match (-FARTHEST..=FARTHEST).contains(&seconds) {
        true => Ok(seconds),
        false => Err(AdminError::invalid(field, "the clock stays within a hundred years of the system's")),
    };
    match (time.advance_seconds, time.offset_seconds) {
        (Some(by), None) => state.clock.shift(within("advance_seconds", by)?),
        (None, Some(ahead)) => state.clock.set_ahead(within("offset_seconds", ahead)?),
        _ => {
            let message = "exactly one of advance_seconds and offset_seconds must be given";
            return Err(AdminError::invalid("advance_seconds", message));
        }
    }
    clock(state).await
}

pub(super) async fn rotate(state: Shared, Sent(Nothing {}): Sent<Nothing>) -> Answer {
    if state.keys().kids().len() >= KEYS {
        let message = format!("{KEYS} keys are published already; remove some first");
        return Err(AdminError::Conflict { field: "kid", message });
    }
    let failed = |e: String| AdminError::Failed(e);
    let made = tokio::task::spawn_blocking(keys::new_key).await;
    let key = made.map_err(|e| failed(e.to_string()))?.map_err(|e| failed(e.to_string()))?;
    state.keys_mut().rotate(key);
    keys(&state)
}

pub(super) async fn remove_key(state: Shared, Path(kid): Path<String>) -> Answer {
    if state.keys().live(&kid).is_none() {
        let message = format!("no published key is called {kid:?}");
        return Err(AdminError::NotFound { field: "kid", message });
    }
    // Apart, so that the lock is free again below.
    let removed = state.keys_mut().remove(&kid);
    match removed {
        true => keys(&state),
        false => Err(AdminError::Conflict {
            field: "kid",
            message: "the consumer key and the last work key stay published".to_owned(),
        }),
    }
}

fn keys(state: &State) -> Answer {
    let keys = state.keys();
    Ok(Json(json!({ "signing_kid": keys.signer().kid(), "kids": keys.kids() })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Revoke {
    reason: Option<RevocationReason>,
}

pub(super) async fn revoke(state: Shared, Path(name): Path<String>, Sent(sent): Sent<Revoke>) -> Answer {
    let (reason, user) = (need("reason", sent.reason)?, user(&state, &name)?);
    state.revoke(user, reason);
    Ok(Json(json!({ "revoked": user })))
}

pub(super) async fn outdate(
    state: Shared,
    Path(name): Path<String>,
    Sent(Nothing {}): Sent<Nothing>,
) -> Answer {
    let user = user(&state, &name)?;
    state.outdate(user);
    Ok(Json(json!({ "outdated": user })))
}

fn user(state: &State, name: &str) -> Result<Uuid, AdminError> {
    let all = state.registrations();
    let user = all.user(name).ok_or_else(|| AdminError::NotFound {
        field: "name",
        message: format!("no user is called {name:?}"),
    })?;
    Ok(user.id)
}

pub(super) async fn issued(state: Shared) -> Answer {
    let issued = state.issued();
    Ok(Json(json!({ "codes": issued.codes, "refresh_tokens": issued.refresh_tokens })))
}

pub(super) async fn end_used_refresh_tokens(state: Shared) -> Answer {
    state.end_used_refresh();
    Ok(Json(json!({ "refresh_tokens": 0 })))
}

pub(super) async fn forget_consents(state: Shared) -> Answer {
    state.forget_consents();
    Ok(Json(json!({ "consents": 0 })))
}

pub(super) async fn requests(state: Shared) -> Answer {
    let rows = state.journal.requests().into_iter().map(|seen| {
        json!({
            "at": format!("{}Z", seen.at.graph()),
            "method": seen.method,
            "target": seen.target,
            "status": Some(seen.status).filter(|&s| s != 0),
            "verdict": seen.verdict,
            "correlation_id": seen.correlation_id,
        })
    });
    Ok(Json(json!({ "requests": rows.collect::<Vec<_>>() })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Register {
    toml: Option<String>,
}

pub(super) async fn register(state: Shared, Sent(sent): Sent<Register>) -> Answer {
    let text = need("toml", sent.toml)?;
    let read = Registrations::from_toml(&text).map_err(|e| AdminError::invalid("toml", e.to_string()))?;
    let (tenants, users, apps) = (read.tenants.len(), read.users.len(), read.apps.len());
    state.faults.load(&read.faults);
    state.change_registrations(|held| *held = read);
    Ok(Json(json!({ "tenants": tenants, "users": users, "apps": apps })))
}
