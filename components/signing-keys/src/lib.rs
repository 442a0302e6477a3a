//! The signing-keys component: fetches the authority's keys and keeps them between requests.
//!
//! When to fetch is `valet-core-token`'s schedule; this shell lends it the network, the cache and the clock. It is a component of its own so
//! that what parses a stranger's requests (the gateway) cannot write which keys are trusted.

mod bindings;

use bindings::exports::valet::identity::keys::Guest;
use bindings::valet::capability::http::{Failure, Request};
use bindings::valet::capability::{egress_keys, key_cache, settings};
use bindings::wasi::clocks::wall_clock;
use valet_core_token::key_cache::{self as schedule, Authority, KeysError, Ports};
use valet_core_token::settings::KeySettings;

struct Component;

impl Guest for Component {
    fn current(tenant: String) -> Result<String, String> {
        of(&tenant, schedule::current)
    }

    fn newer(tenant: String) -> Result<String, String> {
        of(&tenant, schedule::newer)
    }
}

type Obtain = fn(&Capabilities, Authority<'_>) -> Result<String, KeysError>;

fn of(tenant: &str, obtain: Obtain) -> Result<String, String> {
    let settings = KeySettings::read(settings::get).map_err(|unset| unset.to_string())?;
    configured(tenant, &settings.tenants)?;
    let authority = Authority {
        url: &settings.authority,
        tenant,
        retry_floor: settings.floor,
        may_be_emulator: settings.may_be_emulator,
    };
    obtain(&Capabilities, authority).map_err(|error| error.to_string())
}

/// Whoever asks is believed nothing: the tenant becomes part of a URL, and whose keys are fetched is trusted.
fn configured(tenant: &str, tenants: &[String]) -> Result<(), String> {
    if tenants.iter().any(|known| known == tenant) {
        return Ok(());
    }
    Err(format!("tenant `{tenant}` is not among the configured ones, so its keys are not fetched"))
}

struct Capabilities;

impl Ports for Capabilities {
    type Turn = key_cache::Turn;

    fn now(&self) -> u64 {
        wall_clock::now().seconds
    }

    fn take_turn(&self, name: &str) -> key_cache::Turn {
        key_cache::take_turn(name)
    }

    fn load(&self, name: &str) -> Option<Vec<u8>> {
        key_cache::get(name)
    }

    fn keep(&self, name: &str, entry: &[u8]) {
        key_cache::set(name, entry);
    }

    fn not_renewed(&self, name: &str, why: &KeysError) {
        key_cache::not_renewed(name, &why.to_string());
    }

    fn get(&self, url: &str) -> Result<Vec<u8>, String> {
        let request = Request {
            method: "GET".to_owned(),
            url: url.to_owned(),
            headers: vec![("accept".to_owned(), "application/json".to_owned())],
            body: Vec::new(),
        };
        match egress_keys::send(&request) {
            Ok(response) if response.status == 200 => Ok(response.body),
            Ok(response) => Err(format!("{url} answered with status {}", response.status)),
            Err(Failure::Denied(why)) => Err(format!("{url} is out of reach: {why}")),
            Err(Failure::Unreachable(why)) => Err(format!("{url} cannot be reached: {why}")),
            Err(Failure::TimedOut) => Err(format!("{url} did not answer in time")),
            Err(Failure::TooLarge) => Err(format!("{url} answered with too much")),
            Err(Failure::Protocol(why)) => Err(format!("{url} broke off: {why}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::configured;

    const OURS: &str = "11111111-1111-1111-1111-111111111111";
    const ANOTHER: &str = "22222222-2222-2222-2222-222222222222";

    #[test]
    fn keys_are_fetched_for_configured_tenants_alone() {
        let tenants = [OURS, ANOTHER].map(str::to_owned);
        let part = &OURS[..OURS.len() - 1];
        for tenant in ["", "common", part, &format!("{OURS}/"), &format!("{OURS} {ANOTHER}")] {
            let why =
                format!("tenant `{tenant}` is not among the configured ones, so its keys are not fetched");
            assert_eq!(configured(tenant, &tenants), Err(why));
        }
        assert!(configured(ANOTHER, &tenants[..1]).is_err());
        assert_eq!([OURS, ANOTHER].map(|tenant| configured(tenant, &tenants)), [Ok(()), Ok(())]);
        assert!(configured(OURS, &[]).is_err());
    }
}
