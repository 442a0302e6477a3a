//! What is recorded of each decision. No code, token, cookie or secret is ever part of it.

use valet_core_oauth::user::User;

use crate::bindings::valet::capability::audit::{Decision, Event, record_event};

/// Somebody got what they asked for.
pub(crate) fn allowed(request_id: &str, reason: &str, user: &User, client_id: &str) {
    let detail = String::new();
    record(request_id, Decision::Allowed, reason, Some(user), Some(client_id), detail);
}

/// Somebody got what they asked for, and is not known here.
pub(crate) fn granted(request_id: &str, reason: &str, client_id: Option<&str>) {
    record(request_id, Decision::Allowed, reason, None, client_id, String::new());
}

/// Somebody did not get what they asked for.
pub(crate) fn denied(request_id: &str, reason: &str, client_id: Option<&str>, detail: String) {
    record(request_id, Decision::Denied, reason, None, client_id, detail);
}

/// Something of ours failed.
pub(crate) fn failed(request_id: &str, reason: &str, detail: String) {
    record(request_id, Decision::Failed, reason, None, None, detail);
}

fn record(
    request_id: &str,
    decision: Decision,
    reason: &str,
    user: Option<&User>,
    client_id: Option<&str>,
    detail: String,
) {
    record_event(&Event {
        request_id: request_id.to_owned(),
        decision,
        reason: reason.to_owned(),
        method: None,
        tool: None,
        tenant_id: user.map(|user| user.tenant_id.clone()),
        object_id: user.map(|user| user.object_id.clone()),
        client_id: client_id.map(str::to_owned),
        detail,
    });
}
