//! The key cache on a virtual clock, with an authority that counts what it is asked.

mod documents;
mod schedule;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::{Value, json};

use super::{FOREIGN_TENANT, KEY, TENANT, jwk};
use crate::KeySet;
use crate::key_cache::{Authority, KeysError, Ports, RETRY_FLOOR, current, newer};

const URL: &str = "https://login.example";
const START: u64 = 1_800_000_000;

/// An authority, the store, and the clock.
struct World {
    now: Cell<u64>,
    retry_floor: Cell<u64>,
    store: RefCell<BTreeMap<String, Vec<u8>>>,
    documents: RefCell<BTreeMap<String, Vec<u8>>>,
    asked: RefCell<Vec<String>>,
    /// What the operator was told.
    told: RefCell<Vec<(String, KeysError)>>,
    reachable: Cell<bool>,
    turn_taken: Rc<Cell<bool>>,
    /// What somebody does who gets the next turn first.
    ahead: Cell<Option<fn(&World)>>,
}

struct Turn(Rc<Cell<bool>>);

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

impl Ports for World {
    type Turn = Turn;

    fn now(&self) -> u64 {
        self.now.get()
    }

    fn take_turn(&self, _: &str) -> Turn {
        if let Some(someone_else) = self.ahead.take() {
            someone_else(self);
        }
        assert!(!self.turn_taken.replace(true), "the turn was given back");
        Turn(Rc::clone(&self.turn_taken))
    }

    fn load(&self, name: &str) -> Option<Vec<u8>> {
        self.store.borrow().get(name).cloned()
    }

    fn keep(&self, name: &str, entry: &[u8]) {
        self.store.borrow_mut().insert(name.to_owned(), entry.to_vec());
    }

    fn not_renewed(&self, name: &str, why: &KeysError) {
        self.told.borrow_mut().push((name.to_owned(), why.clone()));
    }

    fn get(&self, url: &str) -> Result<Vec<u8>, String> {
        self.asked.borrow_mut().push(url.to_owned());
        let documents = self.documents.borrow();
        documents
            .get(url)
            .filter(|_| self.reachable.get())
            .cloned()
            .ok_or_else(|| format!("no answer from {url}"))
    }
}

fn discovery_url(tenant: &str) -> String {
    format!("{URL}/{tenant}/v2.0/.well-known/openid-configuration")
}

fn keys_url(tenant: &str) -> String {
    format!("{URL}/{tenant}/discovery/v2.0/keys")
}

impl World {
    /// An authority that serves the keys `kids` for each of two tenants.
    fn serving(kids: &[&str]) -> Self {
        let world = Self {
            now: Cell::new(START),
            retry_floor: Cell::new(RETRY_FLOOR),
            store: RefCell::default(),
            documents: RefCell::default(),
            asked: RefCell::default(),
            told: RefCell::default(),
            reachable: Cell::new(true),
            turn_taken: Rc::default(),
            ahead: Cell::default(),
        };
        for tenant in [TENANT, FOREIGN_TENANT] {
            world.discovery(tenant, &format!("{URL}/{tenant}/v2.0"), &keys_url(tenant));
            world.serve(tenant, kids);
        }
        world
    }

    fn discovery(&self, tenant: &str, issuer: &str, jwks_uri: &str) {
        let document =
            json!({ "issuer": issuer, "jwks_uri": jwks_uri, "token_endpoint": "https://elsewhere.example" });
        self.document(discovery_url(tenant), document.to_string());
    }

    fn serve(&self, tenant: &str, kids: &[&str]) {
        let keys: Vec<Value> = kids.iter().map(|kid| jwk(&KEY, kid)).collect();
        self.document(keys_url(tenant), json!({ "keys": keys }).to_string());
    }

    fn document(&self, url: String, body: impl Into<Vec<u8>>) {
        self.documents.borrow_mut().insert(url, body.into());
    }

    fn pass(&self, seconds: u64) {
        self.now.set(self.now.get() + seconds);
    }

    /// Attempts to fetch so far: each begins with one look at discovery.
    fn attempts(&self) -> usize {
        self.asked.borrow().iter().filter(|url| url.ends_with("/openid-configuration")).count()
    }

    fn ask(&self, call: Call, tenant: &str) -> Result<String, KeysError> {
        call(
            self,
            Authority { url: URL, tenant, retry_floor: self.retry_floor.get(), may_be_emulator: false },
        )
    }

    /// The one call of the API: names of the keys that are used now.
    fn check(&self, call: Call) -> Result<Vec<String>, KeysError> {
        let set = self.ask(call, TENANT)?;
        KeySet::parse(&set).expect("what is handed out is usable");
        let set: Value = serde_json::from_str(&set).unwrap();
        Ok(set["keys"]
            .as_array()
            .unwrap()
            .iter()
            .map(|key| key["kid"].as_str().unwrap().to_owned())
            .collect())
    }

    fn entry(&self) -> Value {
        serde_json::from_slice(&self.load(&format!("{URL}/{TENANT}")).unwrap()).unwrap()
    }

    fn set_entry(&self, entry: impl AsRef<[u8]>) {
        self.keep(&format!("{URL}/{TENANT}"), entry.as_ref());
    }
}

type Call = fn(&World, Authority<'_>) -> Result<String, KeysError>;
const CURRENT: Call = current;
const NEWER: Call = newer;

fn names(kids: &[&str]) -> Result<Vec<String>, KeysError> {
    Ok(kids.iter().map(|&kid| kid.to_owned()).collect())
}

fn unreachable() -> Result<Vec<String>, KeysError> {
    Err(KeysError::Fetch(format!("no answer from {}", discovery_url(TENANT))))
}

fn waiting(seconds: u64) -> Result<Vec<String>, KeysError> {
    Err(KeysError::Waiting { seconds })
}
