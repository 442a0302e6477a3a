//! One entry of the fault plan: which requests it is for, and which of those it hits.

use super::{Endpoint, Fault};

/// A fault with its conditions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedFault {
    pub(super) endpoint: Endpoint,
    pub(super) fault: Fault,
    pub(super) path: Option<String>,
    pub(super) grant_type: Option<String>,
    pub(super) times: Option<u32>,
    pub(super) every: u32,
}

impl PlannedFault {
    /// Every request to `endpoint` fails so.
    pub fn new(endpoint: Endpoint, fault: Fault) -> Self {
        Self { endpoint, fault, path: None, grant_type: None, times: None, every: 1 }
    }

    /// Only below this path: `/v1.0/me` is for itself and `/v1.0/me/photo`, not for `/v1.0/messages`.
    pub fn path(mut self, prefix: &str) -> Self {
        self.path = Some(prefix.to_owned());
        self
    }

    /// Only token requests of this grant type; the prefix `urn:ietf:params:oauth:grant-type:` may be left out.
    pub fn grant_type(mut self, grant_type: &str) -> Self {
        self.grant_type = Some(grant_type.to_owned());
        self
    }

    /// Hits that many requests, then is gone.
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    /// Hits every nth of its requests: 3 lets two pass and hits the third. 0 counts as 1.
    pub fn every(mut self, nth: u32) -> Self {
        self.every = nth.max(1);
        self
    }

    fn is_for(&self, endpoint: Endpoint, path: &str, grant_type: Option<&str>) -> bool {
        self.endpoint.covers(endpoint)
            && self.path.as_deref().is_none_or(|prefix| below(path, prefix))
            && self.grant_type.as_deref().is_none_or(|g| grant_type.map(short) == Some(short(g)))
    }
}

impl Endpoint {
    /// Whether a plan for this endpoint is for requests to `asked`.
    fn covers(self, asked: Self) -> bool {
        let login = matches!(asked, Self::Authorize | Self::Token | Self::DeviceCode);
        self == asked || (self == Self::Login && login)
    }
}

fn below(path: &str, prefix: &str) -> bool {
    let rest = path.strip_prefix(prefix);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || prefix.ends_with('/'))
}

/// Grant types of extensions come with and without their prefix (device code).
fn short(grant_type: &str) -> &str {
    grant_type.strip_prefix("urn:ietf:params:oauth:grant-type:").unwrap_or(grant_type)
}

/// An entry and what became of it so far.
#[derive(Debug)]
pub(super) struct Standing {
    pub(super) fault: PlannedFault,
    /// Requests it was for.
    met: u64,
    /// Requests it hit.
    pub(super) hits: u32,
}

impl Standing {
    pub(super) fn new(fault: PlannedFault) -> Self {
        Self { fault, met: 0, hits: 0 }
    }

    /// Whether it hits this request; counts it.
    pub(super) fn meets(&mut self, endpoint: Endpoint, path: &str, grant_type: Option<&str>) -> bool {
        if self.exhausted() || !self.fault.is_for(endpoint, path, grant_type) {
            return false;
        }
        self.met += 1;
        let hit = self.met.is_multiple_of(u64::from(self.fault.every));
        self.hits = self.hits.saturating_add(u32::from(hit));
        hit
    }

    pub(super) fn exhausted(&self) -> bool {
        self.fault.times.is_some_and(|times| self.hits >= times)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which of six equal requests are hit.
    fn hits(fault: PlannedFault, path: &str, grant_type: Option<&str>) -> Vec<bool> {
        let mut standing = Standing::new(fault);
        (0..6).map(|_| standing.meets(Endpoint::Token, path, grant_type)).collect()
    }

    fn plan() -> PlannedFault {
        PlannedFault::new(Endpoint::Token, Fault::Reset)
    }

    #[test]
    fn every_nth_and_a_number_of_times() {
        assert_eq!(hits(plan().every(3), "/", None), [false, false, true, false, false, true]);
        assert_eq!(hits(plan().every(2).times(1), "/", None), [false, true, false, false, false, false]);
        assert_eq!(hits(plan().times(0), "/", None), [false; 6]);
    }

    #[test]
    fn paths_are_compared_by_segments() {
        assert_eq!(hits(plan().path("/v1.0/me"), "/v1.0/me/photo", None), [true; 6]);
        assert_eq!(hits(plan().path("/v1.0/me"), "/v1.0/messages", None), [false; 6]);
        assert_eq!(hits(plan().path("/v1.0/"), "/v1.0/messages", None), [true; 6]);
    }

    #[test]
    fn both_spellings_of_a_grant_type_are_one() {
        let urn = "urn:ietf:params:oauth:grant-type:device_code";
        assert_eq!(hits(plan().grant_type("device_code"), "/", Some(urn)), [true; 6]);
        assert_eq!(hits(plan().grant_type(urn), "/", Some("device_code")), [true; 6]);
        assert_eq!(hits(plan().grant_type("refresh_token"), "/", Some("device_code")), [false; 6]);
        assert_eq!(hits(plan().grant_type("refresh_token"), "/", None), [false; 6]);
    }

    #[test]
    fn login_is_all_of_login() {
        for asked in [Endpoint::Login, Endpoint::Authorize, Endpoint::Token, Endpoint::DeviceCode] {
            assert!(Endpoint::Login.covers(asked), "{asked:?}");
        }
        assert!(!Endpoint::Login.covers(Endpoint::Keys) && !Endpoint::Token.covers(Endpoint::Authorize));
    }
}
