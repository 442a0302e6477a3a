//! When to fetch the authority's keys, and what to keep of them.
//!
//! Microsoft's guidance (signing key rollover): several keys are live at all times and a rollover can be immediate, so fetch anew
//! every hour and whenever a token names an unknown key, but not more often than every five minutes, and keep serving from the last good
//! set while the authority cannot be reached. The schedule is here as plain decisions; fetching and keeping are [`Ports`] that the caller lends.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::keys::{KeySet, KeySetError};

/// Age in seconds at which a set is fetched anew.
pub const REFRESH_AFTER: u64 = 60 * 60;

/// Shortest time in seconds between two attempts to fetch, whatever tokens ask for: what Microsoft's guidance gives, and the default.
pub const RETRY_FLOOR: u64 = 5 * 60;

/// The same while there is no usable set, so that a server that started before its authority recovers at once.
pub const RETRY_FLOOR_WITHOUT_KEYS: u64 = 2;

/// Age in seconds past which a set is no longer used although nothing newer can be had.
pub const LAST_KNOWN_GOOD: u64 = 24 * 60 * 60;

/// What the caller lends: the authority's documents, a clock, and a place to keep one entry an authority and tenant.
pub trait Ports {
    /// The right to renew one entry, which is given back by dropping it.
    type Turn;
    /// Seconds since the Unix epoch.
    fn now(&self) -> u64;
    /// Waits for the right to renew the entry under `name`. Where nobody can be made to wait, it is given at once, and requests that
    /// come together each fetch.
    fn take_turn(&self, name: &str) -> Self::Turn;
    /// The entry kept under `name`, if there still is one.
    fn load(&self, name: &str) -> Option<Vec<u8>>;
    /// Keeps `entry` under `name`.
    fn keep(&self, name: &str, entry: &[u8]);
    /// Tells the operator why the entry under `name` could not be renewed: its set goes on serving, so that no request shows it.
    fn not_renewed(&self, name: &str, why: &KeysError);
    /// The body of a 200 answer to `GET url`; the error is for the log.
    fn get(&self, url: &str) -> Result<Vec<u8>, String>;
}

/// Whose keys: an authority and one of its tenants.
#[derive(Debug, Clone, Copy)]
pub struct Authority<'a> {
    /// Base URL without trailing slash.
    pub url: &'a str,
    /// Tenant GUID.
    pub tenant: &'a str,
    /// Shortest time in seconds between two attempts to fetch while there is a usable set; [`RETRY_FLOOR`] unless the operator says otherwise.
    pub retry_floor: u64,
    /// Whether it may be an emulator. Emulators sign in anybody as anybody and mark their documents with `x-emulator`.
    pub may_be_emulator: bool,
}

/// Why there are no keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeysError {
    /// A document could not be fetched. The text says which and why.
    Fetch(String),
    /// The discovery document is not the pinned tenant's, or points outside the authority.
    Discovery(&'static str),
    /// The key document is unusable.
    KeySet(KeySetError),
    /// The last attempt failed, and it is too early for another.
    Waiting {
        /// Seconds until the next attempt.
        seconds: u64,
    },
}

impl fmt::Display for KeysError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fetch(why) => write!(f, "the authority's keys could not be fetched: {why}"),
            Self::Discovery(why) => write!(f, "the authority's discovery document was refused: {why}"),
            Self::KeySet(error) => write!(f, "the authority's keys were refused: {error}"),
            Self::Waiting { seconds } => {
                write!(f, "the last fetch of keys failed; the next is due in {seconds} s")
            }
        }
    }
}

impl std::error::Error for KeysError {}

/// What is kept. `attempted_at` is not before `fetched_at`.
#[derive(Serialize, Deserialize)]
struct Entry<'a> {
    fetched_at: u64,
    attempted_at: u64,
    /// The reduced key set; absent if no fetch has ever succeeded.
    #[serde(borrow)]
    set: Option<&'a RawValue>,
}

/// The key set to use now as JSON for [`KeySet::parse`], fetched if the one kept is due.
///
/// # Errors
/// Only when there is no usable set at all, see [`KeysError`].
pub fn current(ports: &impl Ports, authority: Authority<'_>) -> Result<String, KeysError> {
    obtain(ports, authority, REFRESH_AFTER.max(authority.retry_floor))
}

/// The key set after a token named a key that [`current`] did not know: fetched anew, or the same again if the last attempt was less than
/// [`Authority::retry_floor`] ago.
///
/// # Errors
/// As [`current`].
pub fn newer(ports: &impl Ports, authority: Authority<'_>) -> Result<String, KeysError> {
    obtain(ports, authority, authority.retry_floor)
}

fn obtain(ports: &impl Ports, authority: Authority<'_>, due_after: u64) -> Result<String, KeysError> {
    let name = format!("{}/{}", authority.url, authority.tenant);
    let floor = authority.retry_floor;
    if let Some(answer) = kept(ports, &name, due_after, floor) {
        return answer;
    }
    // One at a time: whoever had to wait finds what the one before has kept, a failed attempt too.
    let _turn = ports.take_turn(&name);
    match kept(ports, &name, due_after, floor) {
        Some(answer) => answer,
        None => renew(ports, authority, &name),
    }
}

