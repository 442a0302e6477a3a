//! The fault plan: what goes wrong on purpose, how often, and how many requests were seen.
//!
//! Faults are decided before a request is routed, so a faulted request is counted but has no other effect.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A part of the service that can be made to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// OpenID metadata.
    Metadata,
    /// Key documents.
    Keys,
    /// Authorize and token endpoints.
    Login,
    /// Everything under `/v1.0`.
    Graph,
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
    /// Waits, then answers normally.
    Delay(Duration),
    /// Closes the connection without an answer and without TLS close_notify.
    Reset,
}

/// The two forms of `Retry-After` (RFC 9110 section 10.2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryAfter {
    /// A number of seconds.
    Seconds(u64),
    /// An HTTP date this long from now.
    DateIn(Duration),
}

/// What requests are counted as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// A metadata document.
    Metadata,
    /// A key document.
    Keys,
    /// The authorize page; not the clicks on it.
    Authorize,
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
    /// Any request under `/v1.0`.
    Graph,
}

/// Handle of the plan; shared with the running emulator. Thread-safe.
#[derive(Debug, Default)]
pub struct Faults {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    plan: HashMap<Endpoint, (Fault, Option<u32>)>,
    counts: HashMap<Operation, u64>,
}

impl Faults {
    /// `endpoint` fails so until cleared.
    pub fn set(&self, endpoint: Endpoint, fault: Fault) {
        self.lock().plan.insert(endpoint, (fault, None));
    }

    /// `endpoint` fails so for the next `times` requests, then recovers.
    pub fn set_times(&self, endpoint: Endpoint, fault: Fault, times: u32) {
        self.lock().plan.insert(endpoint, (fault, Some(times)));
    }

    /// `endpoint` works again.
    pub fn clear(&self, endpoint: Endpoint) {
        self.lock().plan.remove(&endpoint);
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

    /// Records a request.
    pub(crate) fn saw(&self, operation: Operation) {
        *self.lock().counts.entry(operation).or_insert(0) += 1;
    }

    /// The fault for the next request to `endpoint`; uses up one of a limited number.
    pub(crate) fn next(&self, endpoint: Endpoint) -> Option<Fault> {
        let mut inner = self.lock();
        let (fault, left) = inner.plan.get_mut(&endpoint)?;
        let fault = fault.clone();
        match left {
            None => {}
            Some(0) => {
                inner.plan.remove(&endpoint);
                return None;
            }
            Some(n) => *n -= 1,
        }
        Some(fault)
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
        faults.set_times(Endpoint::Graph, Fault::Reset, 2);
        assert_eq!(faults.next(Endpoint::Graph), Some(Fault::Reset));
        assert_eq!(faults.next(Endpoint::Keys), None);
        assert_eq!(faults.next(Endpoint::Graph), Some(Fault::Reset));
        assert_eq!(faults.next(Endpoint::Graph), None);
    }
}
