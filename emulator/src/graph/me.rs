//! `/me` and `/users/{id}`: the profile of a user, with `$select`.

use axum::Json;
use axum::extract::{Path, RawQuery};
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::auth::{Caller, caller};
use super::{GraphError, Ids, refuse};
use crate::registrations::User;
use crate::server::Shared;
use crate::state::State;

/// What Microsoft's Python SDK sends instead of `/me` when its URL handler is not installed.
const ME_ALIAS: &str = "me-token-to-replace";

/// `GET /v1.0/me`.
pub(crate) async fn me(state: Shared, headers: HeaderMap, RawQuery(query): RawQuery) -> Response {
    let found = caller(&state, &headers).and_then(|caller| {
        let id = caller.user()?;
        caller.need(&["User.Read", "User.Read.All"])?;
        profile(&state, &caller, &id.to_string(), query.as_deref())
    });
    respond(&state, &headers, found)
}

/// `GET /v1.0/users/{id}`, by object id or principal name.
pub(crate) async fn user(
    state: Shared,
    Path(name): Path<String>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    if name == ME_ALIAS {
        return me(state, headers, RawQuery(query)).await;
    }
    let found = caller(&state, &headers).and_then(|caller| {
        caller.need(&["User.ReadBasic.All", "User.Read.All"])?;
        profile(&state, &caller, &name, query.as_deref())
    });
    respond(&state, &headers, found)
}

fn respond(state: &State, headers: &HeaderMap, found: Result<Value, GraphError>) -> Response {
    match found {
        Ok(body) => {
            let typed = [("content-type", "application/json;odata.metadata=minimal;charset=utf-8")];
            Ids::new(headers).stamp((typed, Json(body)).into_response())
        }
        Err(error) => refuse(state, headers, &error),
    }
}

fn profile(state: &State, caller: &Caller, name: &str, query: Option<&str>) -> Result<Value, GraphError> {
    let registrations = state.registrations();
    let in_tenant = |u: &&User| Some(u.tenant) == caller.tenant();
    let user =
        registrations.user(name).filter(in_tenant).ok_or_else(|| GraphError::NoSuchUser(name.to_owned()))?;
    select(&state.origins.graph, user, selection(query))
}

/// The names of `$select`, if given.
fn selection(query: Option<&str>) -> Option<String> {
    let mut pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    pairs.find(|(name, _)| name.eq_ignore_ascii_case("$select")).map(|(_, value)| value.into_owned())
}

fn select(graph: &str, user: &User, wanted: Option<String>) -> Result<Value, GraphError> {
    let mut all = properties(user);
    let mut body = Map::new();
    let context = match &wanted {
        None => format!("{graph}/v1.0/$metadata#users/$entity"),
        Some(names) => format!("{graph}/v1.0/$metadata#users({names})/$entity"),
    };
    body.insert("@odata.context".into(), context.into());
    let Some(wanted) = wanted else {
        body.extend(all);
        return Ok(Value::Object(body));
    };
    // Graph leaves some properties out unless they are asked for.
    all.insert("department".into(), json!(user.department));
    for name in wanted.split(',').map(str::trim).filter(|n| !n.is_empty()) {
        let value = all.get(name).ok_or_else(|| GraphError::NoSuchProperty(name.to_owned()))?;
        body.insert(name.to_owned(), value.clone());
    }
    Ok(Value::Object(body))
}

fn properties(user: &User) -> Map<String, Value> {
    let id: Uuid = user.id;
    let Value::Object(map) = json!({
        "businessPhones": user.business_phones,
        "displayName": user.display_name,
        "givenName": user.given_name,
        "jobTitle": user.job_title,
        "mail": user.mail,
        "mobilePhone": user.mobile_phone,
        "officeLocation": user.office_location,
        "preferredLanguage": user.preferred_language,
        "surname": user.surname,
        "userPrincipalName": user.user_principal_name,
        "id": id,
    }) else {
        return Map::new();
    };
    map
}
