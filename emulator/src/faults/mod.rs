//! The fault plan: what goes wrong on purpose, how often, and how many requests were seen.
//!
//! Owns the plan and the counters. When one entry of the plan is met is decided in `plan.rs`, how it is spelled in
//! files and in the admin API in `row.rs`, which part of the service a path belongs to in `classify.rs`, and what a
//! client gets to see in `wire.rs`. Faults are decided before a request is routed: one that replaces the answer has no
//! other effect, one that spoils it (drip, cut-off, wrong type) comes after the request has done its work.

mod bodies;
mod classify;
mod plan;
mod row;
mod wire;

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub(crate) use classify::{Asked, classify, grant_type};
pub use plan::PlannedFault;
use plan::Standing;
pub(crate) use row::{Row, RowError};
pub(crate) use wire::{instead, retry_after, spoil};

/// How many plans may stand at once.
const PLANS: usize = 1000;

/// A part of the service that can be made to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Endpoint {
    /// OpenID metadata.
    Metadata,
    /// Key documents.
    Keys,
    /// Everything under `/oauth2/`: authorize, token, device code, logout.
    Login,
    /// The authorize endpoint alone.
    Authorize,
    /// The token endpoint alone.
    Token,
    /// Where device codes are asked for; polling is [`Self::Token`].
    DeviceCode,
    /// Everything Graph serves.
    Graph,
    /// Key Vault.
    Vault,
    /// The managed identity endpoints.
    ManagedIdentity,
}

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Answers this status, with an error body of the endpoint's style.
    Status {
        /// HTTP status, e.g. 429, 503.
        code: u16,
        /// The `Retry-After` header, if any.
        retry_after: Option<RetryAfter>,
    },
    /// Answers this status with another body than the service's.
    Answer {
        /// HTTP status; 200 too.
        code: u16,
        /// The `Retry-After` header, if any.
        retry_after: Option<RetryAfter>,
        /// The body.
        body: FaultBody,
    },
    /// Waits, then answers normally.
    Delay(Duration),
    /// The ordinary answer, one byte at a time with this pause before each.
    Drip(Duration),
    /// Closes the connection without an answer and without TLS close_notify.
    Reset,
    /// The ordinary answer with its full `Content-Length`, but the connection ends in the middle of the body.
    CutOff,
    /// The ordinary answer under `Content-Type: text/html`.
    WrongType,
    /// Answers 200 with a JSON body of that many megabytes, streamed.
    Huge {
        /// Megabytes of padding.
        megabytes: u32,
    },
}

/// Whose body an answer has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultBody {
    /// An error in the endpoint's style, as with [`Fault::Status`].
    Service,
    /// An HTML page, as proxies and gateways send.
    Html,
    /// No body.
    Empty,
    /// `Content-Type: application/json` over text that is not JSON.
    NotJson,
    /// A key document without keys.
    EmptyKeys,
}

/// The `Retry-After` header (RFC 9110 section 10.2.3), and what is sent in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RetryAfter {
    /// A number of seconds.
    Seconds(u64),
    /// A decimal number of seconds, which the RFC does not allow: `1.5`.
    Decimal(Duration),
    /// An HTTP date this long from now.
    DateIn(Duration),
    /// Exactly this text.
    Text(String),
}

/// What requests are counted as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// A metadata document.
    Metadata,
    /// A key document.
    Keys,
    /// The authorize page; not the clicks on it.
    Authorize,
    /// A device code was asked for.
    DeviceCode,
    /// Token endpoint, `authorization_code`.
    RedeemCode,
    /// Token endpoint, `refresh_token`.
    Refresh,
    /// Token endpoint, `client_credentials`.
    ClientCredentials,
    /// Token endpoint, on-behalf-of.
    OnBehalfOf,
    /// Any request to the token endpoint, also a faulted or malformed one.
    Token,
    /// Any request to Graph.
    Graph,
    /// Any request to Key Vault.
    Vault,
    /// Any request to the managed identity endpoints.
    ManagedIdentity,
}

impl Operation {
    /// All of them, so that a count of zero can be shown as well.
    pub(crate) const ALL: [Self; 12] = [
        Self::Metadata,
        Self::Keys,
        Self::Authorize,
        Self::DeviceCode,
        Self::RedeemCode,
        Self::Refresh,
        Self::ClientCredentials,
        Self::OnBehalfOf,
        Self::Token,
        Self::Graph,
        Self::Vault,
        Self::ManagedIdentity,
    ];
}

