//! `$batch`: up to twenty requests in one. Source: Graph documentation, "Combine multiple HTTP requests using JSON
//! batching"; each item is a request of its own with its own status, and is throttled on its own.

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::auth::Caller;
use super::call::{Call, Content, Ids, Reply};
use super::error::GraphError;
use super::{resources, target};
use crate::faults::{self, Endpoint, Fault};
use crate::state::State;

/// How many requests one batch may have.
const ITEMS: usize = 20;

/// One request of a batch.
struct Item {
    id: String,
    method: Method,
    url: String,
    headers: HeaderMap,
    body: Bytes,
    depends_on: Vec<String>,
}

/// Answers a batch; `call` is the request that carries it.
pub(super) async fn answer(call: &Call<'_>, ids: &Ids) -> Result<Reply, GraphError> {
    call.only(&Method::POST, "POST")?;
    let items = read(call)?;
    let mut done: Vec<(&str, Reply)> = vec![];
    for item in &items {
        let failed = |id: &String| {
            let mut found = done.iter().filter(|(other, _)| other.eq_ignore_ascii_case(id));
            found.any(|(_, reply)| !reply.status.is_success() && !reply.status.is_redirection())
        };
        let reply = match item.depends_on.iter().any(failed) {
            true => Reply::refusal(call.state, &GraphError::FailedDependency, ids),
            false => one(call, item, ids).await,
        };
        done.push((&item.id, reply));
    }
    let responses: Vec<Value> = done.into_iter().map(|(id, reply)| shown(id, reply)).collect();
    Ok(Reply::json(json!({ "responses": responses })))
}

async fn one(call: &Call<'_>, item: &Item, ids: &Ids) -> Reply {
    let path = item.url.split('?').next().unwrap_or_default();
    match call.state.faults.next(Endpoint::Graph, &format!("/{}{path}", call.version), None) {
        Some(Fault::Delay(by)) => tokio::time::sleep(by).await,
        Some(Fault::Status { code, retry_after } | Fault::Answer { code, retry_after, .. }) => {
            let status = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let reply = Reply::refusal(call.state, &GraphError::Planned(status), ids);
            return match retry_after {
                Some(after) => reply.with("retry-after", faults::retry_after(call.state, &after)),
                None => reply,
            };
        }
        // A single item has no connection of its own that could be cut or slow.
        Some(_) => {
            let error = GraphError::Planned(StatusCode::GATEWAY_TIMEOUT);
            return Reply::refusal(call.state, &error, ids);
        }
        None => {}
    }
    let inner = inner(call.state, call.caller, call, item);
    inner.and_then(|inner| resources::answer(&inner)).unwrap_or_else(|e| Reply::refusal(call.state, &e, ids))
}

fn inner<'a>(
    state: &'a State,
    caller: &'a Caller,
    outer: &Call<'a>,
    item: &Item,
) -> Result<Call<'a>, GraphError> {
    let url = item.url.strip_prefix('/').unwrap_or(&item.url);
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let segments = target::segments(path)?;
    if segments.first().is_some_and(|s| s.eq_ignore_ascii_case("$batch")) {
        return Err(GraphError::BadRequest("A batch cannot contain a batch.".into()));
    }
    Ok(Call {
        state,
        registrations: outer.registrations,
        caller,
        method: item.method.clone(),
        version: outer.version,
        segments,
        query: target::query(query),
        headers: item.headers.clone(),
        body: item.body.clone(),
    })
}

fn bad(text: impl Into<String>) -> GraphError {
    GraphError::BadRequest(text.into())
}

