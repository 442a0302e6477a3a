//! Sign-in sessions, which these layouts do not offer: with `oauth_mode = "session"` they are not ready, and say why.

use crate::Component;
use crate::bindings::exports::valet::capability::{live_sessions, own_keys, session_store};

const NOT_OFFERED: &str = "sign-in sessions need the native layout; set `oauth_mode` to `direct`";

impl own_keys::Guest for Component {
    fn key_set() -> Result<String, String> {
        Err(NOT_OFFERED.to_owned())
    }
}

impl live_sessions::Guest for Component {
    fn is_live(_: String) -> Result<bool, String> {
        Err(NOT_OFFERED.to_owned())
    }
}

fn not_offered() -> session_store::Failure {
    session_store::Failure::Unavailable(NOT_OFFERED.to_owned())
}

/// Nobody holds one.
pub(crate) enum Turn {}

impl session_store::GuestTurn for Turn {}

impl session_store::Guest for Component {
    type Turn = Turn;

    fn get(_: String) -> Result<Option<Vec<u8>>, session_store::Failure> {
        Err(not_offered())
    }

    fn set(_: String, _: Vec<u8>, _: u32) -> Result<(), session_store::Failure> {
        Err(not_offered())
    }

    fn replace(_: String, _: Vec<u8>, _: Vec<u8>, _: u32) -> Result<bool, session_store::Failure> {
        Err(not_offered())
    }

    fn delete(_: String) -> Result<(), session_store::Failure> {
        Err(not_offered())
    }

    fn take_turn(_: String) -> Result<session_store::Turn, session_store::Failure> {
        Err(not_offered())
    }
}
