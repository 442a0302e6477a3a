//! Makes a corpus of tokens in a folder, with what `valet-core-token` says of each: `corpus.jsonl`, `keys.json` and `rules.json`.
//!
//! `run.py` lets other people's verifiers judge the same tokens and compares. Keys are made anew each time and only their public halves
//! are written; the tokens' choice comes from a fixed seed.

mod corpus;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::rsa::PublicKeyComponents;
use aws_lc_rs::signature::RSA_PKCS1_2048_8192_SHA256;
use serde_json::json;
use valet_core_token::{KeySet, RsaKey, Rules, SignatureCheck, SignatureFailure, TokenError, verify};
use valet_minting::{
    AUDIENCE, AUDIENCE_URI, AUTHORITY, FOREIGN_TENANT, KEY_ID, TENANT, V1_AUTHORITY, jwk, with,
};

use corpus::{FOREIGN_ISSUER_KEY_ID, ISSUERLESS_KEY_ID};

/// What all verifiers tolerate. Tokens keep a distance from its edge, because they are judged one after the other.
const LEEWAY: u32 = 120;

struct AwsLc;

impl SignatureCheck for AwsLc {
    fn rs256(&self, key: &RsaKey, message: &[u8], signature: &[u8]) -> Result<(), SignatureFailure> {
        PublicKeyComponents { n: &key.n, e: &key.e }
            .verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
            .map_err(|_| SignatureFailure::Mismatch)
    }
}

fn main() -> std::io::Result<()> {
    let folder = PathBuf::from(std::env::args_os().nth(1).expect("the folder to write to is the argument"));
    std::fs::create_dir_all(&folder)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is past 1970").as_secs();
    let (key, other) = (valet_minting::key(), valet_minting::key());
    // Two keys, so that a verifier that tries whatever key there is would show; with `issuer`, as Entra's v2.0 document has it.
    let issued =
        |key, kid, tenant| with(jwk(key, kid), "issuer", json!(format!("{AUTHORITY}/{tenant}/v2.0")));
    let keys = json!({ "keys": [
        issued(&key, KEY_ID, "{tenantid}"),
        issued(&other, "other-key", "{tenantid}"),
        issued(&key, FOREIGN_ISSUER_KEY_ID, FOREIGN_TENANT),
        jwk(&key, ISSUERLESS_KEY_ID),
    ] })
    .to_string();
    let rules = Rules {
        authority: AUTHORITY,
        v1_authority: V1_AUTHORITY,
        tenants: &[TENANT],
        audiences: &[AUDIENCE, AUDIENCE_URI],
        clients: None,
        leeway: LEEWAY,
    };
    let set = KeySet::parse(&keys).expect("four good keys");
    let (mut lines, mut seen) = (String::new(), BTreeSet::new());
    for token in corpus::tokens(&key, &other, now, u64::from(LEEWAY)) {
        if !seen.insert(token.text.clone()) {
            continue;
        }
        let verdict = match verify(&token.text, &set, &rules, now, &AwsLc) {
            Ok(_) => "accepted".to_owned(),
            Err(error) => label(&error),
        };
        let line = json!({ "what": token.what, "token": token.text, "valet": verdict });
        writeln!(lines, "{line}").expect("a string takes what is written");
    }
    let issuers = [format!("{AUTHORITY}/{TENANT}/v2.0"), format!("{V1_AUTHORITY}/{TENANT}/")];
    let rules = json!({ "issuers": issuers, "audiences": rules.audiences, "leeway": LEEWAY, "now": now });
    std::fs::write(folder.join("corpus.jsonl"), lines)?;
    std::fs::write(folder.join("keys.json"), keys)?;
    std::fs::write(folder.join("rules.json"), rules.to_string())
}

/// The rule that was not met, in a word that the list of differences can name.
fn label(error: &TokenError) -> String {
    match error {
        TokenError::Malformed { what } => (*what).to_owned(),
        TokenError::DuplicateMember { .. } => "a member twice".to_owned(),
        TokenError::TooManyMembers { .. } => "too many members".to_owned(),
        TokenError::HeaderParameter { parameter, .. } => format!("header {parameter}"),
        TokenError::Claim { claim, .. } => format!("claim {claim}"),
        TokenError::Algorithm { .. } => "header alg".to_owned(),
        TokenError::Type { .. } => "header typ".to_owned(),
        TokenError::GraphToken => "header nonce".to_owned(),
        TokenError::Version { .. } => "claim ver".to_owned(),
        TokenError::EmptyLifetime { .. } => "exp before nbf".to_owned(),
        other => format!("{:?}", other.reason()),
    }
}
