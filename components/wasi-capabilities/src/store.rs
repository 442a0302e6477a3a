//! The key cache and the token store, as two ranges of names in the one key-value store that every host has (`default`).

use serde_json::json;

use crate::Component;
use crate::bindings::exports::valet::capability::{key_cache, token_store};
use crate::bindings::wasi::keyvalue::store::{self, Bucket, Error};
use crate::telemetry;

/// The one label that Spin, SpinKube and the hosted services provide without further configuration.
const LABEL: &str = "default";

fn bucket() -> Result<Bucket, Error> {
    store::open(LABEL)
}

/// A name in the store. Hosts limit names to 255 bytes; ours are a prefix and a URL or a digest.
fn key(range: &str, name: &str) -> String {
    format!("{range}/{name}")
}

impl key_cache::Guest for Component {
    type Turn = Turn;

    fn take_turn(_: String) -> key_cache::Turn {
        key_cache::Turn::new(Turn)
    }

    fn get(name: String) -> Option<Vec<u8>> {
        bucket().ok()?.get(&key("keys", &name)).ok().flatten()
    }

    fn set(name: String, value: Vec<u8>) {
        // By its contract a failure shows at the next `get`.
        let _ = bucket().and_then(|bucket| bucket.set(&key("keys", &name), &value));
    }

    fn not_renewed(name: String, why: String) {
        telemetry::say(
            &json!({ "target": "keys", "message": "keys were not renewed", "of": name, "why": why }),
        );
    }
}

/// `wasi:keyvalue` offers nothing to wait on, and an instance that serves one request has nobody to wait for.
pub(crate) struct Turn;

impl key_cache::GuestTurn for Turn {}

impl token_store::Guest for Component {
    fn get(name: String) -> Result<Option<Vec<u8>>, token_store::Failure> {
        bucket().and_then(|bucket| bucket.get(&key("tokens", &name))).map_err(failure)
    }

    /// `wasi:keyvalue` keeps everything for good. What has ended is not used, whatever the store still has.
    fn set(name: String, value: Vec<u8>, _: u32) -> Result<(), token_store::Failure> {
        bucket().and_then(|bucket| bucket.set(&key("tokens", &name), &value)).map_err(failure)
    }

    fn delete(name: String) -> Result<(), token_store::Failure> {
        bucket().and_then(|bucket| bucket.delete(&key("tokens", &name))).map_err(failure)
    }
}

fn failure(error: Error) -> token_store::Failure {
    token_store::Failure::Unavailable(match error {
        Error::NoSuchStore => format!("there is no key-value store `{LABEL}`"),
        Error::AccessDenied => format!("the key-value store `{LABEL}` is not granted to this component"),
        Error::Other(why) => why,
    })
}
