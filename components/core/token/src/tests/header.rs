//! Header rules: the algorithm, parameters that would steer the verifier, `typ`, `kid`.

use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::hmac;
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RsaEncoding};
use serde_json::{Value, json};

use super::{
    CONSUMER_KEY_ID, CONSUMERS, Given, ISSUERLESS_KEY_ID, KEY, KEY_ID, RULES, TENANT, accepted, base64url,
    claims, header, jwk, mint, public_key_pem, refused, sign_with, unfit, with, without,
};
use crate::TokenError;

fn with_header(header: &Value) -> Given<'static> {
    Given::token(mint(header, &claims()))
}

fn algorithm(shown: &str) -> TokenError {
    TokenError::Algorithm { algorithm: shown.into() }
}

#[test]
fn alg_none_is_refused_in_every_case_variant_with_and_without_signature() {
    for variant in 0..16_u32 {
        let flip = |(at, c): (usize, char)| if variant >> at & 1 == 1 { c.to_ascii_uppercase() } else { c };
        let none: String = "none".chars().enumerate().map(flip).collect();
        let signed = mint(&with(header(), "alg", json!(none)), &claims());
        let unsigned = format!("{}.", signed.rsplit_once('.').unwrap().0);
        refused(&none, &Given::token(signed), algorithm(&none));
        refused("unsigned", &Given::token(unsigned), algorithm(&none));
    }
}

#[test]
fn hs256_keyed_with_any_spelling_of_the_public_key_is_refused() {
    let public = KEY.public_key();
    let der: PublicKeyX509Der<'_> = public.as_der().unwrap();
    let pem = public_key_pem();
    let modulus = public.modulus().big_endian_without_leading_zero();
    let key = jwk(&KEY, KEY_ID);
    let secrets: [(&str, &[u8]); 6] = [
        ("pkcs1 der", public.as_ref()),
        ("spki der", der.as_ref()),
        ("pem", pem.as_bytes()),
        ("modulus", modulus),
        ("n", key["n"].as_str().unwrap().as_bytes()),
        ("jwk", &key.to_string().into_bytes()),
    ];
    let header = with(header(), "alg", json!("HS256"));
    let input = format!("{}.{}", base64url(header.to_string()), base64url(claims().to_string()));
    for (name, secret) in secrets {
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), input.as_bytes());
        refused(name, &Given::token(format!("{input}.{}", base64url(tag))), algorithm("HS256"));
    }
}

