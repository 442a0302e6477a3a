//! The two tools behind rmcp, with the definitions and the answers of Valet's graph-tools pack.

use std::sync::Arc;

use anyhow::Result;
use axum::http::request::Parts;
use rmcp::ServerHandler;
use rmcp::model::{
    CacheScope, CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, ErrorData,
    Implementation, ListToolsResult, PaginatedRequestParams, ServerCapabilities, ServerConfig, Tool,
};
use rmcp::service::{RequestContext, RoleServer};
use serde::Serialize;

use crate::bearer::{Caller, Verified};
use crate::graph::Graph;

/// The definitions, as Valet lists them.
const DEFINITIONS: &str = include_str!("tools.json");

/// How long clients may keep the list, as in Valet.
const TTL_MS: u64 = 5 * 60 * 1000;

/// The tools. Made anew for each request by rmcp, so it is one pointer.
#[derive(Clone)]
pub(crate) struct Tools {
    shared: Arc<Shared>,
    /// Who is calling, where messages do not say.
    of: Option<Caller>,
}

struct Shared {
    graph: Arc<Graph>,
    definitions: Vec<Tool>,
}

impl Tools {
    pub(crate) fn new(graph: Arc<Graph>) -> Result<Self> {
        let shared = Arc::new(Shared { graph, definitions: serde_json::from_str(DEFINITIONS)? });
        Ok(Self { shared, of: None })
    }

    /// The same for one caller.
    pub(crate) fn of(self, caller: Caller) -> Self {
        Self { of: Some(caller), ..self }
    }

    fn caller<'c>(&'c self, context: &'c RequestContext<RoleServer>) -> Result<&'c Verified, ErrorData> {
        let parts = context.extensions.get::<Parts>();
        let caller = self.of.as_ref().or_else(|| parts.and_then(|parts| parts.extensions.get::<Caller>()));
        caller.map(|Caller(verified)| &**verified).ok_or_else(|| ErrorData::internal_error("no caller", None))
    }
}

impl ServerHandler for Tools {
    fn get_info(&self) -> ServerConfig {
        let mut info = ServerConfig::new(ServerCapabilities::builder().enable_tools().build());
        info.server_info = Implementation::new("valet", env!("CARGO_PKG_VERSION")).with_title("Valet");
        info
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        audit(self.caller(&context)?, "tools/list", None);
        let mut list = ListToolsResult::with_all_items(self.shared.definitions.clone());
        list.ttl_ms = Some(TTL_MS);
        list.cache_scope = Some(CacheScope::Private);
        Ok(list)
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let caller = self.caller(&context)?;
        if request.arguments.as_ref().is_some_and(|arguments| !arguments.is_empty()) {
            return Err(ErrorData::invalid_params("the tool takes no arguments", None));
        }
        match request.name.as_ref() {
            "whoami" => {
                audit(caller, "tools/call", Some("whoami"));
                let about = about(caller);
                let text = serde_json::to_string_pretty(&about).expect("text and lists serialise");
                Ok(result(&about, text).into())
            }
            "GetUserDetailsFromGraph" => {
                audit(caller, "tools/call", Some("GetUserDetailsFromGraph"));
                match self.shared.graph.profile(&caller.token).await {
                    Ok(profile) => Ok(result(&profile, profile.text()).into()),
                    Err(error) => {
                        Ok(CallToolResult::error(vec![ContentBlock::text(error.to_string())]).into())
                    }
                }
            }
            _ => Err(ErrorData::invalid_params("unknown tool", None)),
        }
    }
}

/// What `whoami` tells.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct About<'a> {
    kind: &'static str,
    tenant_id: &'a str,
    object_id: &'a str,
    client_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    scopes: Vec<&'a str>,
    roles: &'a [String],
}

fn about(caller: &Verified) -> About<'_> {
    let claims = &caller.claims;
    About {
        kind: "user",
        tenant_id: &claims.tid,
        object_id: &claims.oid,
        client_id: &claims.azp,
        name: claims.name.as_deref(),
        scopes: claims.scp.split(' ').collect(),
        roles: &claims.roles,
    }
}

fn result(structured: &impl Serialize, text: String) -> CallToolResult {
    let mut result = CallToolResult::success(vec![ContentBlock::text(text)]);
    result.structured_content = Some(serde_json::to_value(structured).expect("text and lists serialise"));
    result
}

/// The line that Valet writes for an allowed call.
fn audit(caller: &Verified, method: &str, tool: Option<&str>) {
    tracing::info!(
        target: "audit",
        request = caller.request_id,
        decision = "allowed",
        reason = "permitted",
        method,
        tool,
        tenant = caller.claims.tid,
        object = caller.claims.oid,
        client = caller.claims.azp,
        detail = "",
    );
}