/// What the entry says without a fetch; none if a fetch is due.
fn kept(ports: &impl Ports, name: &str, due_after: u64, floor: u64) -> Option<Result<String, KeysError>> {
    let (bytes, now) = (ports.load(name)?, ports.now());
    let entry = Entry::read(&bytes)?;
    let seconds = entry.not_due_for(now, due_after, floor)?;
    Some(entry.usable(now).map(str::to_owned).ok_or(KeysError::Waiting { seconds }))
}

/// Fetches, and serves from the last good set where that fails.
fn renew(ports: &impl Ports, authority: Authority<'_>, name: &str) -> Result<String, KeysError> {
    let (bytes, now) = (ports.load(name).unwrap_or_default(), ports.now());
    let old = Entry::read(&bytes);
    let usable = old.as_ref().and_then(|entry| entry.usable(now));
    let keep_attempt = |at: u64| {
        let set = old.as_ref().and_then(|entry| entry.set).map(RawValue::get);
        // Where the clock was set back, the set's age counts from now on.
        keep(ports, name, old.as_ref().map_or(0, |entry| entry.fetched_at.min(now)), at, set);
    };
    // Before the fetch: requests that come meanwhile are served from this set, and a fetch that is cut short counts too.
    if usable.is_some() {
        keep_attempt(now);
    }
    match fetch(ports, authority) {
        Ok(set) => {
            keep(ports, name, now, now, Some(&set));
            Ok(set)
        }
        Err(error) => match usable {
            Some(set) => {
                ports.not_renewed(name, &error);
                Ok(set.to_owned())
            }
            None => {
                // At the end of the attempt, so that those who waited for it do not try again one by one.
                keep_attempt(ports.now());
                Err(error)
            }
        },
    }
}

impl<'a> Entry<'a> {
    /// An entry that cannot be read is as good as none: the store may be shared with an older version.
    fn read(bytes: &'a [u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }

    /// The set, unless it is too old to trust.
    fn usable(&self, now: u64) -> Option<&str> {
        self.set.map(RawValue::get).filter(|_| now.saturating_sub(self.fetched_at) < LAST_KNOWN_GOOD)
    }

    /// Seconds until another fetch is due, none if it is due at `now`.
    fn not_due_for(&self, now: u64, due_after: u64, floor: u64) -> Option<u64> {
        // The clock was set back since, or the entry is a stranger's: what it says of its age cannot be believed.
        if self.fetched_at.max(self.attempted_at) > now {
            return None;
        }
        let fresh_for = match self.set {
            Some(_) => due_after.saturating_sub(now.saturating_sub(self.fetched_at)),
            None => 0,
        };
        let floor = if self.usable(now).is_some() { floor } else { RETRY_FLOOR_WITHOUT_KEYS };
        let held_back_for = floor.saturating_sub(now.saturating_sub(self.attempted_at));
        Some(fresh_for.max(held_back_for)).filter(|&seconds| seconds > 0)
    }
}

fn keep(ports: &impl Ports, name: &str, fetched_at: u64, attempted_at: u64, set: Option<&str>) {
    let set = set.map(|json| serde_json::from_str(json).expect("the set was read as JSON or written by us"));
    let entry =
        serde_json::to_vec(&Entry { fetched_at, attempted_at, set }).expect("numbers and text serialise");
    ports.keep(name, &entry);
}

/// Discovery, pinned to its issuer and host, then the keys (OpenID Connect Discovery 1.0 section 4.3).
fn fetch(ports: &impl Ports, authority: Authority<'_>) -> Result<String, KeysError> {
    #[derive(Deserialize)]
    struct Discovery {
        issuer: String,
        jwks_uri: String,
        #[serde(default, rename = "x-emulator")]
        emulator: bool,
    }
    let base = format!("{}/{}/v2.0", authority.url, authority.tenant);
    let document =
        ports.get(&format!("{base}/.well-known/openid-configuration")).map_err(KeysError::Fetch)?;
    let discovery: Discovery = serde_json::from_slice(&document)
        .map_err(|_| KeysError::Discovery("it is not an OpenID configuration"))?;
    if discovery.emulator && !authority.may_be_emulator {
        return Err(KeysError::Discovery(
            "the authority is an emulator; set `entra.emulator` if that is meant",
        ));
    }
    if discovery.issuer != base {
        return Err(KeysError::Discovery("its issuer is not the configured authority and tenant"));
    }
    if !discovery.jwks_uri.strip_prefix(authority.url).is_some_and(|path| path.starts_with('/')) {
        return Err(KeysError::Discovery("its jwks_uri is not on the authority's host"));
    }
    let keys = ports.get(&discovery.jwks_uri).map_err(KeysError::Fetch)?;
    let text = std::str::from_utf8(&keys).map_err(|_| KeysError::KeySet(KeySetError::NotAKeySet))?;
    let set = KeySet::parse(text).and_then(KeySet::usable).map_err(KeysError::KeySet)?;
    Ok(set.to_json())
}
