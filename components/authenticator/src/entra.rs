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

    /// The checks of the tenant that `token` is judged by.
    fn for_token(&mut self, token: &str) -> Result<&mut TenantChecks, String> {
        match self.of.entry(judging(&self.settings.tenants, token)) {
            Entry::Occupied(kept) => Ok(kept.into_mut()),
            Entry::Vacant(place) => {
                let keys = keys::current(place.key())?;
                let rules = rules(&self.settings, place.key());
                Ok(place.insert(TenantChecks { rules, keys }))
            }
        }
    }
}

/// The tenant whose keys and rules `token` is judged by: the one that it says it is of, unverified, if that may call; else the first one, whose rules
/// refuse it. To refuse it here would be quicker, and would tell anybody who can write a token, without a signature, which tenants may call.
fn judging(tenants: &[String], token: &str) -> String {
    let named = if tenants.len() > 1 { hint(token).tenant } else { None };
    let known = named.filter(|tenant| tenants.contains(tenant));
    known.or_else(|| tenants.first().cloned()).unwrap_or_default()
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

#[cfg(test)]
mod tests {
    use valet_core_token::settings::Settings;
    use valet_minting::{
        AUDIENCE, AUTHORITY, FOREIGN_TENANT, SECOND_TENANT, TENANT, V1_AUTHORITY, base64url,
    };

    use super::{judging, rules};

    fn tenants() -> Vec<String> {
        [TENANT, SECOND_TENANT].map(str::to_owned).into()
    }

    fn token(payload: &str) -> String {
        format!("AAAA.{}.AAAA", base64url(payload))
    }

    #[test]
    fn a_token_is_judged_by_the_tenant_that_it_names_if_that_may_call() {
        let of = |tenant: &str| token(&format!(r#"{{"tid":"{tenant}"}}"#));
        for (name, token, tenant) in [
            ("the first", of(TENANT), TENANT),
            ("the second", of(SECOND_TENANT), SECOND_TENANT),
            ("one that may not call", of(FOREIGN_TENANT), TENANT),
            ("another spelling", of(&SECOND_TENANT.to_uppercase()), TENANT),
            ("a claim of another name", token(&format!(r#"{{"TID":"{SECOND_TENANT}"}}"#)), TENANT),
            ("no text", token(&format!(r#"{{"tid":["{SECOND_TENANT}"]}}"#)), TENANT),
            ("two of them", token(&format!(r#"{{"tid":"{SECOND_TENANT}","tid":"{TENANT}"}}"#)), TENANT),
            ("none", token("{}"), TENANT),
            ("no token", "nonsense".to_owned(), TENANT),
        ] {
            assert_eq!(judging(&tenants(), &token), tenant, "{name}");
        }
        assert_eq!(judging(&tenants()[..1], &of(SECOND_TENANT)), TENANT, "one tenant alone");
    }

    /// What was chosen by an unverified claim has to be what the token verifies as.
    #[test]
    fn the_rules_of_a_check_name_its_tenant_alone() {
        let settings = Settings {
            authority: AUTHORITY.to_owned(),
            v1_authority: V1_AUTHORITY.to_owned(),
            tenants: tenants(),
            audiences: vec![AUDIENCE.to_owned()],
            clients: None,
            leeway: 60,
        };
        for tenant in tenants() {
            assert_eq!(rules(&settings, &tenant).tenants, [tenant]);
        }
    }
}