/// Handle of the plan; shared with the running emulator. Thread-safe.
#[derive(Debug, Default)]
pub struct Faults {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    plan: Vec<Standing>,
    counts: HashMap<Operation, u64>,
}

/// As many plans stand as may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{PLANS} faults are planned already; clear some first")]
pub struct TooManyFaults;

impl Faults {
    /// `endpoint` fails so until cleared, in place of what was planned for it.
    pub fn set(&self, endpoint: Endpoint, fault: Fault) {
        self.replace(PlannedFault::new(endpoint, fault));
    }

    /// `endpoint` fails so for the next `times` requests, then recovers.
    pub fn set_times(&self, endpoint: Endpoint, fault: Fault, times: u32) {
        self.replace(PlannedFault::new(endpoint, fault).times(times));
    }

    /// Adds to the plan. For each request the first entry that is met counts, in the order of adding.
    pub fn plan(&self, fault: PlannedFault) -> Result<(), TooManyFaults> {
        let mut inner = self.lock();
        if inner.plan.len() >= PLANS {
            return Err(TooManyFaults);
        }
        inner.plan.push(Standing::new(fault));
        Ok(())
    }

    /// `endpoint` works again.
    pub fn clear(&self, endpoint: Endpoint) {
        self.lock().plan.retain(|p| p.fault.endpoint != endpoint);
    }

    /// Everything works again. Counts stay.
    pub fn clear_all(&self) {
        self.lock().plan.clear();
    }

    /// How many requests of this kind have arrived since the start or [`Self::reset_counts`].
    pub fn count(&self, operation: Operation) -> u64 {
        self.lock().counts.get(&operation).copied().unwrap_or(0)
    }

    /// Counts from zero again.
    pub fn reset_counts(&self) {
        self.lock().counts.clear();
    }

    /// The plan of a registrations file, in place of what was planned.
    pub(crate) fn load(&self, plan: &[PlannedFault]) {
        self.lock().plan = plan.iter().take(PLANS).cloned().map(Standing::new).collect();
    }

    /// The plan as it stands: each entry with the number of requests it has hit.
    pub(crate) fn standing(&self) -> Vec<(PlannedFault, u32)> {
        self.lock().plan.iter().map(|p| (p.fault.clone(), p.hits)).collect()
    }

    /// Records a request.
    pub(crate) fn saw(&self, operation: Operation) {
        *self.lock().counts.entry(operation).or_insert(0) += 1;
    }

    /// The fault for the next request to `endpoint`; uses up one of a limited number.
    pub(crate) fn next(&self, endpoint: Endpoint, path: &str, grant_type: Option<&str>) -> Option<Fault> {
        let mut inner = self.lock();
        let at = inner.plan.iter_mut().position(|p| p.meets(endpoint, path, grant_type))?;
        let fault = inner.plan[at].fault.fault.clone();
        if inner.plan[at].exhausted() {
            inner.plan.remove(at);
        }
        Some(fault)
    }

    fn replace(&self, fault: PlannedFault) {
        let mut inner = self.lock();
        inner.plan.retain(|p| p.fault.endpoint != fault.endpoint);
        inner.plan.push(Standing::new(fault));
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A panicking holder leaves at worst a stale count.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limited_fault_runs_out() {
        let faults = Faults::default();
        let next = |endpoint| faults.next(endpoint, "/", None);
        faults.set_times(Endpoint::Graph, Fault::Reset, 2);
        assert_eq!(next(Endpoint::Graph), Some(Fault::Reset));
        assert_eq!(next(Endpoint::Keys), None);
        assert_eq!(next(Endpoint::Graph), Some(Fault::Reset));
        assert_eq!(next(Endpoint::Graph), None);
    }

    #[test]
    fn setting_replaces_and_planning_queues() {
        let faults = Faults::default();
        let next = || faults.next(Endpoint::Graph, "/", None);
        faults.set(Endpoint::Graph, Fault::Reset);
        faults.set_times(Endpoint::Graph, Fault::CutOff, 1);
        faults.plan(PlannedFault::new(Endpoint::Graph, Fault::WrongType).times(1)).unwrap();
        assert_eq!((next(), next(), next()), (Some(Fault::CutOff), Some(Fault::WrongType), None));
    }

    #[test]
    fn the_plan_is_bounded() {
        let faults = Faults::default();
        let plan = || faults.plan(PlannedFault::new(Endpoint::Graph, Fault::Reset));
        assert!((0..PLANS).all(|_| plan().is_ok()));
        assert_eq!(plan(), Err(TooManyFaults));
    }
}
