//! Project Wycheproof's vectors for JSON Web Keys and Signatures, which someone else wrote.
//!
//! Their payloads are not Entra claims, so the comparison ends at the signature: key set, header, key and RS256. The vectors lie
//! outside the repository; where they are absent, the tests say so and pass.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::AwsLc;
use crate::jwt::{self, Profile};
use crate::{KeySet, SignatureCheck};

/// How the verdicts on one file differ from upstream's, by `tcId`, each with its reason. May only shrink.
struct Known {
    /// Valid upstream, with a key for RS256, and refused here.
    stricter: &'static [(u64, &'static str)],
    /// Invalid upstream, and accepted here.
    laxer: &'static [(u64, &'static str)],
}

const SIGNATURES: Known =
    Known { stricter: &[(259, "the payload is empty: never an Entra token")], laxer: &[] };

const KEYS: Known = Known {
    stricter: &[],
    laxer: &[(
        7,
        "a ROCA key: its weakness is not searched for, because keys come from the pinned authority alone",
    )],
};

/// Test groups of `file`, or none after having said so.
#[expect(clippy::disallowed_methods, reason = "a test may read its vectors; the core itself does no I/O")]
fn groups(file: &str) -> Option<Vec<Value>> {
    let folder = std::env::var("VALET_VECTORS").map_or_else(
        |_| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../../shared/vectors"),
        PathBuf::from,
    );
    let path = folder.join("wycheproof").join(file);
    let Ok(text) = std::fs::read_to_string(&path) else {
        // Past the harness, which would swallow it because the test passes.
        writeln!(std::io::stderr(), "not run: no vectors at {}", path.display()).unwrap();
        return None;
    };
    let mut document: Value = serde_json::from_str(&text).expect("vectors are JSON");
    Some(document["testGroups"].as_array_mut().expect("vectors have groups").drain(..).collect())
}

/// Whether `token` parses, names a usable key of `keys`, and carries that key's signature.
fn check(token: &str, keys: &str) -> bool {
    let Ok(keys) = KeySet::parse(keys) else { return false };
    let Ok(parts) = jwt::parse(token, Profile::Entra) else { return false };
    let Some(chosen) = keys.choose(&parts.key_id) else { return false };
    AwsLc.rs256(&chosen.key, parts.signing_input, &parts.signature).is_ok()
}

/// Compares all cases of `groups` with upstream's verdict; gives how many are accepted rightly.
fn compare(groups: &[Value], known: &Known) -> usize {
    let (mut accepted, mut stricter, mut laxer) = (0, vec![], vec![]);
    let mut other_algorithms = BTreeMap::new();
    for group in groups {
        let key = group.get("public").unwrap_or(&group["private"]);
        let keys = if key.get("keys").is_some() { key.clone() } else { json!({ "keys": [key] }) };
        let algorithm = keys["keys"][0]["alg"].as_str().unwrap_or("none given");
        for test in group["tests"].as_array().unwrap() {
            let id = test["tcId"].as_u64().unwrap();
            let is_good = check(test["jws"].as_str().unwrap(), &keys.to_string());
            match (is_good, test["result"] == "valid") {
                (true, true) => accepted += 1,
                (true, false) => laxer.push(id),
                (false, true) if algorithm == "RS256" => stricter.push(id),
                (false, true) => *other_algorithms.entry(algorithm.to_owned()).or_insert(0) += 1,
                (false, false) => {}
            }
        }
    }
    let listed = |list: &[(u64, &str)]| list.iter().map(|(id, _)| *id).collect::<Vec<_>>();
    assert_eq!(
        laxer,
        listed(known.laxer),
        "accepted against upstream: fix the code, or take a fixed case off the list"
    );
    assert_eq!(stricter, listed(known.stricter), "refused against upstream: likewise");
    assert!(!other_algorithms.contains_key("none given"), "{other_algorithms:?}");
    accepted
}

#[test]
fn json_web_signatures() {
    let Some(groups) = groups("json_web_signature_test.json") else { return };
    // 33, 260 to 263, and figure 13 of RFC 7520 twice. All other valid cases have algorithms that are never accepted.
    assert_eq!(compare(&groups, &SIGNATURES), 7);
}

#[test]
fn json_web_keys() {
    let Some(groups) = groups("json_web_key_test.json") else { return };
    assert_eq!(compare(&groups, &KEYS), 1, "number 5 is the only honest RS256 case");
}

#[test]
fn unusable_key_sets_are_refused_as_sets() {
    let Some(groups) = groups("json_web_key_test.json") else { return };
    let usable: Vec<&str> = groups
        .iter()
        .filter(|group| {
            let key = group.get("public").unwrap_or(&group["private"]);
            let keys = if key.get("keys").is_some() { key.clone() } else { json!({ "keys": [key] }) };
            KeySet::parse(&keys.to_string()).is_ok_and(|set| !set.is_empty())
        })
        .map(|group| group["comment"].as_str().unwrap())
        .collect();
    assert_eq!(
        usable,
        ["rs256", "jws_rsa_roca_key"],
        "symmetric, mixed, small, e = 1, encryption and EC keys make no set"
    );
}
