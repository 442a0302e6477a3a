//! Rows about form, header, key and signature.

use aws_lc_rs::hmac;
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA384, RSA_PSS_SHA256, RsaEncoding};
use serde_json::{Value, json};
use valet_minting::{at_jwt_claims, at_jwt_header};

use super::super::{
    CONSUMER_KEY_ID, CONSUMERS, KEY, KEY_ID, NOW, OTHER_KEY, PERFECT, RULES, TENANT, base64url, jwk, mint,
    mint_text, public_key_pem, sign, sign_with, unfit, with_text,
};
use super::{Row, claims, header, malformed, row, twice, with, without};
use crate::{MAX_DEPTH, MAX_TOKEN_BYTES, TokenError};

const HEADER_JSON: &str = "header is not one JSON object";
const PAYLOAD_JSON: &str = "payload is not one JSON object";
const SEGMENTS: &str = "not three segments";
const SIGNATURE_TEXT: &str = "signature is not base64url";

/// The perfect token with one header parameter changed.
fn headed(id: &'static str, parameter: &str, value: Value, error: TokenError) -> Row {
    let what = format!("{parameter} = {value:.40}");
    row(id, what, mint(&with(header(), parameter, value), &claims()), error)
}

/// The perfect token with a header parameter that may not be what it is.
fn ill(id: &'static str, parameter: &'static str, value: Value) -> Row {
    let error = unfit(parameter, &value);
    headed(id, parameter, value, error)
}

fn algorithm(algorithm: &str) -> TokenError {
    TokenError::Algorithm { algorithm: algorithm.into() }
}

fn too_large(token: String) -> (String, TokenError) {
    let error = TokenError::TooLarge { bytes: token.len(), limit: MAX_TOKEN_BYTES };
    (token, error)
}

/// Header and payload of the perfect token, and the bytes of its signature.
fn perfect() -> (&'static str, &'static str) {
    PERFECT.rsplit_once('.').unwrap()
}

fn input(header: &Value) -> String {
    format!("{}.{}", base64url(header.to_string()), base64url(claims().to_string()))
}

pub(super) fn rows() -> Vec<Row> {
    let mut rows = structure();
    rows.extend(algorithms());
    rows.extend(steering());
    rows.extend(signatures());
    rows
}

