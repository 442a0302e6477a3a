//! Project Wycheproof's vectors for JSON Web Keys, Signatures and both mixed with encryption, which someone else wrote.
//!
//! Their payloads are not claims of anybody, so the comparison ends at the signature: key set, header, key and RS256. The vectors lie outside
//! the repository; where they are absent, whoever asks is told so aloud.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::absent;

/// One file of vectors, and how our verdicts differ from upstream's, by `tcId`, each with its reason. The lists may only shrink.
#[derive(Debug, Clone, Copy)]
pub struct Vectors {
    file: &'static str,
    /// Valid upstream and for RS256, and accepted here.
    accepted: usize,
    /// Valid upstream, with a key for RS256, and refused here.
    stricter: &'static [(u64, &'static str)],
    /// Invalid upstream, and accepted here.
    laxer: &'static [(u64, &'static str)],
}

/// All files. `json_web_signature_test.json` has 33, 260 to 263, and figure 13 of RFC 7520 twice for RS256; all its other valid cases have
/// algorithms that are never accepted. `json_web_key_test.json` has one honest RS256 case, number 5, and
/// `json_web_crypto_test.json` number 33.
pub const VECTORS: [Vectors; 3] = [
    Vectors {
        file: "json_web_signature_test.json",
        accepted: 7,
        stricter: &[(259, "the payload is empty: never an access token")],
        laxer: &[],
    },
    Vectors { file: "json_web_key_test.json", accepted: 1, stricter: &[], laxer: &[] },
    Vectors { file: "json_web_crypto_test.json", accepted: 1, stricter: &[], laxer: &[] },
];

impl Vectors {
    /// The test groups, or none after having said so.
    ///
    /// # Panics
    /// Under `CI` where there are none.
    #[must_use]
    pub fn groups(&self) -> Option<Vec<Value>> {
        let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors");
        let folder = std::env::var_os("VALET_VECTORS").map_or_else(beside, PathBuf::from);
        let path = folder.join("wycheproof").join(self.file);
        let Ok(text) = std::fs::read_to_string(&path) else {
            absent::not_run(&format!("no vectors at {}", path.display()));
            return None;
        };
        let mut document: Value = serde_json::from_str(&text).expect("vectors are JSON");
        Some(document["testGroups"].as_array_mut().expect("vectors have groups").drain(..).collect())
    }

    /// Compares all cases with upstream's verdict. `check` says whether a token parses, names a usable key of the set, and carries its signature.
    ///
    /// # Panics
    /// Where a verdict differs and is not listed, or is listed and does not differ.
    pub fn compare(&self, mut check: impl FnMut(&str, &str) -> bool) {
        let Some(groups) = self.groups() else { return };
        let (mut accepted, mut stricter, mut laxer) = (0, vec![], vec![]);
        let mut other_algorithms = BTreeMap::new();
        for group in &groups {
            let keys = key_set(group);
            let algorithm = keys["keys"][0]["alg"].as_str().unwrap_or("none given");
            for test in group["tests"].as_array().expect("groups have tests") {
                let id = test["tcId"].as_u64().expect("tests have numbers");
                // Some are in the JSON serialisation, which is an object here.
                let token = test.get("jws").or_else(|| test.get("jwe")).expect("a token");
                let token = token.as_str().map_or_else(|| token.to_string(), str::to_owned);
                match (check(&token, &keys.to_string()), test["result"] == "valid") {
                    (true, true) => accepted += 1,
                    (true, false) => laxer.push(id),
                    (false, true) if algorithm == "RS256" => stricter.push(id),
                    (false, true) => *other_algorithms.entry(algorithm.to_owned()).or_insert(0) += 1,
                    (false, false) => {}
                }
            }
        }
        let listed = |list: &[(u64, &str)]| list.iter().map(|(id, _)| *id).collect::<Vec<_>>();
        let file = self.file;
        assert_eq!(
            laxer,
            listed(self.laxer),
            "{file}: accepted against upstream: fix the code, or take a fixed case off the list"
        );
        assert_eq!(stricter, listed(self.stricter), "{file}: refused against upstream: likewise");
        assert!(!other_algorithms.contains_key("none given"), "{file}: {other_algorithms:?}");
        assert_eq!(accepted, self.accepted, "{file}: accepted rightly");
    }
}

/// The key of a group as a set.
#[must_use]
pub fn key_set(group: &Value) -> Value {
    let key = group.get("public").unwrap_or(&group["private"]);
    if key.get("keys").is_some() { key.clone() } else { json!({ "keys": [key] }) }
}
