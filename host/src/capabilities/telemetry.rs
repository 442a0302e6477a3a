//! `audit`: one event of target `audit` for each decision, written with the other logs.

use super::Capabilities;
use crate::parts::bindings::request::valet::capability::audit::{Decision, Event, Host};

impl Host for Capabilities {
    fn record_event(&mut self, event: Event) {
        let decision = match event.decision {
            Decision::Allowed => "allowed",
            Decision::Denied => "denied",
            Decision::Failed => "failed",
        };
        tracing::info!(
            target: "audit",
            request = event.request_id,
            decision,
            reason = event.reason,
            method = event.method,
            tool = event.tool,
            tenant = event.tenant_id,
            object = event.object_id,
            client = event.client_id,
            detail = event.detail,
        );
    }
}
