//! Tokens that say where their key is, or where more about them is: nobody goes there (RFC 8725 section 3.10).

use std::io::ErrorKind;
use std::net::{TcpListener, TcpStream};

use entra_emulator::{Signer, TokenVersion, ids};
use serde_json::{Value, json};
use valet_minting::{KeyPair, with};
use valet_suite::check::{Refusal, refused};
use valet_suite::rig::shared_emulator;
use valet_suite::stand_in::http;
use valet_suite::{Ask, Rig, run};

use crate::answers::authority;

/// The name of the attacker's key, in the attacker's set.
const THEIRS: &str = "theirs";

/// Tokens that are perfect but for pointing to `place`, with the reason for which each is refused: by the key that signs for the authority, and by the attacker's.
fn pointing(rig: &Rig, attacker: &KeyPair, claims: &Value, place: &str) -> Vec<(String, String)> {
    let ours = rig.emulator.header(TokenVersion::V2, Signer::Live);
    let theirs = json!({ "typ": "JWT", "alg": "RS256", "kid": THEIRS });
    let by_ours = |header: Value, claims: &Value| rig.emulator.forge(header, claims.clone(), Signer::Live);
    let by_theirs = |header: Value, claims: &Value| valet_minting::mint(attacker, &header, claims);
    let mut tokens = Vec::new();
    for parameter in ["jku", "x5u", "kid"] {
        let reason = match parameter {
            "kid" => format!("unknown_key: no key has kid `{place}`"),
            _ => format!("unsupported: header parameter `{parameter}` is not accepted: `\"{place}\"`"),
        };
        let pointed = |header: &Value| with(header.clone(), parameter, json!(place));
        tokens.push((by_ours(pointed(&ours), claims), reason.clone()));
        tokens.push((by_theirs(pointed(&theirs), claims), reason));
    }
    // Whoever looks for keys where the issuer says that they are.
    let issued = with(claims.clone(), "iss", json!(place));
    let own = claims["iss"].as_str().unwrap();
    tokens.push((by_ours(ours, &issued), format!("wrong_issuer: iss `{place}` is not `{own}`")));
    tokens.push((by_theirs(theirs, &issued), format!("unknown_key: no key has kid `{THEIRS}`")));
    tokens
}

#[test]
fn nobody_goes_where_a_token_points() {
    run(async {
        let (emulator, plain) = (shared_emulator().await, Rig::start().await);
        let authority = authority(&emulator, &plain.http).await;
        let attacker = valet_minting::key();
        let set = json!({ "keys": [valet_minting::jwk(&attacker, THEIRS)] }).to_string();
        authority.answer("/elsewhere", http("200 OK", &[("content-type", "application/json")], &set));
        let stranger = TcpListener::bind("127.0.0.1:0").unwrap();
        stranger.set_nonblocking(true).unwrap();
        let strangers = stranger.local_addr().unwrap();

        let rig = Rig::authorised_by(emulator, &authority.url()).await;
        let issuer = format!("{}/{}/v2.0", authority.url(), ids::TENANT);
        let claims = with(rig.claims(), "iss", json!(issuer));
        rig.call("whoami", &rig.signed(claims.clone())).await.result();
        let asked = authority.requests().len();
        assert!(asked > 0, "it says who was there");

        // The second is on the authority's host, which is where the server does fetch keys.
        for place in [format!("https://{strangers}/keys"), format!("{}/elsewhere", authority.url())] {
            for (token, reason) in pointing(&rig, &attacker, &claims, &place) {
                let audit = format!("denied {reason}");
                let expected = Refusal::challenge(401, "invalid_token", "the token was not accepted", &audit);
                refused(&rig, &reason, Ask::tool("whoami").bearer(&rig.keep(token)), &expected).await;
            }
            // Where a user's groups are said to be is nothing to refuse a token for, and nothing to ask either.
            let sources = json!({ "groups-of": { "endpoint": place } });
            let grouped = with(claims.clone(), "_claim_names", json!({ "groups": "groups-of" }));
            rig.call("whoami", &rig.signed(with(grouped, "_claim_sources", sources))).await.result();
        }
        assert_eq!(authority.requests().split_off(asked), Vec::<String>::new());
        assert_eq!(stranger.accept().unwrap_err().kind(), ErrorKind::WouldBlock, "somebody was there");

        // And it would have been noticed.
        let visit = TcpStream::connect(strangers).unwrap();
        stranger.set_nonblocking(false).unwrap();
        assert_eq!(stranger.accept().unwrap().1, visit.local_addr().unwrap());
    });
}