#[test]
fn other_algorithms_are_refused_although_the_right_key_signed() {
    let encodings: [(&str, &'static dyn RsaEncoding); 3] =
        [("RS384", &RSA_PKCS1_SHA384), ("RS512", &RSA_PKCS1_SHA512), ("PS256", &RSA_PSS_SHA256)];
    for (name, encoding) in encodings {
        for said in [name, "RS256"] {
            let header = with(header(), "alg", json!(said));
            let input = format!("{}.{}", base64url(header.to_string()), base64url(claims().to_string()));
            let error = if said == name { algorithm(name) } else { TokenError::Signature };
            refused(name, &Given::token(sign_with(&KEY, encoding, &input)), error);
        }
    }
}

#[test]
fn alg_is_exactly_rs256() {
    for other in
        ["", "rs256", "Rs256", "RS256 ", " RS256", "RS256\0", "RS1", "ES256", "EdDSA", "RSA1_5", "dir"]
    {
        let shown: String = other.chars().map(|c| if c.is_ascii_graphic() { c } else { '?' }).collect();
        refused(other, &with_header(&with(header(), "alg", json!(other))), algorithm(&shown));
    }
    refused("absent", &with_header(&without(header(), "alg")), algorithm(""));
    for value in [json!(256), json!(["RS256"]), json!({ "RS256": 1 }), json!(true), Value::Null] {
        let error = unfit("alg", &value);
        refused("type", &with_header(&with(header(), "alg", value)), error);
    }
    let long = "A".repeat(1000);
    refused("long", &with_header(&with(header(), "alg", json!(long))), algorithm(&long[..128]));
}

#[test]
fn parameters_that_steer_the_verifier_are_refused_whatever_they_hold() {
    let own = jwk(&KEY, KEY_ID);
    let cases: [(&'static str, Value); 11] = [
        ("jwk", own),
        ("jku", json!("https://login.microsoftonline.com/common/discovery/v2.0/keys")),
        ("x5u", json!("https://evil.example/cert.pem")),
        ("x5c", json!(["MIIC"])),
        ("crit", json!(["exp"])),
        ("crit", json!([])),
        ("b64", json!(true)),
        ("b64", json!(false)),
        ("zip", json!("DEF")),
        ("enc", json!("A256GCM")),
        ("cty", json!("JWT")),
    ];
    for (parameter, value) in cases {
        for value in [value, Value::Null] {
            let error = unfit(parameter, &value);
            refused(parameter, &with_header(&with(header(), parameter, value)), error);
        }
    }
}

#[test]
fn a_graph_token_is_refused_by_its_nonce() {
    for value in [json!("wbXTAN0bWtrk3ufPbVBnx4jWl"), json!(""), Value::Null] {
        refused("nonce", &with_header(&with(header(), "nonce", value)), TokenError::GraphToken);
    }
}

#[test]
fn typ_may_be_absent_and_must_not_be_something_else() {
    accepted("absent", &with_header(&without(header(), "typ")));
    for kind in ["JWT", "jwt", "Jwt"] {
        accepted(kind, &with_header(&with(header(), "typ", json!(kind))));
    }
    for kind in [
        "",
        "JOSE",
        "id+jwt",
        "logout+jwt",
        "dpop+jwt",
        "pop",
        "JWE",
        "JWT2",
        "secevent+jwt",
        "JWTnot",
        // An authorization server of ours writes it, and is judged by rules and keys of its own.
        "at+jwt",
        "application/at+jwt",
        "application/jwt",
    ] {
        refused(
            kind,
            &with_header(&with(header(), "typ", json!(kind))),
            TokenError::Type { kind: kind.into() },
        );
    }
    for value in [json!(1), json!(["JWT"]), Value::Null] {
        let error = unfit("typ", &value);
        refused("type", &with_header(&with(header(), "typ", value)), error);
    }
}

#[test]
fn kid_is_a_string_of_sane_length() {
    let absent = TokenError::HeaderParameter { parameter: "kid", found: None };
    refused("absent", &with_header(&without(header(), "kid")), absent);
    let long = "k".repeat(257);
    for value in [
        json!([KEY_ID]),
        json!(1),
        json!({ "kid": KEY_ID }),
        Value::Null,
        json!(""),
        json!(long),
        json!(true),
    ] {
        let error = unfit("kid", &value);
        refused("odd kid", &with_header(&with(header(), "kid", value)), error);
    }
}

#[test]
fn kid_is_compared_whole_and_never_interpreted() {
    let unknown = |shown: &str| TokenError::UnknownKey { key_id: shown.into() };
    let cases = [
        ("work-key_1", "work-key_1"),
        ("WORK-KEY_1", "WORK-KEY_1"),
        ("Work-Key_", "Work-Key_"),
        ("Work-Key_11", "Work-Key_11"),
        ("Work-Key_1 ", "Work-Key_1?"),
        ("Work-Key_1\0", "Work-Key_1?"),
        ("../../../../dev/null", "../../../../dev/null"),
        ("https://evil.example/key", "https://evil.example/key"),
        ("' OR 1=1 --", "'?OR?1=1?--"),
        ("*", "*"),
        ("\n\u{1b}[31mkid", "??[31mkid"),
    ];
    for (kid, shown) in cases {
        refused(kid, &with_header(&with(header(), "kid", json!(kid))), unknown(shown));
    }
    let longest = "k".repeat(256);
    refused("longest", &with_header(&with(header(), "kid", json!(longest))), unknown(&longest[..128]));
}

#[test]
fn a_key_signs_only_for_its_own_issuer() {
    let work_token_of_consumer_key = with_header(&with(header(), "kid", json!(CONSUMER_KEY_ID)));
    let error = TokenError::KeyIssuer {
        key: format!("{}/{CONSUMERS}/v2.0", RULES.authority),
        expected: format!("{}/{TENANT}/v2.0", RULES.authority),
    };
    refused("consumer key", &work_token_of_consumer_key, error);
    accepted("a key without issuer", &with_header(&with(header(), "kid", json!(ISSUERLESS_KEY_ID))));
}

#[test]
fn parameters_that_decide_nothing_are_passed_over() {
    let v1_like = with(with(header(), "x5t", json!(KEY_ID)), "ctx", json!("c"));
    accepted("x5t", &with_header(&v1_like));
}
