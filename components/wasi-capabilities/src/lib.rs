//! The wasi-capabilities component: what our own host lends natively, made of what Spin and other `wasi:http` hosts provide.
//!
//! The scope of each capability is enforced here: an `egress-*` reaches one configured base URL, `settings` does not answer for secrets.
//! In the *single* layout everything is one component to the runtime, so this component is what keeps the parts apart; in *split* the runtime
//! does it as well.

mod bindings;
mod egress;
mod request_state;
mod sessions;
mod store;
mod telemetry;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bindings::exports::valet::capability::{credential, rate_limit, settings};
use bindings::wasi::config::store as config;

struct Component;

/// Settings that only `credential` and `request-state` read.
const SECRETS: [&str; 3] = ["client_secret", "sealing_key", "state_key"];

/// The value of `name`; an empty one counts as not set, because Spin has no other way to leave an optional variable out.
fn configured(name: &str) -> Result<Option<String>, String> {
    match config::get(name) {
        Ok(value) => Ok(value.filter(|value| !value.is_empty())),
        Err(config::Error::Upstream(why) | config::Error::Io(why)) => Err(why),
    }
}

impl settings::Guest for Component {
    fn get(name: String) -> Option<String> {
        if SECRETS.contains(&name.as_str()) { None } else { configured(&name).ok().flatten() }
    }
}

fn secret(name: &'static str) -> Result<String, credential::Failure> {
    match configured(name) {
        // `spin up --variable name=@file` keeps the newline at the end of the file.
        Ok(Some(value)) => Ok(value.trim().to_owned()),
        Ok(None) => Err(credential::Failure::Missing(format!("variable `{name}`"))),
        Err(why) => Err(credential::Failure::Unreadable(why)),
    }
}

/// Nothing here outlives a request, so nothing can be counted: limits belong into the proxy in front.
impl rate_limit::Guest for Component {
    fn take(_: String) -> Result<(), u32> {
        Ok(())
    }

    fn give_back(_: String) {}
}

impl credential::Guest for Component {
    fn client_secret() -> Result<String, credential::Failure> {
        secret("client_secret")
    }

    fn sealing_keys() -> Result<Vec<Vec<u8>>, credential::Failure> {
        // The decoder's error would print a byte of the key.
        let unreadable =
            |_| credential::Failure::Unreadable("variable `sealing_key` is not base64".to_owned());
        secret("sealing_key")?
            .split_whitespace()
            .map(|key| STANDARD.decode(key).map_err(unreadable))
            .collect()
    }
}
