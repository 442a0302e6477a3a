//! How Graph checks its tokens: the nonce signature, lifetime, audience, then scope.

use axum::http::{HeaderMap, header};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::GraphError;
use crate::jwt;
use crate::registrations::{GRAPH_APP_ID, GRAPH_URI};
use crate::state::State;

/// Who calls Graph. Made only by [`caller`].
pub(super) struct Caller {
    claims: Map<String, Value>,
}

/// Opens the bearer token of a request.
pub(super) fn caller(state: &State, headers: &HeaderMap) -> Result<Caller, GraphError> {
    let value = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let token = match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() => token.trim(),
        _ => return Err(GraphError::NoToken),
    };
    let claims = jwt::open_graph(token, &state.keys()).map_err(|e| GraphError::BadToken(e.to_string()))?;
    let now = state.clock.now().0;
    if claims.get("exp").and_then(Value::as_i64).is_none_or(|exp| exp <= now) {
        return Err(GraphError::Expired);
    }
    match claims.get("aud").and_then(Value::as_str) {
        Some(aud) if aud == GRAPH_URI || aud == GRAPH_APP_ID.to_string() => Ok(Caller { claims }),
        _ => Err(GraphError::Audience),
    }
}

impl Caller {
    /// The user's object id; app-only tokens have none.
    pub(super) fn user(&self) -> Result<Uuid, GraphError> {
        match (self.claims.get("scp"), self.claims.get("oid").and_then(Value::as_str)) {
            (Some(_), Some(oid)) => Uuid::parse_str(oid).map_err(|_| GraphError::NotDelegated),
            _ => Err(GraphError::NotDelegated),
        }
    }

    /// The caller's directory.
    pub(super) fn tenant(&self) -> Option<Uuid> {
        self.claims.get("tid").and_then(Value::as_str).and_then(|t| Uuid::parse_str(t).ok())
    }

    /// Passes if the token carries one of these scopes, whole words.
    pub(super) fn need(&self, scopes: &[&str]) -> Result<(), GraphError> {
        let held = self.claims.get("scp").and_then(Value::as_str).unwrap_or_default();
        match held.split(' ').any(|h| scopes.contains(&h)) {
            true => Ok(()),
            false => Err(GraphError::Scope),
        }
    }
}
