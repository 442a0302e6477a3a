//! Hygiene of key sets: what is passed over, and what condemns the whole document.

use rsa::RsaPrivateKey;
use rsa::pkcs1v15::{SigningKey, VerifyingKey};
use rsa::rand_core::{self, CryptoRng, RngCore};
use rsa::sha2::Sha256;
use rsa::signature::{SignatureEncoding as _, Signer as _, Verifier as _};
use rsa::traits::PublicKeyParts as _;
use serde_json::{Value, json};

use super::{
    BelieveAll, Given, KEY, KEY_ID, KEYS, NOW, OTHER_KEY, PERFECT, RULES, accepted, base64url, check, jwk,
    refused, with, without,
};
use crate::{KeySet, KeySetError, TokenError, verify};

fn set(keys: &[Value]) -> String {
    json!({ "keys": keys }).to_string()
}

fn parsed(json: &str) -> Result<usize, KeySetError> {
    let set = KeySet::parse(json)?;
    Ok(if set.is_empty() { 0 } else { set.len() })
}

/// `spoiled` is passed over: alone it makes an empty set, and next to a good key it changes nothing.
#[track_caller]
fn passed_over(name: &str, spoiled: Value) {
    let alone = set(std::slice::from_ref(&spoiled));
    assert_eq!(parsed(&alone), Ok(0), "{name}");
    refused(
        name,
        &Given { keys: &alone, ..Given::token(&*PERFECT) },
        TokenError::UnknownKey { key_id: KEY_ID.into() },
    );
    let both = set(&[spoiled, jwk(&KEY, KEY_ID)]);
    assert_eq!(parsed(&both), Ok(1), "{name}");
    accepted(name, &Given { keys: &both, ..Given::token(&*PERFECT) });
}

fn good() -> Value {
    jwk(&KEY, KEY_ID)
}

/// An odd modulus of `bits` bits. No one knows its factors, which does not matter: it is only looked at.
fn modulus(bits: usize) -> Value {
    let mut n = vec![0xff; bits.div_ceil(8)];
    n[0] >>= (8 - bits % 8) % 8;
    json!(base64url(n))
}

#[test]
fn public_exponents_other_than_65537_are_passed_over() {
    for e in ["", "AQ", "Aw", "EQ", "Ag", "AQAA", "AQAC", "AAEAAQ", "AQAB=", "AQABAA", "aqab"] {
        passed_over(e, with(good(), "e", json!(e)));
    }
    passed_over("absent", without(good(), "e"));
}

#[test]
fn moduli_are_of_2048_to_4096_bits() {
    for bits in [8, 512, 1024, 2040, 2041, 2047, 2049, 3071, 4095, 4097, 4104, 8192, 16384] {
        passed_over(&format!("{bits} bits"), with(good(), "n", modulus(bits)));
    }
    for bits in [2048, 2056, 3072, 4096] {
        assert_eq!(parsed(&set(&[with(good(), "n", modulus(bits))])), Ok(1), "{bits} bits");
    }
}

/// A generator for `rsa`, which keeps to an older interface than aws-lc's.
struct Random;

impl RngCore for Random {
    fn next_u32(&mut self) -> u32 {
        rand_core::impls::next_u32_via_fill(self)
    }

    fn next_u64(&mut self) -> u64 {
        rand_core::impls::next_u64_via_fill(self)
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        aws_lc_rs::rand::fill(bytes).unwrap();
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), rand_core::Error> {
        self.fill_bytes(bytes);
        Ok(())
    }
}

impl CryptoRng for Random {}

