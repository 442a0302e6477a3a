//! The authenticator component: from a bearer token to a principal, with the configured rules and the authority's current keys.
//!
//! It joins three parts that do not know each other: settings, `signing-keys` and `token-validator`. It decides nothing about a token; its one
//! rule is when a refusal justifies a look at newer keys.

mod bindings;

use bindings::exports::valet::identity::authenticator::{Failure, Guest, Principal};
use bindings::valet::capability::settings;
use bindings::valet::identity::refusals::Reason;
use bindings::valet::identity::{keys, validator};
use bindings::wasi::clocks::wall_clock;
use valet_core_token::settings::Settings;

struct Component;

impl Guest for Component {
    fn authenticate(token: String) -> Result<Principal, Failure> {
        let rules = rules().map_err(Failure::Unavailable)?;
        let now = wall_clock::now().seconds;
        let set = keys::current().map_err(Failure::Unavailable)?;
        let refusal = match validator::validate(&token, &set, &rules, now) {
            Ok(principal) => return Ok(principal),
            Err(refusal) => refusal,
        };
        // After a rollover the first tokens name a key that was not there an hour ago.
        if refusal.reason == Reason::UnknownKey {
            let newer = keys::newer().map_err(Failure::Unavailable)?;
            if newer != set {
                return validator::validate(&token, &newer, &rules, now).map_err(Failure::Refused);
            }
        }
        Err(Failure::Refused(refusal))
    }

    fn ready() -> Result<(), String> {
        rules()?;
        keys::current().map(drop)
    }
}

fn rules() -> Result<validator::Rules, String> {
    let settings = Settings::read(settings::get).map_err(|unset| unset.to_string())?;
    Ok(validator::Rules {
        authority: settings.authority,
        v1_authority: settings.v1_authority,
        tenants: vec![settings.tenant],
        audiences: settings.audiences,
        leeway: settings.leeway,
    })
}
