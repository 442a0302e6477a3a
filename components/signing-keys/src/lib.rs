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
    if !settings.tenants.iter().any(|known| known == tenant) {
        return Err(format!(
            "tenant `{tenant}` is not among the configured ones, so its keys are not fetched"
        ));
    }
    let authority = Authority {
        url: &settings.authority,
        tenant,
        retry_floor: settings.floor,
        may_be_emulator: settings.may_be_emulator,
    };
    obtain(&Capabilities, authority).map_err(|error| error.to_string())
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
