//! The end-to-end cases as data, `cases.toml`, and the one function that runs a case.

use std::collections::BTreeMap;

use entra_emulator::{Endpoint, Fault, RetryAfter};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::bench::{Bench, Token};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    case: Vec<Case>,
}

/// One request and what has to come of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    pub(crate) name: String,
    /// Who asks.
    token: Token,
    ask: Ask,
    /// Header fields beside the usual ones, or in their place.
    #[serde(default)]
    fields: BTreeMap<String, String>,
    /// What goes wrong meanwhile.
    fault: Option<PlannedFault>,
    /// Variables that the operator set otherwise for this request.
    #[serde(default)]
    given: BTreeMap<String, String>,
    /// The status of the answer.
    status: u16,
    /// JSON pointer → what is there. `{resource}`, `{origin}` and `{authority}` stand for this run's URLs.
    #[serde(default)]
    json: BTreeMap<String, Value>,
    /// Header field → what its value contains.
    #[serde(default)]
    answer_fields: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
enum Ask {
    /// `tools/call` of this tool, in the newest revision.
    Tool(String),
    /// This method, in the newest revision.
    Modern(String),
    /// This method, in the revision 2025-11-25.
    Legacy(String),
    /// GET of this path.
    Get(String),
    /// POST of this text to the MCP endpoint.
    Text(String),
    /// POST of a JSON string this many bytes long.
    Bytes(usize),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PlannedFault {
    at: Place,
    status: u16,
    retry_after: Option<u64>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Place {
    Graph,
    Login,
    Keys,
}

const MODERN: &str = "2026-07-28";
const LEGACY: &str = "2025-11-25";

/// All cases.
pub(crate) fn all() -> Vec<Case> {
    toml::from_str::<File>(include_str!("cases.toml"))
        .unwrap_or_else(|error| panic!("cases.toml: {error}"))
        .case
}

/// Runs `case`; the error says what differs.
pub(crate) async fn check(bench: &Bench, case: &Case) -> Result<(), String> {
    if let Some(fault) = &case.fault {
        let at = match fault.at {
            Place::Graph => Endpoint::Graph,
            Place::Login => Endpoint::Login,
            Place::Keys => Endpoint::Keys,
        };
        let retry_after = fault.retry_after.map(RetryAfter::Seconds);
        bench.emulator.faults().set(at, Fault::Status { code: fault.status, retry_after });
    }
    let given = bench.given.clone().into_iter().chain(case.given.clone()).collect();
    bench.application.vary(&bench.manifest, &given);
    let found = compare(bench, case).await;
    bench.application.vary(&bench.manifest, &bench.given);
    bench.emulator.faults().clear_all();
    found.map_err(|difference| format!("{}: {difference}", case.name))
}

/// Calls `tool` without arguments.
pub(crate) async fn call(bench: &Bench, tool: &str, token: &str) -> reqwest::Response {
    tool_call(bench, tool).bearer_auth(token).send().await.unwrap()
}

fn tool_call(bench: &Bench, tool: &str) -> reqwest::RequestBuilder {
    modern(bench, "tools/call", json!({ "name": tool, "arguments": {} })).header("mcp-name", tool)
}

async fn compare(bench: &Bench, case: &Case) -> Result<(), String> {
    let mut request = match &case.ask {
        Ask::Get(path) => bench.http.get(bench.url(path)),
        Ask::Tool(tool) => tool_call(bench, tool),
        Ask::Modern(method) => modern(bench, method, json!({})),
        Ask::Legacy(method) => {
            let message = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": {} });
            post(bench, message.to_string()).header("mcp-protocol-version", LEGACY)
        }
        Ask::Text(text) => post(bench, text.clone()),
        Ask::Bytes(length) => post(bench, format!("\"{}\"", "x".repeat(length - 2))),
    };
    if let Some(token) = bench.token(case.token) {
        request = request.bearer_auth(token);
    }
    for (name, value) in &case.fields {
        request = request.header(name, value);
    }
    let answer = request.send().await.map_err(|error| format!("no answer: {error:?}"))?;
    let (status, fields) = (answer.status().as_u16(), answer.headers().clone());
    let body = answer.text().await.map_err(|error| format!("half an answer: {error:?}"))?;
    if status != case.status {
        return Err(format!("status {status} instead of {}, {fields:?}, {body}", case.status));
    }
    for (name, part) in &case.answer_fields {
        let part = filled(bench, part);
        let values: Vec<_> =
            fields.get_all(name).iter().map(|value| value.to_str().unwrap_or_default()).collect();
        if !values.iter().any(|value| value.contains(&part)) {
            return Err(format!("`{name}` is {values:?} and does not contain {part:?}"));
        }
    }
    let read: Value = serde_json::from_str(&body).unwrap_or_default();
    for (pointer, expected) in &case.json {
        let expected: Value = serde_json::from_str(&filled(bench, &expected.to_string())).unwrap();
        if read.pointer(pointer) != Some(&expected) {
            return Err(format!("{pointer} is {:?} instead of {expected}, in {body}", read.pointer(pointer)));
        }
    }
    Ok(())
}

fn post(bench: &Bench, body: String) -> reqwest::RequestBuilder {
    let request = bench.http.post(bench.url("/mcp"));
    request
        .header("content-type", "application/json")
        .header("accept", "application/json, text/event-stream")
        .body(body)
}

fn modern(bench: &Bench, method: &str, mut params: Value) -> reqwest::RequestBuilder {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let message = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
    post(bench, message.to_string()).header("mcp-protocol-version", MODERN).header("mcp-method", method)
}

fn filled(bench: &Bench, text: &str) -> String {
    text.replace("{resource}", &bench.given["resource"])
        .replace("{origin}", &bench.url(""))
        .replace("{authority}", &bench.given["authority"])
}