/// Its signature is good, so that nothing but the size refuses it; a check that would take it is not asked.
#[test]
fn what_a_key_of_1024_bits_has_signed_is_refused() {
    let private = RsaPrivateKey::new(&mut Random, 1024).unwrap();
    let input =
        format!("{}.{}", base64url(super::header().to_string()), base64url(super::claims().to_string()));
    let signature = SigningKey::<Sha256>::new(private.clone()).sign(input.as_bytes());
    let public = VerifyingKey::<Sha256>::new(private.to_public_key());
    public.verify(input.as_bytes(), &signature).unwrap();
    let small = with(good(), "n", json!(base64url(private.n().to_bytes_be())));
    passed_over("1024 bits", small.clone());
    let (keys, token) = (set(&[small]), format!("{input}.{}", base64url(signature.to_bytes())));
    let error = TokenError::UnknownKey { key_id: KEY_ID.into() };
    refused("1024 bits", &Given { keys: &keys, ..Given::token(&*token) }, error.clone());
    let parsed = KeySet::parse(&keys).unwrap();
    assert_eq!(verify(&token, &parsed, &RULES, NOW, &BelieveAll), Err(error));
}

#[test]
fn moduli_that_cannot_be_one_are_passed_over() {
    let bytes = |first: u8, last: u8, length: usize| {
        let mut n = vec![0xa5; length];
        (n[0], n[length - 1]) = (first, last);
        json!(base64url(n))
    };
    passed_over("even", with(good(), "n", bytes(0x80, 0x02, 256)));
    passed_over("leading zero", with(good(), "n", bytes(0, 1, 257)));
    passed_over("leading zero in length", with(good(), "n", bytes(0, 1, 256)));
    let n = good()["n"].as_str().unwrap().to_owned();
    for text in
        [format!("{n}="), format!("{n}=="), format!("+{}", &n[1..]), format!("{n}\n"), "é".repeat(171)]
    {
        passed_over("spelling", with(good(), "n", json!(text)));
    }
    passed_over("empty", with(good(), "n", json!("")));
    passed_over("absent", without(good(), "n"));
}

#[test]
fn keys_for_other_ends_are_passed_over() {
    passed_over("encryption", with(good(), "use", json!("enc")));
    passed_over("no use known", with(good(), "use", json!("")));
    passed_over("case", with(good(), "use", json!("SIG")));
    for alg in ["RS384", "PS256", "RSA1_5", "RSA-OAEP", "HS256", "none", ""] {
        passed_over(alg, with(good(), "alg", json!(alg)));
    }
    for operations in [json!(["encrypt"]), json!(["sign"]), json!([])] {
        passed_over("key_ops", with(good(), "key_ops", operations));
    }
    let told = with(with(good(), "alg", json!("RS256")), "key_ops", json!(["sign", "verify"]));
    assert_eq!(parsed(&set(&[told, without(jwk(&OTHER_KEY, "untold"), "use")])), Ok(2));
}

#[test]
fn keys_of_other_kinds_are_passed_over() {
    let ec = json!({ "kty": "EC", "crv": "P-256", "kid": KEY_ID, "use": "sig", "x": "AAAA", "y": "AAAA" });
    passed_over("EC", ec);
    passed_over("OKP", json!({ "kty": "OKP", "crv": "Ed25519", "kid": KEY_ID, "x": "AAAA" }));
    passed_over("unheard of", json!({ "kty": "PQ", "kid": KEY_ID }));
    passed_over("case", with(good(), "kty", json!("rsa")));
}

#[test]
fn keys_without_name_are_passed_over() {
    passed_over("absent", without(good(), "kid"));
    passed_over("empty", with(good(), "kid", json!("")));
}

#[test]
fn a_name_used_twice_condemns_the_set() {
    let twice = [good(), jwk(&OTHER_KEY, KEY_ID)];
    assert_eq!(parsed(&set(&twice)), Err(KeySetError::DuplicateKeyId));
    assert_eq!(parsed(&set(&[good(), good()])), Err(KeySetError::DuplicateKeyId));
    let apart = [jwk(&OTHER_KEY, "x"), good(), jwk(&OTHER_KEY, "y"), good()];
    assert_eq!(parsed(&set(&apart)), Err(KeySetError::DuplicateKeyId));
    assert_eq!(parsed(&set(&[good(), jwk(&OTHER_KEY, &KEY_ID.to_lowercase())])), Ok(2));
}

