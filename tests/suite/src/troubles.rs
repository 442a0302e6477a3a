//! What can be the matter with the endpoint of the authority's keys.

use std::time::Duration;

use entra_emulator::{Fault, FaultBody};

/// One trouble.
pub struct Trouble {
    /// For the test that fails.
    pub name: &'static str,
    /// What the emulator does.
    pub fault: Fault,
    /// What the operator then reads; none where the keys come after all.
    pub why: Option<&'static str>,
}

/// All of them.
#[must_use]
pub fn troubles() -> Vec<Trouble> {
    let answer = |body| Fault::Answer { code: 200, retry_after: None, body };
    let troubles = [
        ("down", Fault::Status { code: 503, retry_after: None }, Some("answered with status 503")),
        ("reset", Fault::Reset, Some("broke off")),
        ("cut off", Fault::CutOff, Some("broke off")),
        ("HTML", answer(FaultBody::Html), Some("not a JSON Web Key Set")),
        ("no JSON", answer(FaultBody::NotJson), Some("not a JSON Web Key Set")),
        ("empty", answer(FaultBody::Empty), Some("not a JSON Web Key Set")),
        ("an empty set", answer(FaultBody::EmptyKeys), Some("the key set has no keys")),
        ("10 MB, good but for that", Fault::Huge { megabytes: 10 }, Some("answered with too much")),
        ("slow", Fault::Delay(Duration::from_millis(1500)), None),
        ("silent", Fault::Delay(Duration::from_secs(30)), Some("did not answer in time")),
    ];
    troubles.map(|(name, fault, why)| Trouble { name, fault, why }).into()
}
