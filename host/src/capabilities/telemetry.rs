//! `audit`: one event of target `audit` for each decision, written with the other logs.

use super::Capabilities;
use crate::parts::bindings::request::valet::capability::audit::{Decision, Event, Host};

impl Host for Capabilities {
    fn record_event(&mut self, event: Event) {
        // A refusal is the server doing its work; a failure is for the operator to look at. The level has to be known at compile time.
        macro_rules! write {
            ($level:ident, $decision:literal) => {
                tracing::$level!(
                    target: "audit",
                    request = event.request_id,
                    decision = $decision,
                    reason = event.reason,
                    method = event.method,
                    tool = event.tool,
                    tenant = event.tenant_id,
                    object = event.object_id,
                    client = event.client_id,
                    detail = event.detail,
                )
            };
        }
        match event.decision {
            Decision::Allowed => write!(info, "allowed"),
            Decision::Denied => write!(info, "denied"),
            Decision::Failed => write!(warn, "failed"),
        }
    }
}
