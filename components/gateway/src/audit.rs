//! The audit trail: what is known of a request is gathered while it is read, and each decision becomes one event.

use valet_core_mcp::RpcError;

use crate::bindings::valet::capability::audit::{self, Decision, Event};
use crate::bindings::valet::identity::principal::Caller;

/// What is known of a request so far. It owns what it knows, since an answer that comes piece by piece outlives its request.
pub(crate) struct Audit {
    request_id: String,
    method: Option<&'static str>,
    subject: Option<String>,
    caller: Option<Caller>,
}

impl Audit {
    pub(crate) fn new(request_id: String) -> Self {
        Self { request_id, method: None, subject: None, caller: None }
    }

    /// The number of the request.
    pub(crate) fn request_id(&self) -> &str {
        &self.request_id
    }

    /// The caller is verified from here on.
    pub(crate) fn caller(&mut self, caller: Caller) {
        self.caller = Some(caller);
    }

    /// The MCP method was read.
    pub(crate) fn method(&mut self, method: &'static str) {
        self.method = Some(method);
    }

    /// A tool, resource or prompt was named.
    pub(crate) fn subject(&mut self, name: &str) {
        self.subject = Some(name.to_owned());
    }

    pub(crate) fn allowed(&self) {
        self.record(Decision::Allowed, "permitted", String::new());
    }

    pub(crate) fn denied(&self, reason: &str, detail: String) {
        self.record(Decision::Denied, reason, detail);
    }

    /// A message that cannot be read as a request.
    pub(crate) fn bad_request(&self, error: &RpcError<'_>) {
        self.denied("bad_request", error.fault.to_string());
    }

    pub(crate) fn failed(&self, reason: &str, detail: String) {
        self.record(Decision::Failed, reason, detail);
    }

    fn record(&self, decision: Decision, reason: &str, detail: String) {
        audit::record_event(&Event {
            request_id: self.request_id.clone(),
            decision,
            reason: reason.to_owned(),
            method: self.method.map(str::to_owned),
            tool: self.subject.clone(),
            tenant_id: self.caller.as_ref().map(|caller| caller.tenant_id.clone()),
            object_id: self.caller.as_ref().map(|caller| caller.object_id.clone()),
            client_id: self.caller.as_ref().map(|caller| caller.client_id.clone()),
            detail,
        });
    }
}