fn read(call: &Call<'_>) -> Result<Vec<Item>, GraphError> {
    let mut body = call.object()?;
    let Some(Value::Array(requests)) = body.remove("requests") else {
        return Err(bad("The batch has no array 'requests'."));
    };
    if requests.is_empty() || requests.len() > ITEMS {
        return Err(bad(format!("A batch has 1 to {ITEMS} requests; this one has {}.", requests.len())));
    }
    let items = requests.into_iter().map(item).collect::<Result<Vec<_>, _>>()?;
    for (at, item) in items.iter().enumerate() {
        // Ids do not mind the case of letters.
        let same = |other: &Item| other.id.eq_ignore_ascii_case(&item.id);
        if items.iter().take(at).any(same) {
            return Err(bad(format!("The id '{}' is used twice.", item.id)));
        }
        // Only what stands before may be waited for (OData JSON format 4.01, section 19.1), which excludes circles.
        for wanted in &item.depends_on {
            if !items.iter().take(at).any(|other| other.id.eq_ignore_ascii_case(wanted)) {
                return Err(bad(format!(
                    "'{}' depends on '{wanted}', which does not stand before it.",
                    item.id
                )));
            }
        }
    }
    Ok(items)
}

fn item(value: Value) -> Result<Item, GraphError> {
    let Value::Object(mut item) = value else { return Err(bad("A request of the batch is no object.")) };
    let text = |item: &Map<String, Value>, name: &str| {
        let value = item.get(name).and_then(Value::as_str).filter(|v| !v.is_empty());
        value.map(str::to_owned).ok_or_else(|| bad(format!("A request of the batch has no '{name}'.")))
    };
    let (id, url) = (text(&item, "id")?, text(&item, "url")?);
    let method = Method::from_bytes(text(&item, "method")?.to_ascii_uppercase().as_bytes())
        .map_err(|_| bad("The method of a request is no method."))?;
    if url.split('?').next().is_some_and(|path| path.contains("://")) {
        return Err(bad("The url of a request must be relative."));
    }
    let headers = headers(item.remove("headers"))?;
    let body = match item.remove("body") {
        None | Some(Value::Null) => Bytes::new(),
        Some(_) if !headers.contains_key(header::CONTENT_TYPE) => {
            return Err(bad(format!("The request '{id}' has a body without a header 'Content-Type'.")));
        }
        Some(Value::String(text)) => Bytes::from(STANDARD.decode(&text).unwrap_or(text.into_bytes())),
        Some(body) => Bytes::from(body.to_string()),
    };
    let depends_on = match item.remove("dependsOn") {
        None | Some(Value::Null) => vec![],
        Some(Value::Array(ids)) => {
            let ids = ids.iter().map(|id| id.as_str().map(str::to_owned));
            ids.collect::<Option<Vec<_>>>().ok_or_else(|| bad("'dependsOn' must be texts."))?
        }
        Some(_) => return Err(bad("'dependsOn' must be an array.")),
    };
    Ok(Item { id, method, url, headers, body, depends_on })
}

fn headers(given: Option<Value>) -> Result<HeaderMap, GraphError> {
    let mut headers = HeaderMap::new();
    match given {
        None | Some(Value::Null) => {}
        Some(Value::Object(map)) => {
            for (name, value) in map {
                let value = value.as_str().and_then(|v| HeaderValue::from_str(v).ok());
                let name = HeaderName::from_bytes(name.as_bytes()).ok();
                let (Some(name), Some(value)) = (name, value) else {
                    return Err(bad("A header of a request is not valid."));
                };
                headers.append(name, value);
            }
        }
        Some(_) => return Err(bad("The headers of a request must be an object.")),
    }
    Ok(headers)
}

/// Bytes are base64 in a batch.
fn shown(id: &str, reply: Reply) -> Value {
    let mut headers = Map::new();
    headers.insert("Cache-Control".into(), "private".into());
    for (name, value) in reply.headers {
        headers.insert(capitals(name), value.into());
    }
    let mut shown = json!({ "id": id, "status": reply.status.as_u16(), "headers": headers });
    match reply.content {
        Content::Nothing => {}
        Content::Json(value) => shown["body"] = value,
        Content::Bytes(bytes) => shown["body"] = STANDARD.encode(bytes).into(),
    }
    shown
}

/// `content-type` as `Content-Type`, which some clients look for.
fn capitals(name: &str) -> String {
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters
            .next()
            .map_or(String::new(), |first| first.to_ascii_uppercase().to_string() + letters.as_str())
    };
    name.split('-').map(capital).collect::<Vec<_>>().join("-")
}