#[test]
fn a_symmetric_key_condemns_the_set() {
    let secret = json!({ "kty": "oct", "kid": "other", "alg": "HS256", "k": base64url([7; 32]) });
    assert_eq!(parsed(&set(&[good(), secret.clone()])), Err(KeySetError::SymmetricKey));
    assert_eq!(parsed(&set(&[secret])), Err(KeySetError::SymmetricKey));
}

#[test]
fn a_set_has_at_most_1000_keys() {
    let many = |count: usize| {
        set(&(0..count).map(|at| with(good(), "kid", json!(at.to_string()))).collect::<Vec<_>>())
    };
    assert_eq!(parsed(&many(1000)), Ok(1000));
    assert_eq!(parsed(&many(1001)), Err(KeySetError::TooManyKeys { count: 1001 }));
    let others = set(&vec![json!({ "kty": "EC" }); 1001]);
    assert_eq!(parsed(&others), Err(KeySetError::TooManyKeys { count: 1001 }));
}

#[test]
fn what_is_no_key_set_is_refused() {
    let good = good().to_string();
    let cases = [
        String::new(),
        "null".into(),
        "[]".into(),
        "{}".into(),
        "<html></html>".into(),
        r#"{"keys":null}"#.into(),
        r#"{"keys":{}}"#.into(),
        r#"{"keys":[1]}"#.into(),
        r#"{"Keys":[]}"#.into(),
        format!(r#"{{"keys":[{good}]}}{{}}"#),
        format!(r#"{{"keys":[{good}]"#),
        format!("\u{feff}{{\"keys\":[{good}]}}"),
        format!(r#"{{"keys":{}{}}}"#, "[".repeat(5000), "]".repeat(5000)),
    ];
    for json in cases {
        assert_eq!(parsed(&json), Err(KeySetError::NotAKeySet), "{json}");
    }
    assert_eq!(parsed(r#"{"keys":[]}"#), Ok(0));
}

#[test]
fn a_member_twice_condemns_the_set() {
    let (good, twice) =
        (good().to_string(), |member: &str| KeySetError::DuplicateMember { member: member.into() });
    let key = |text: &str| format!(r#"{{"keys":[{}]}}"#, good.replace(r#""e":"#, text));
    for (member, json) in [
        ("keys", format!(r#"{{"keys":[{good}],"keys":[]}}"#)),
        ("KEYS", format!(r#"{{"keys":1,"KEYS":[{good}]}}"#)),
        ("e", key(r#""e":"Aw","e":"#)),
        ("e", key(r#""E":1,"use":1,"e":"#)),
        ("kty", format!(r#"{{"keys":[{}]}}"#, good.replace(r#""kty":"#, r#""kty":"oct","kty":"#))),
    ] {
        assert_eq!(parsed(&json), Err(twice(member)), "{json}");
    }
}

#[test]
fn members_of_what_cannot_be_read_are_limited_in_number() {
    let with_members = |object: Value, count: usize| {
        let own = object.as_object().unwrap().len();
        (own..count).fold(object, |object, at| with(object, &format!("x{at}"), json!(at)))
    };
    let odd = with(good(), "kid", json!(1));
    assert_eq!(parsed(&set(&[with_members(odd.clone(), 128)])), Ok(0));
    let error = KeySetError::TooManyMembers { limit: 128 };
    assert_eq!(parsed(&set(&[with_members(odd, 129)])), Err(error.clone()));
    let document = |count| with_members(json!({ "keys": null }), count).to_string();
    assert_eq!(parsed(&document(128)), Err(KeySetError::NotAKeySet));
    assert_eq!(parsed(&document(129)), Err(error));
}

/// RFC 7517 section 5. The key beside them still signs.
#[test]
fn keys_that_cannot_be_read_are_passed_over() {
    for odd in [
        json!({}),
        without(good(), "kty"),
        with(good(), "kty", json!(7)),
        with(good(), "kid", json!(1)),
        with(good(), "kid", json!(null)),
        with(good(), "n", json!(65537)),
        with(good(), "e", json!(65537)),
        with(good(), "use", json!({ "sig": true })),
        with(good(), "key_ops", json!("verify")),
    ] {
        assert_eq!(parsed(&set(std::slice::from_ref(&odd))), Ok(0), "{odd}");
        assert_eq!(parsed(&set(&[odd.clone(), good()])), Ok(1), "{odd}");
    }
    let secret = json!({ "kty": "oct", "kid": 1, "k": base64url([7; 32]) });
    assert_eq!(parsed(&set(&[good(), secret])), Err(KeySetError::SymmetricKey));
}

#[test]
fn the_reduced_set_decides_as_the_whole_one() {
    let mut full: Value = serde_json::from_str(&KEYS).unwrap();
    let keys = full["keys"].as_array_mut().unwrap();
    keys.iter_mut().for_each(|key| key["x5c"] = json!([base64url([9; 800])]));
    keys.push(with(jwk(&OTHER_KEY, "quoted \" \\ \u{e9} \n"), "alg", json!("RS256")));
    keys.push(with(jwk(&OTHER_KEY, "enc"), "use", json!("enc")));
    let full = full.to_string();
    let reduced = KeySet::parse(&full).unwrap().to_json();
    assert_eq!(parsed(&reduced), Ok(4));
    assert!(reduced.len() < full.len() / 2 && !reduced.contains("x5c"), "{reduced}");
    assert_eq!(KeySet::parse(&reduced).unwrap().to_json(), reduced, "a second round changes nothing");
    for kid in [KEY_ID, super::CONSUMER_KEY_ID, super::ISSUERLESS_KEY_ID, "enc", "quoted \" \\ \u{e9} \n"] {
        let token = super::mint(&with(super::header(), "kid", json!(kid)), &super::claims());
        let verdict = |keys| check(&Given { keys, ..Given::token(&*token) });
        assert_eq!(verdict(&full), verdict(&reduced), "{kid}");
    }
}

#[test]
fn an_empty_set_knows_no_key() {
    let error = TokenError::UnknownKey { key_id: KEY_ID.into() };
    refused("empty", &Given { keys: r#"{"keys":[]}"#, ..Given::token(&*PERFECT) }, error);
}

#[test]
fn a_set_may_outlive_its_text() {
    let told = with(with(good(), "alg", json!("RS256")), "key_ops", json!(["sign", "verify"]));
    let text = set(&[with(told, "issuer", json!("https://issuer.example")), jwk(&OTHER_KEY, "other")]);
    let borrowed = KeySet::parse(&text).unwrap();
    let reduced = borrowed.to_json();
    assert_eq!(borrowed.into_owned().to_json(), reduced);
}

#[test]
fn each_error_of_a_set_says_what_is_wrong() {
    let cases = [
        (KeySetError::NotAKeySet, "not a JSON Web Key Set"),
        (KeySetError::DuplicateMember { member: "kid".into() }, "member `kid` of the key set occurs twice"),
        (KeySetError::TooManyMembers { limit: 128 }, "more than 128 members"),
        (KeySetError::NoKeys, "the key set has no keys"),
        (KeySetError::NoUsableKey { count: 2 }, "no key of the set can verify an access token: all 2 are"),
        (KeySetError::TooManyKeys { count: 1001 }, "1001 keys, more than 1000"),
        (KeySetError::DuplicateKeyId, "the same kid"),
        (KeySetError::SymmetricKey, "symmetric"),
    ];
    for (error, says) in cases {
        assert!(error.to_string().contains(says), "{error}");
    }
}