fn structure() -> Vec<Row> {
    let (signed, signature) = perfect();
    let deep = |levels: usize| format!(r#""x":{}{}"#, "[".repeat(levels), "]".repeat(levels));
    let header_of = |levels| mint_text(with_text(&header(), &deep(levels)), claims().to_string());
    let claims_of = |levels| mint_text(header().to_string(), with_text(&claims(), &deep(levels)));
    let (deep_header, header_error) = too_large(header_of(20_000));
    let (deep_claims, claims_error) = too_large(claims_of(20_000));
    let too_deep = |levels| TokenError::TooDeep { levels, limit: MAX_DEPTH };
    let mut rows = vec![
        row("J-4", "not a JWT", "opaque-token", malformed(SEGMENTS)),
        row("J-5", "dots alone", "...", malformed(SEGMENTS)),
        row("J-5", "two dots alone", "..", malformed("header is not base64url")),
        row("J-14", "signature removed", format!("{signed}."), malformed(SIGNATURE_TEXT)),
        row("J-14", "and its dot", signed, malformed(SEGMENTS)),
        row("J-34", "five parts, as encrypted", format!("{}.a.b", *PERFECT), malformed(SEGMENTS)),
        row("J-35", "padded", format!("{}==", *PERFECT), malformed(SIGNATURE_TEXT)),
        row(
            "J-35",
            "padded header",
            sign(&format!("{}=.e30", base64url("{}"))),
            malformed("header is not base64url"),
        ),
        row("J-36", "header is no JSON", mint_text("header", claims().to_string()), malformed(HEADER_JSON)),
        row("J-36", "header 20,000 deep", deep_header, header_error),
        row("J-36", "header 4,000 deep", header_of(3999), too_deep(4000)),
        row("J-37", "claims 20,000 deep", deep_claims, claims_error),
        row("J-37", "claims 4,000 deep", claims_of(3999), too_deep(4000)),
        row("J-37", "a level too deep", claims_of(MAX_DEPTH), too_deep(MAX_DEPTH + 1)),
        row(
            "A-structure",
            "a byte order mark",
            mint_text(header().to_string(), format!("\u{feff}{}", claims())),
            malformed(PAYLOAD_JSON),
        ),
        row(
            "A-structure",
            "not UTF-8",
            mint_text(header().to_string(), b"{\"\xff\":1}"),
            malformed(PAYLOAD_JSON),
        ),
        row(
            "A-structure",
            "JSON serialisation",
            json!({ "payload": "e30", "signatures": [] }).to_string(),
            malformed(SEGMENTS),
        ),
        row(
            "A-structure",
            "a nested token",
            mint_text(header().to_string(), &*PERFECT),
            malformed(PAYLOAD_JSON),
        ),
        row(
            "A-structure",
            "one in JSON text",
            mint_text(header().to_string(), json!(*PERFECT).to_string()),
            malformed(PAYLOAD_JSON),
        ),
        row(
            "A-structure",
            "white space before",
            format!(" {}", *PERFECT),
            malformed("header is not base64url"),
        ),
        row("A-structure", "white space behind", format!("{}\n", *PERFECT), malformed(SIGNATURE_TEXT)),
        row(
            "A-structure",
            "the scheme before",
            format!("Bearer {}", *PERFECT),
            malformed("header is not base64url"),
        ),
        row("N-shape", "four segments", format!("{}.{signature}", *PERFECT), malformed(SEGMENTS)),
        row("N-shape", "six segments", format!("{}.a.b.c", *PERFECT), malformed(SEGMENTS)),
        row(
            "N-shape",
            "header member twice",
            mint_text(with_text(&header(), r#""kid":"x""#), claims().to_string()),
            twice("kid"),
        ),
    ];
    let (_, error) = too_large("a".repeat(MAX_TOKEN_BYTES + 1));
    rows.push(row("N-shape", "a byte too long", "a".repeat(MAX_TOKEN_BYTES + 1), error));
    let megabyte = with(claims(), "x", json!("x".repeat(1 << 20)));
    let (megabyte, error) = too_large(mint(&header(), &megabyte));
    rows.push(row("A-structure", "a megabyte", megabyte, error));
    // The last of 342 characters carries four bits; with another two set, lenient decoders read the same signature.
    let last = PERFECT.chars().last().unwrap();
    let sibling = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let at = sibling.iter().position(|&byte| char::from(byte) == last).unwrap();
    let respelled = format!("{}{}", &PERFECT[..PERFECT.len() - 1], char::from(sibling[at | 1]));
    let other_alphabet = format!("{signed}.+{}", &signature[1..]);
    rows.push(row("J-35", "the other alphabet", other_alphabet, malformed(SIGNATURE_TEXT)));
    rows.push(row("J-35", "unused bits set", respelled, malformed(SIGNATURE_TEXT)));
    rows
}

fn algorithms() -> Vec<Row> {
    let unsigned = |alg: &str| format!("{}.", input(&with(header(), "alg", json!(alg))));
    let public = KEY.public_key();
    let hmac = |secret: &[u8]| {
        let input = input(&with(header(), "alg", json!("HS256")));
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), input.as_bytes());
        format!("{input}.{}", base64url(tag))
    };
    let by = |alg: &str, encoding: &'static dyn RsaEncoding| {
        sign_with(&KEY, encoding, &input(&with(header(), "alg", json!(alg))))
    };
    let modulus = public.modulus();
    let spelling = |variant: u32| -> String {
        let flip = |(at, c): (usize, char)| if variant >> at & 1 == 1 { c.to_ascii_uppercase() } else { c };
        "none".chars().enumerate().map(flip).collect()
    };
    let spellings = (0..16).map(spelling).map(|none| row("J-8", &*none, unsigned(&none), algorithm(&none)));
    let mut rows = vec![
        row("J-6", "none", unsigned("none"), algorithm("none")),
        row("J-7", "None", unsigned("None"), algorithm("None")),
        headed("J-9", "alg", json!(""), algorithm("")),
        row("J-10", "HS256 by our PEM", hmac(public_key_pem().as_bytes()), algorithm("HS256")),
        row(
            "J-11",
            "HS256 by the modulus",
            hmac(modulus.big_endian_without_leading_zero()),
            algorithm("HS256"),
        ),
        row("J-20", "RS384", by("RS384", &RSA_PKCS1_SHA384), algorithm("RS384")),
        row("J-20", "PS256", by("PS256", &RSA_PSS_SHA256), algorithm("PS256")),
        row("J-20", "PS256 said to be RS256", by("RS256", &RSA_PSS_SHA256), TokenError::Signature),
        headed("A-alg", "alg", json!("RS257"), algorithm("RS257")),
        ill("N-algorithm", "alg", json!(256)),
        row("N-algorithm", "alg missing", mint(&without(header(), "alg"), &claims()), algorithm("")),
        headed("N-algorithm", "typ", json!(""), TokenError::Type { kind: String::new() }),
        headed("N-algorithm", "typ", json!("id_token"), TokenError::Type { kind: "id_token".into() }),
    ];
    rows.extend(spellings);
    rows
}

