//! The authenticator component: from a bearer token to a principal, with the configured rules and the authority's current keys.
//!
//! It joins three parts that do not know each other: settings, `signing-keys` and `token-validator`. It decides nothing about a token; its one
//! rule is when a refusal justifies a look at newer keys.

mod bindings;

use std::cell::RefCell;

use bindings::exports::valet::identity::authenticator::{Failure, Guest, Principal};
use bindings::valet::capability::settings;
use bindings::valet::identity::refusals::Reason;
use bindings::valet::identity::{keys, validator};
use bindings::wasi::clocks::wall_clock;
use valet_core_token::settings::Settings;

struct Component;

/// How long, in seconds, rules and keys are used before they are asked for again. Only an instance that lives long gets to use them twice; a
/// token with an unknown key does not wait for it.
const KEEP: u64 = 10;

/// What a token is checked with.
struct Checks {
    rules: validator::Rules,
    keys: String,
    until: u64,
}

thread_local! {
    static CHECKS: RefCell<Option<Checks>> = const { RefCell::new(None) };
}

impl Guest for Component {
    fn authenticate(token: String) -> Result<Principal, Failure> {
        let now = wall_clock::now().seconds;
        CHECKS.with_borrow_mut(|kept| {
            let checks = match kept {
                // The lower bound is for a clock that was set back.
                Some(checks) if (checks.until.saturating_sub(KEEP)..checks.until).contains(&now) => checks,
                _ => kept.insert(Checks::read(now).map_err(Failure::Unavailable)?),
            };
            authenticate(checks, &token, now)
        })
    }

    fn ready() -> Result<(), String> {
        Checks::read(wall_clock::now().seconds).map(drop)
    }
}

impl Checks {
    fn read(now: u64) -> Result<Self, String> {
        Ok(Self { rules: rules()?, keys: keys::current()?, until: now.saturating_add(KEEP) })
    }
}

fn authenticate(checks: &mut Checks, token: &str, now: u64) -> Result<Principal, Failure> {
    let refusal = match validator::validate(token, &checks.keys, &checks.rules, now) {
        Ok(principal) => return Ok(principal),
        Err(refusal) => refusal,
    };
    // After a rollover the first tokens name a key that was not there an hour ago.
    if refusal.reason == Reason::UnknownKey {
        let newer = keys::newer().map_err(Failure::Unavailable)?;
        if newer != checks.keys {
            checks.keys = newer;
            return validator::validate(token, &checks.keys, &checks.rules, now).map_err(Failure::Refused);
        }
    }
    Err(Failure::Refused(refusal))
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
