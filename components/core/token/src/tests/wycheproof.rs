//! Project Wycheproof's vectors, natively with aws-lc. `tests/validator/tests/component.rs` has them for the component.

use valet_minting::vectors::{VECTORS, key_set};

use super::AwsLc;
use crate::jwt::{self, Profile};
use crate::{KeySet, SignatureCheck};

/// Whether `token` parses, names a usable key of `keys`, and carries that key's signature.
fn check(token: &str, keys: &str) -> bool {
    let Ok(keys) = KeySet::parse(keys) else { return false };
    let Ok(parts) = jwt::parse(token, Profile::Entra) else { return false };
    let Some(chosen) = keys.choose(&parts.key_id) else { return false };
    AwsLc.rs256(chosen.key, parts.signing_input, &parts.signature).is_ok()
}

#[test]
fn json_web_signatures() {
    VECTORS[0].compare(check);
}

#[test]
fn json_web_keys() {
    VECTORS[1].compare(check);
}

#[test]
fn signatures_and_encryption_mixed() {
    VECTORS[2].compare(check);
}

#[test]
fn unusable_key_sets_are_refused_as_sets() {
    let Some(groups) = VECTORS[1].groups() else { return };
    let is_usable = |keys: &str| KeySet::parse(keys).is_ok_and(|set| !set.is_empty());
    let usable = groups.iter().filter(|group| is_usable(&key_set(group).to_string()));
    let usable: Vec<&str> = usable.map(|group| group["comment"].as_str().unwrap()).collect();
    assert_eq!(
        usable,
        ["rs256"],
        "symmetric, mixed, small, e = 1, encryption and EC keys, and one of 2049 bits, make no set"
    );
}
