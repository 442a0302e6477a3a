//! Project Wycheproof's vectors for JSON Web Signatures, as far as their keys are for RS256. They lie outside the repository; where they are
//! absent, the test says that it did not run, which is a failure under `CI`.

#[path = "../../../../../tests/suite/src/absent/mod.rs"]
mod absent;

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use crate::{PublicKey, verify};

/// The file's groups, or none after having said so.
#[allow(
    clippy::disallowed_methods,
    reason = "a test may read its vectors; the core itself does no I/O, and where else this runs nothing is disallowed"
)]
fn groups() -> Option<Vec<Value>> {
    let folder = std::env::var("VALET_VECTORS").map_or_else(
        |_| {
            let mut folders = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
            folders.find(|folder| folder.join("Cargo.lock").exists()).unwrap().join("../shared/vectors")
        },
        PathBuf::from,
    );
    let path = folder.join("wycheproof/json_web_signature_test.json");
    let Ok(text) = std::fs::read_to_string(&path) else {
        absent::not_run(&format!("there are no vectors at {}", path.display()));
        return None;
    };
    let mut document: Value = serde_json::from_str(&text).expect("vectors are JSON");
    Some(document["testGroups"].as_array_mut().expect("vectors have groups").drain(..).collect())
}

/// Whether a compact JWS has a signature, and it is right. Its header is not looked at: that is another crate's part.
fn check(jws: &str, key: &Value) -> bool {
    let [n, e] = ["n", "e"].map(|member| URL_SAFE_NO_PAD.decode(key[member].as_str().unwrap()).unwrap());
    let Some((message, signature)) = jws.rsplit_once('.') else { return false };
    let Ok(signature) = URL_SAFE_NO_PAD.decode(signature) else { return false };
    verify(&PublicKey { n: &n, e: &e }, message.as_bytes(), &signature).is_ok()
}

#[test]
fn json_web_signatures() {
    let Some(groups) = groups() else { return };
    let (mut accepted, mut refused) = (vec![], 0);
    for group in &groups {
        let key = group.get("public").unwrap_or(&group["private"]);
        if key["kty"] != "RSA" || key["alg"] != "RS256" {
            continue;
        }
        for test in group["tests"].as_array().unwrap() {
            let id = test["tcId"].as_u64().unwrap();
            let is_good = check(test["jws"].as_str().unwrap(), key);
            assert_eq!(is_good, test["result"] == "valid", "{id}: {}", test["comment"]);
            if is_good { accepted.push(id) } else { refused += 1 }
        }
    }
    // So that a file that has changed is noticed.
    assert_eq!((accepted, refused), (vec![33, 259, 260, 261, 262, 263, 345, 349], 225));
}
