//! The device codes that were handed out, what became of them, and how many polls are told to slow down.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use uuid::Uuid;

use crate::claims_request::ClaimsRequest;
use crate::clock::Instant;
use crate::realm::Realm;
use crate::scopes::Ask;
use crate::shelf::Shelf;
use crate::state::{SignIn, random};

/// How long an expired code is kept, so that it can be told from an invention: seconds.
const GRACE: i64 = 24 * 3600;

/// What a person reads from a screen: no letter that looks like a digit, no vowel that makes a word.
const ALPHABET: &[u8; 26] = b"BCDFGHJKLMNPQRSTVWXZ234579";

/// Length of a user code.
const LENGTH: usize = 9;

/// One device's request.
#[derive(Debug, Clone)]
pub(crate) struct DeviceGrant {
    pub(crate) client: Uuid,
    pub(crate) realm: Realm,
    pub(crate) ask: Ask,
    /// The `claims` of the request.
    pub(crate) claims: ClaimsRequest,
    pub(crate) expires: Instant,
    pub(crate) standing: Standing,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Nobody has entered the code to the end.
    Pending,
    /// A person agreed.
    Approved { user: Uuid, sign_in: SignIn },
    /// A person declined.
    Declined,
    /// Redeemed.
    Used,
}

/// All of them.
pub(crate) struct DeviceCodes {
    held: Mutex<Held>,
    slow_downs: AtomicU32,
}

struct Held {
    grants: Shelf<DeviceGrant>,
    /// From user code to device code.
    names: Shelf<String>,
}

impl DeviceCodes {
    /// Room for `capacity` codes.
    pub(crate) fn new(capacity: usize) -> Self {
        let held = Held { grants: Shelf::new(capacity), names: Shelf::new(capacity) };
        Self { held: Mutex::new(held), slow_downs: AtomicU32::new(0) }
    }

    /// Stores a request; returns device code and user code.
    pub(crate) fn issue(&self, now: Instant, grant: DeviceGrant) -> (String, String) {
        let (device_code, user_code) = (random(64), user_code());
        let kept_until = grant.expires.plus(GRACE);
        let mut held = self.lock();
        held.names.insert(now, user_code.clone(), device_code.clone(), kept_until);
        held.grants.insert(now, device_code.clone(), grant, kept_until);
        (device_code, user_code)
    }

    /// Lets `judge` look at a request by its device code while nobody else can use it.
    pub(crate) fn with<T>(&self, device_code: &str, judge: impl FnOnce(Option<&mut DeviceGrant>) -> T) -> T {
        judge(self.lock().grants.get_mut(device_code))
    }

    /// The request behind a user code, if a person can still decide about it.
    pub(crate) fn pending(&self, now: Instant, user_code: &str) -> Option<DeviceGrant> {
        let held = self.lock();
        let grant = held.grants.get(held.names.get(user_code)?)?;
        (grant.standing == Standing::Pending && grant.expires > now).then(|| grant.clone())
    }

    /// Records what the person decided; false if that was too late.
    pub(crate) fn settle(&self, now: Instant, user_code: &str, standing: Standing) -> bool {
        let mut held = self.lock();
        let Some(device_code) = held.names.get(user_code).cloned() else { return false };
        match held.grants.get_mut(&device_code) {
            Some(grant) if grant.standing == Standing::Pending && grant.expires > now => {
                grant.standing = standing;
                true
            }
            _ => false,
        }
    }

    /// The next `polls` polls of pending codes are told to slow down.
    pub(crate) fn slow_down(&self, polls: u32) {
        self.slow_downs.store(polls, Ordering::Relaxed);
    }

    /// Whether this poll is told so.
    pub(crate) fn slows_down(&self) -> bool {
        self.slow_downs.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1)).is_ok()
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        // Each critical section leaves the two shelves in step.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Spaces and hyphens are how people write down codes; case does not count.
pub(super) fn normalized(user_code: &str) -> String {
    user_code.chars().filter(|c| c.is_ascii_alphanumeric()).map(|c| c.to_ascii_uppercase()).collect()
}

/// A new one. The letters are those of random text that are in the alphabet.
fn user_code() -> String {
    let mut code = String::new();
    while code.len() < LENGTH {
        let more = random(64);
        let room = LENGTH - code.len();
        code.extend(more.bytes().filter(|b| ALPHABET.contains(b)).take(room).map(char::from));
    }
    code
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_codes_can_be_read_aloud() {
        let code = user_code();
        assert_eq!(code.len(), LENGTH);
        assert!(code.bytes().all(|b| ALPHABET.contains(&b)), "{code}");
        assert_ne!(code, user_code());
        assert_eq!(normalized(" bcd-fgh 234 "), "BCDFGH234");
    }
}