fn steering() -> Vec<Row> {
    let attacker = with(header(), "jwk", jwk(&OTHER_KEY, KEY_ID));
    let signed_by_attacker = valet_minting::mint(&OTHER_KEY, &attacker, &claims());
    let unknown = |kid: &str| TokenError::UnknownKey { key_id: kid.into() };
    let (long, error) = too_large(mint(&with(header(), "kid", json!("k".repeat(60_000))), &claims()));
    let consumers = TokenError::KeyIssuer {
        key: format!("{}/{CONSUMERS}/v2.0", RULES.authority),
        expected: format!("{}/{TENANT}/v2.0", RULES.authority),
    };
    let elsewhere = with(at_jwt_claims(NOW), "aud", json!("https://staging.valet.example/mcp"));
    vec![
        row("J-17", "the attacker's jwk", signed_by_attacker, unfit("jwk", &json!({}))),
        ill("J-18", "jku", json!("https://evil.example/keys")),
        ill("J-18", "x5u", json!("https://evil.example/cert")),
        headed("J-19", "kid", json!("../../../../dev/null"), unknown("../../../../dev/null")),
        ill("J-19", "kid", json!(1)),
        row("J-19", "kid of 60 kB", long, error),
        ill("J-22", "crit", json!(["exp"])),
        ill("J-22", "b64", json!(false)),
        headed("J-40", "nonce", json!("wbXTAN0bWtrk3ufPbVBnx4jWl"), TokenError::GraphToken),
        row(
            "J-41",
            "a token of our own kind",
            mint(&at_jwt_header(), &elsewhere),
            TokenError::Type { kind: "at+jwt".into() },
        ),
        ill("A-key", "x5c", json!(["AAAA"])),
        headed("A-key", "kid", json!("https://evil.example/key"), unknown("https://evil.example/key")),
        headed("A-key", "kid", json!("' OR 1=1 --"), unknown("'?OR?1=1?--")),
        ill("A-key", "kid", json!([KEY_ID])),
        ill("A-key", "kid", json!("")),
        headed("A-key", "kid", json!(KEY_ID.to_ascii_uppercase()), unknown(&KEY_ID.to_ascii_uppercase())),
        ill("A-key", "kid", json!("k".repeat(257))),
        headed("A-key", "kid", json!(CONSUMER_KEY_ID), consumers),
        ill("A-structure", "cty", json!("JWT")),
        ill("A-structure", "enc", json!("A256GCM")),
        ill("N-shape", "zip", json!("DEF")),
        row(
            "N-signing-key",
            "kid missing",
            mint(&without(header(), "kid"), &claims()),
            TokenError::HeaderParameter { parameter: "kid", found: None },
        ),
    ]
}

fn signatures() -> Vec<Row> {
    let (signed, signature) = perfect();
    let flipped = |at: usize| {
        let other = if signature.as_bytes()[at] == b'A' { "B" } else { "A" };
        format!("{signed}.{}{other}{}", &signature[..at], &signature[at + 1..])
    };
    let theirs = mint(&header(), &with(claims(), "oid", json!("11111111-0000-4000-8000-000000000000")));
    let (their_input, their_signature) = theirs.rsplit_once('.').unwrap();
    let mut rows = vec![
        row("J-12", "signature changed", flipped(100), TokenError::Signature),
        row("J-13", "claims changed", format!("{their_input}.{signature}"), TokenError::Signature),
        row("J-15", "signature of another", format!("{signed}.{their_signature}"), TokenError::Signature),
        row(
            "J-16",
            "another key, our kid",
            valet_minting::mint(&OTHER_KEY, &header(), &claims()),
            TokenError::Signature,
        ),
        {
            let named = with(header(), "kid", json!("other-key"));
            let mut row =
                row("N-signing-key", "kid of another key", mint(&named, &claims()), TokenError::Signature);
            let keys = json!({ "keys": [jwk(&KEY, KEY_ID), jwk(&OTHER_KEY, "other-key")] }).to_string();
            // Lives as long as the test; it is one.
            row.given.keys = Box::leak(keys.into_boxed_str());
            row
        },
    ];
    for (what, bytes) in [
        ("zero", vec![0; 256]),
        ("one", [vec![0; 255], vec![1]].concat()),
        ("all ones", vec![0xff; 256]),
        ("one byte", vec![0]),
        ("a byte too long", vec![1; 257]),
        ("a byte too short", vec![1; 255]),
    ] {
        rows.push(row("A-signature", what, format!("{signed}.{}", base64url(bytes)), TokenError::Signature));
    }
    rows
}
