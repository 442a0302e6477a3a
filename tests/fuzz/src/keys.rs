//! Key sets, and the authority's two documents on their way into the cache.

use std::cell::RefCell;
use std::collections::BTreeMap;

use valet_core_token::key_cache::{Authority, KeysError, Ports, RETRY_FLOOR, current};
use valet_core_token::{KeySet, MAX_KEYS};
use valet_minting::{AUTHORITY, TENANT};

use crate::token::NOW;

pub(crate) fn key_set(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(set) = KeySet::parse(text) else { return };
    assert!(set.len() <= MAX_KEYS);
    let reduced = set.to_json();
    let again = KeySet::parse(&reduced).expect("what we write can be read");
    assert_eq!(again.to_json(), reduced, "and means the same");
    assert_eq!(set.into_owned().to_json(), reduced);
}

/// An authority whose documents are the two parts of the input.
struct World<'a> {
    discovery: &'a [u8],
    keys: &'a [u8],
    kept: RefCell<BTreeMap<String, Vec<u8>>>,
}

impl Ports for World<'_> {
    type Turn = ();

    fn now(&self) -> u64 {
        NOW
    }

    fn take_turn(&self, _: &str) {}

    fn load(&self, name: &str) -> Option<Vec<u8>> {
        self.kept.borrow().get(name).cloned()
    }

    fn keep(&self, name: &str, entry: &[u8]) {
        self.kept.borrow_mut().insert(name.to_owned(), entry.to_vec());
    }

    fn not_renewed(&self, _: &str, _: &KeysError) {}

    fn get(&self, url: &str) -> Result<Vec<u8>, String> {
        let beside = url.strip_prefix(AUTHORITY).expect("only the authority is asked");
        assert!(beside.starts_with('/'), "{url}");
        Ok(if beside.ends_with("/openid-configuration") { self.discovery } else { self.keys }.to_vec())
    }
}

/// The two documents with a line break of NUL between.
pub(crate) fn documents(data: &[u8]) {
    let at = data.iter().position(|&byte| byte == 0).unwrap_or(data.len());
    let (discovery, keys) = (&data[..at], data.get(at + 1..).unwrap_or_default());
    let world = World { discovery, keys, kept: RefCell::default() };
    let authority =
        Authority { url: AUTHORITY, tenant: TENANT, retry_floor: RETRY_FLOOR, may_be_emulator: false };
    let first = current(&world, authority);
    if let Ok(set) = &first {
        assert!(!KeySet::parse(set).expect("what is handed out is usable").is_empty());
        assert_eq!(current(&world, authority), first, "and is kept");
    }
}
