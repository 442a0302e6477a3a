//! The audit trail, and what operators have to know, as JSON lines on standard error, which every host collects.

use serde_json::json;

use crate::Component;
use crate::bindings::exports::valet::capability::audit::{Decision, Event, Guest};
use crate::bindings::wasi::cli::stderr;

/// Most bytes that `blocking-write-and-flush` takes at once, by its definition.
const WRITE_BYTES: usize = 4096;

impl Guest for Component {
    fn record_event(event: Event) {
        let decision = match event.decision {
            Decision::Allowed => "allowed",
            Decision::Denied => "denied",
            Decision::Failed => "failed",
        };
        say(&json!({
            "target": "audit",
            "request": event.request_id,
            "decision": decision,
            "reason": event.reason,
            "method": event.method,
            "tool": event.tool,
            "tenant": event.tenant_id,
            "object": event.object_id,
            "client": event.client_id,
            "detail": event.detail,
        }));
    }
}

/// Writes a line.
pub(crate) fn say(line: &serde_json::Value) {
    let line = format!("{line}\n");
    let stream = stderr::get_stderr();
    for chunk in line.as_bytes().chunks(WRITE_BYTES) {
        // There is no one to tell if standard error is closed.
        let _ = stream.blocking_write_and_flush(chunk);
    }
}
