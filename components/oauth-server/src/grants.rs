//! The store of grants. Its failures are the same everywhere: for the log, and "not now" for whoever asks.

use crate::bindings::valet::capability::grant_store::{self, Failure};

/// Records of one kind that strangers can cause: documents of clients that are kept, and those that could not be had. More are fetched each time.
const DOCUMENTS: u32 = 1000;

/// How often a record is read again that another request has changed meanwhile. Each time one of the others has got further.
const TRIES: usize = 16;

pub(crate) fn get(name: &str) -> Result<Option<Vec<u8>>, String> {
    grant_store::get(name).map_err(failed)
}

pub(crate) fn set(name: &str, value: &[u8], lifetime: u64) -> Result<(), String> {
    grant_store::set(name, value, seconds(lifetime)).map_err(failed)
}

pub(crate) fn delete(name: &str) -> Result<(), String> {
    grant_store::delete(name).map_err(failed)
}

/// Replaces a record if it is still what it was; none for one that is not there.
pub(crate) fn swap(name: &str, expected: Option<&[u8]>, value: &[u8], lifetime: u64) -> Result<bool, String> {
    grant_store::swap(name, expected, value, seconds(lifetime)).map_err(failed)
}

/// What has to become of a record.
pub(crate) enum Change<T> {
    /// It stays, and this is the outcome.
    Nothing(T),
    /// It becomes this, for so many seconds, and this is the outcome once it has.
    Replace(Vec<u8>, u64, T),
}

/// Reads a record, decides, and writes it if nobody else has meanwhile; else decides again.
pub(crate) fn change<T>(name: &str, mut decide: impl FnMut(Option<&[u8]>) -> Change<T>) -> Result<T, String> {
    for _ in 0..TRIES {
        let record = get(name)?;
        match decide(record.as_deref()) {
            Change::Nothing(outcome) => return Ok(outcome),
            Change::Replace(value, lifetime, outcome) => {
                if swap(name, record.as_deref(), &value, lifetime)? {
                    return Ok(outcome);
                }
            }
        }
    }
    Err("a record was changed by others again and again".to_owned())
}

pub(crate) fn count(prefix: &str, most: u32) -> Result<u32, String> {
    grant_store::count(prefix, most).map_err(failed)
}

/// Keeps what is known of a client's document, if there are not too many records of the kind, whose names begin with `prefix`.
pub(crate) fn keep_bounded(prefix: &str, name: &str, value: &[u8], lifetime: u64) {
    // What is not kept is fetched again, which costs time and nothing else.
    if matches!(count(prefix, DOCUMENTS), Ok(kept) if kept < DOCUMENTS) {
        let _ = set(name, value, lifetime);
    }
}

/// A lifetime as the host takes it.
pub(crate) fn seconds(lifetime: u64) -> u32 {
    u32::try_from(lifetime).unwrap_or(u32::MAX)
}

fn failed(failure: Failure) -> String {
    match failure {
        Failure::Full(why) => format!("the store is full: {why}"),
        Failure::Unavailable(why) => why,
    }
}
