//! Thousands of small injuries to tokens, claims and key sets: nothing panics, and nothing that was injured is believed.
//!
//! The generator has a fixed seed, so a failure comes again.

use serde_json::Value;
use valet_minting::dice::Dice;

use super::{
    AUDIENCE, AUDIENCE_URI, BelieveAll, Given, KEYS, LEEWAY, NOW, PERFECT, RULES, base64url, check, claims,
    header,
};
use crate::{Caller, KeySet, Verified, verify};

#[track_caller]
fn never_accepted(token: &str) {
    if token != *PERFECT {
        check(&Given::token(token)).expect_err(token);
    }
}

#[test]
fn an_injured_token_is_never_accepted() {
    let mut dice = Dice::new(0x9e37_79b9_7f4a_7c15);
    for _ in 0..6000 {
        never_accepted(&String::from_utf8_lossy(&dice.injure(PERFECT.as_bytes())));
    }
}

#[test]
fn a_token_with_another_byte_at_any_place_is_never_accepted() {
    let mut dice = Dice::new(1);
    for at in 0..PERFECT.len() {
        let mut bytes = PERFECT.as_bytes().to_vec();
        bytes[at] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."[dice.below(65)];
        never_accepted(std::str::from_utf8(&bytes).unwrap());
    }
}

#[test]
fn a_truncated_token_is_never_accepted() {
    for at in 0..PERFECT.len() {
        never_accepted(&PERFECT[..at]);
        never_accepted(&PERFECT[at + 1..]);
    }
}

/// The rules again, on a plain JSON value and without the crate's types: what an accepted payload must at least satisfy.
fn satisfies_the_rules(payload: &[u8], caller: &Caller) -> bool {
    let Ok(claims) = serde_json::from_slice::<Value>(payload) else { return false };
    let text = |name: &str| claims[name].as_str().unwrap_or_default();
    let number = |name: &str| claims[name].as_u64().expect("a time is a whole number");
    let issuer = match text("ver") {
        "1.0" => format!("https://sts.windows.net/{}/", text("tid")),
        _ => format!("https://login.microsoftonline.com/{}/v2.0", text("tid")),
    };
    RULES.tenants.contains(&text("tid"))
        && [AUDIENCE, AUDIENCE_URI].contains(&text("aud"))
        && text("iss") == issuer
        && number("exp") + LEEWAY > NOW
        && number("nbf").max(number("iat")) <= NOW + LEEWAY
        && number("exp") > number("nbf")
        && claims.get("cnf").is_none()
        && caller.tenant_id == text("tid")
        && caller.object_id == text("oid")
        && caller.expires_at == number("exp")
        && caller.scopes.iter().eq(text("scp").split_ascii_whitespace())
        && !(caller.scopes.is_empty() && caller.roles.is_empty())
}

#[test]
fn injured_claims_are_refused_or_still_satisfy_the_rules() {
    let keys = KeySet::parse(&KEYS).unwrap();
    let mut dice = Dice::new(2);
    let (mut accepted, mut refused) = (0, 0);
    for base in [claims(), super::v1_claims(), super::app_claims()] {
        let base = base.to_string();
        for round in 0..5000 {
            let mut payload = dice.injure(base.as_bytes());
            if round % 3 == 0 {
                payload = dice.injure(&payload);
            }
            let token = format!("{}.{}.AAAA", base64url(header().to_string()), base64url(&payload));
            match verify(&token, &keys, &RULES, NOW, &BelieveAll).map(Verified::into_caller) {
                Ok(caller) => {
                    accepted += 1;
                    assert!(satisfies_the_rules(&payload, &caller), "{}", String::from_utf8_lossy(&payload));
                }
                Err(_) => refused += 1,
            }
        }
    }
    // Both outcomes are common, otherwise the loop would prove nothing.
    assert!(accepted > 1000 && refused > 1000, "{accepted} accepted, {refused} refused");
}

#[test]
fn an_injured_key_set_never_panics_and_survives_its_own_round_trip() {
    let mut dice = Dice::new(3);
    let mut usable = 0;
    for _ in 0..3000 {
        let injured = dice.injure(KEYS.as_bytes());
        let Ok(text) = std::str::from_utf8(&injured) else { continue };
        let Ok(keys) = KeySet::parse(text) else { continue };
        let reduced = keys.to_json();
        assert_eq!(KeySet::parse(&reduced).expect("our own JSON").to_json(), reduced);
        usable += usize::from(!keys.is_empty());
        let _ = check(&Given { keys: text, ..Given::token(&*PERFECT) });
    }
    assert!(usable > 500, "{usable}");
}
