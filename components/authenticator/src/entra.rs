//! Tokens of Entra, judged by the keys of the tenant that they say they are of.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use valet_core_token::hint;
use valet_core_token::settings::Settings;

use crate::bindings::exports::valet::identity::authenticator::{Failure, Principal};
use crate::bindings::valet::identity::refusals::Reason;
use crate::bindings::valet::identity::{keys, validator};

/// What tokens are checked with.
pub(crate) struct Checks {
    settings: Settings,
    /// By tenant, those that were asked for.
    of: BTreeMap<String, TenantChecks>,
}

/// What tokens of one tenant are checked with. The rules name this tenant alone: what was chosen by an unverified claim has to be what the
/// token verifies as.
struct TenantChecks {
    rules: validator::Rules,
    keys: String,
}

impl Checks {
    pub(crate) fn new(settings: Settings) -> Self {
        Self { settings, of: BTreeMap::new() }
    }

    /// Ready with the keys of one tenant: what happens to another must not take this one's users down.
    pub(crate) fn ready(&self) -> Result<(), String> {
        let mut failure = None;
        for tenant in &self.settings.tenants {
            match keys::current(tenant) {
                Ok(_) => return Ok(()),
                Err(why) => failure = failure.or(Some(why)),
            }
        }
        Err(failure.unwrap_or_default())
    }

    pub(crate) fn authenticate(&mut self, token: &str, now: u64) -> Result<Principal, Failure> {
        let TenantChecks { rules, keys } = self.for_token(token).map_err(Failure::Unavailable)?;
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
