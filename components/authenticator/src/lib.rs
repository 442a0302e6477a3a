//! The authenticator component: from a bearer token to a principal, with the configured rules and the authority's current keys.
//!
//! It joins three parts that do not know each other: settings, `signing-keys` and `token-validator`. It decides nothing about a token; its two
//! rules are which tenant's keys a token is judged by, and when a refusal justifies a look at newer ones.

mod bindings;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use bindings::exports::valet::identity::authenticator::{Failure, Guest, Principal};
use bindings::valet::capability::settings;
use bindings::valet::identity::refusals::Reason;
use bindings::valet::identity::{keys, validator};
use bindings::wasi::clocks::wall_clock;
use valet_core_token::hint;
use valet_core_token::settings::Settings;

struct Component;

/// How long, in seconds, rules and keys are used before they are asked for again. Only an instance that lives long gets to use them twice; a
/// token with an unknown key does not wait for it.
const KEEP: u64 = 10;

/// What tokens are checked with.
struct Checks {
    settings: Settings,
    /// By tenant, those that were asked for.
    of: BTreeMap<String, TenantChecks>,
    until: u64,
}

/// What tokens of one tenant are checked with. The rules name this tenant alone: what was chosen by an unverified claim has to be what the
/// token verifies as.
struct TenantChecks {
    rules: validator::Rules,
    keys: String,
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

    /// Ready with the keys of one tenant: what happens to another must not take this one's users down.
    fn ready() -> Result<(), String> {
        let Checks { settings, .. } = Checks::read(wall_clock::now().seconds)?;
        let mut failure = None;
        for tenant in &settings.tenants {
            match keys::current(tenant) {
                Ok(_) => return Ok(()),
                Err(why) => failure = failure.or(Some(why)),
            }
        }
        Err(failure.unwrap_or_default())
    }
}

impl Checks {
    fn read(now: u64) -> Result<Self, String> {
        let settings = Settings::read(settings::get).map_err(|unset| unset.to_string())?;
        Ok(Self { settings, of: BTreeMap::new(), until: now.saturating_add(KEEP) })
    }

    /// The checks for the tenant that `token` says it is of, unverified, if that may call; else those for the first one, which refuse it.
    fn for_token(&mut self, token: &str) -> Result<&mut TenantChecks, String> {
        let tenants = &self.settings.tenants;
        let named = if tenants.len() > 1 { hint(token).tenant } else { None };
        let known = named.filter(|tenant| tenants.contains(tenant));
        let tenant = known.or_else(|| tenants.first().cloned()).unwrap_or_default();
        match self.of.entry(tenant) {
            Entry::Occupied(kept) => Ok(kept.into_mut()),
            Entry::Vacant(place) => {
                let keys = keys::current(place.key())?;
                let rules = rules(&self.settings, place.key());
                Ok(place.insert(TenantChecks { rules, keys }))
            }
        }
    }
}

fn authenticate(checks: &mut Checks, token: &str, now: u64) -> Result<Principal, Failure> {
    let TenantChecks { rules, keys } = checks.for_token(token).map_err(Failure::Unavailable)?;
    let refusal = match validator::validate(token, keys, rules, now) {
        Ok(principal) => return Ok(principal),
        Err(refusal) => refusal,
    };
    // After a rollover the first tokens name a key that was not there an hour ago.
    if refusal.reason == Reason::UnknownKey {
        let newer = keys::newer(&rules.tenants[0]).map_err(Failure::Unavailable)?;
        if newer != *keys {
            *keys = newer;
            return validator::validate(token, keys, rules, now).map_err(Failure::Refused);
        }
    }
    Err(Failure::Refused(refusal))
}

fn rules(settings: &Settings, tenant: &str) -> validator::Rules {
    validator::Rules {
        authority: settings.authority.clone(),
        v1_authority: settings.v1_authority.clone(),
        tenants: vec![tenant.to_owned()],
        audiences: settings.audiences.clone(),
        clients: settings.clients.clone(),
        leeway: settings.leeway,
    }
}
