//! Throttles of the login service. All are off by default, so that a busy test is not mistaken for a mistake.

use serde::Deserialize;

/// How much is too much.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Equal token requests of one user and client within five minutes before AADSTS50196 (client loop).
    pub equal_requests_in_five_minutes: Option<u32>,
    /// Client-credential requests of one app in a minute before HTTP 429 with AADSTS90055.
    pub app_requests_in_a_minute: Option<u32>,
}

impl Limits {
    pub(super) fn check(&self, key: &str) -> Result<(), (String, String)> {
        for (name, limit) in [
            ("equal_requests_in_five_minutes", self.equal_requests_in_five_minutes),
            ("app_requests_in_a_minute", self.app_requests_in_a_minute),
        ] {
            if limit == Some(0) {
                return Err((
                    format!("{key}.{name}"),
                    "0 would refuse everything; leave it out instead".into(),
                ));
            }
        }
        Ok(())
    }
}
