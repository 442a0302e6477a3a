//! The signature, and the order of trust around it.

use std::cell::RefCell;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::RSA_PKCS1_SHA256;
use serde_json::json;

use super::{
    AwsLc, Given, KEY, KEYS, NOW, OTHER_KEY, PERFECT, RULES, base64url, claims, header, jwk, mint, refused,
    sign_with, with,
};
use crate::{KeySet, RsaKey, SignatureCheck, SignatureFailure, TokenError, verify};

/// The perfect token's signing input and its signature's bytes.
fn split() -> (&'static str, Vec<u8>) {
    let (input, _) = PERFECT.rsplit_once('.').unwrap();
    // PKCS #1 v1.5 is deterministic, so signing again gives the bytes of the perfect token.
    let mut signature = vec![0; KEY.public_modulus_len()];
    let random = SystemRandom::new();
    KEY.sign(&RSA_PKCS1_SHA256, &random, input.as_bytes(), &mut signature).unwrap();
    assert_eq!(*PERFECT, format!("{input}.{}", base64url(&signature)));
    (input, signature)
}

#[test]
fn any_other_signature_is_refused() {
    let (input, good) = split();
    let mut cases = vec![
        ("one byte", vec![0]),
        ("zeros", vec![0; 256]),
        ("ones", vec![0xff; 256]),
        ("truncated", good[..255].to_vec()),
        ("extended", [&good[..], &[0]].concat()),
        ("zero-prefixed", [&[0], &good[..]].concat()),
        ("twice", [&good[..], &good[..]].concat()),
        ("reversed", good.iter().rev().copied().collect()),
        ("value one", [&[0; 255][..], &[1]].concat()),
    ];
    for bit in [0, 7, 1023, 2040, 2047] {
        let mut flipped = good.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        cases.push(("flipped bit", flipped));
    }
    for (name, signature) in cases {
        refused(name, &Given::token(format!("{input}.{}", base64url(signature))), TokenError::Signature);
    }
}

#[test]
fn another_keys_signature_is_refused() {
    let (input, _) = split();
    refused(
        "other key",
        &Given::token(sign_with(&OTHER_KEY, &RSA_PKCS1_SHA256, input)),
        TokenError::Signature,
    );
    let both = json!({ "keys": [serde_json::from_str::<serde_json::Value>(&KEYS).unwrap()["keys"][0], jwk(&OTHER_KEY, "b")] });
    let known =
        Given { keys: &both.to_string(), ..Given::token(sign_with(&OTHER_KEY, &RSA_PKCS1_SHA256, input)) };
    refused("other key of the set", &known, TokenError::Signature);
}

#[test]
fn header_and_payload_of_different_tokens_do_not_mix() {
    let other = mint(&header(), &with(claims(), "name", json!("Someone Else")));
    let (input, signature) = PERFECT.rsplit_once('.').unwrap();
    let (other_input, other_signature) = other.rsplit_once('.').unwrap();
    refused("payload", &Given::token(format!("{other_input}.{signature}")), TokenError::Signature);
    refused("signature", &Given::token(format!("{input}.{other_signature}")), TokenError::Signature);
}

#[test]
fn a_forged_signature_hides_what_else_is_wrong() {
    for claims in [json!({}), with(claims(), "exp", json!(1)), with(claims(), "aud", json!("api://other"))] {
        let (input, _) =
            mint(&header(), &claims).rsplit_once('.').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
        refused(
            "order",
            &Given::token(sign_with(&OTHER_KEY, &RSA_PKCS1_SHA256, &input)),
            TokenError::Signature,
        );
    }
}

/// Key, message and signature.
type Question = (RsaKey, Vec<u8>, Vec<u8>);

/// What the check was asked, and what it answers.
struct Recorded(RefCell<Vec<Question>>, Result<(), SignatureFailure>);

impl SignatureCheck for Recorded {
    fn rs256(&self, key: &RsaKey, message: &[u8], signature: &[u8]) -> Result<(), SignatureFailure> {
        self.0.borrow_mut().push((key.clone(), message.to_vec(), signature.to_vec()));
        self.1
    }
}

#[test]
fn the_check_is_given_exactly_what_was_signed() {
    let keys = KeySet::parse(&KEYS).unwrap();
    let recorded = Recorded(RefCell::default(), Ok(()));
    verify(&PERFECT, &keys, &RULES, NOW, &recorded).unwrap();
    let [(key, message, signature)] = recorded.0.into_inner().try_into().unwrap();
    let (input, good) = split();
    assert_eq!((message.as_slice(), signature), (input.as_bytes(), good));
    assert_eq!(AwsLc.rs256(&key, &message, &split().1), Ok(()));
}

#[test]
fn rsa_is_not_computed_for_tokens_that_fail_before() {
    let keys = KeySet::parse(&KEYS).unwrap();
    let recorded = Recorded(RefCell::default(), Ok(()));
    for header in [
        with(header(), "alg", json!("none")),
        with(header(), "kid", json!("x")),
        with(header(), "jku", json!("")),
    ] {
        verify(&mint(&header, &claims()), &keys, &RULES, NOW, &recorded).unwrap_err();
    }
    assert_eq!(recorded.0.into_inner(), []);
}

#[test]
fn a_key_that_the_check_does_not_support_is_no_forgery() {
    let keys = KeySet::parse(&KEYS).unwrap();
    let unsupported = Recorded(RefCell::default(), Err(SignatureFailure::UnsupportedKey));
    let error = verify(&PERFECT, &keys, &RULES, NOW, &unsupported).unwrap_err();
    assert_eq!(error, TokenError::UnsupportedKey);
    assert_eq!(error.reason(), crate::Reason::UnusableConfiguration);
}
