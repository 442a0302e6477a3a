//! The tests' common ground: a perfect token, ways to spoil it, and the one place that calls the API.
//!
//! Every refusal starts from a token that is good but for one thing, states the exact error, and is followed by the perfect token,
//! which has to pass. Keys are made and tokens signed at run time; the minting shares no code with what is tested.

mod claims;
mod header;
mod key_cache;
mod keys;
mod mutations;
mod origin;
mod rules;
mod signature;
mod structure;
mod time;
mod wycheproof;

use std::sync::LazyLock;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize, PublicKeyComponents};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaEncoding};
use serde_json::{Value, json};

use crate::{
    Caller, KeySet, Kind, Reason, RsaKey, Rules, SignatureCheck, SignatureFailure, TokenError, verify,
};

const NOW: u64 = 1_800_000_000;
const LEEWAY: u64 = 60;
const TENANT: &str = "72f988bf-86f1-41af-91ab-2d7cd011db47";
/// A second tenant that may call.
const SECOND_TENANT: &str = "3aa4a235-b6e2-48d5-9195-7fcf05b459b0";
/// A tenant that Entra knows and the rules do not.
const FOREIGN_TENANT: &str = "0f7a9c11-5d39-4f3e-9d43-c3f2d3b9c0ab";
/// The tenant of personal accounts.
const CONSUMERS: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";
const USER: &str = "00aa00aa-bb11-cc22-dd33-44ee44ee44ee";
const CLIENT: &str = "a1b2c3d4-e5f6-4a7b-8c9d-0e1f2a3b4c5d";
const AUDIENCE: &str = "11111111-2222-3333-4444-555555555555";
const AUDIENCE_URI: &str = "api://valet.example";
const KEY_ID: &str = "Work-Key_1";
const CONSUMER_KEY_ID: &str = "consumer-key";
const ISSUERLESS_KEY_ID: &str = "issuerless-key";

const RULES: Rules<'_> = Rules {
    authority: "https://login.microsoftonline.com",
    v1_authority: "https://sts.windows.net",
    tenants: &[TENANT, SECOND_TENANT],
    audiences: &[AUDIENCE, AUDIENCE_URI],
    leeway: LEEWAY as u32,
};

/// The authority's key.
static KEY: LazyLock<KeyPair> = LazyLock::new(|| KeyPair::generate(KeySize::Rsa2048).unwrap());
/// A key of someone else.
static OTHER_KEY: LazyLock<KeyPair> = LazyLock::new(|| KeyPair::generate(KeySize::Rsa2048).unwrap());

/// The served key set: one key pair under three names, which differ in the issuer they may sign for.
static KEYS: LazyLock<String> = LazyLock::new(|| {
    let key = |kid: &str, issuer: Value| {
        let mut key = jwk(&KEY, kid);
        key["issuer"] = issuer;
        key
    };
    let work = format!("{}/{{tenantid}}/v2.0", RULES.authority);
    let consumers = format!("{}/{CONSUMERS}/v2.0", RULES.authority);
    json!({ "keys": [key(KEY_ID, work.into()), key(CONSUMER_KEY_ID, consumers.into()), key(ISSUERLESS_KEY_ID, "".into())] })
        .to_string()
});

static PERFECT: LazyLock<String> = LazyLock::new(|| mint(&header(), &claims()));

/// What [`verify`] is given; all but the token as in production unless a test says otherwise.
struct Given<'a> {
    token: String,
    keys: &'a str,
    rules: Rules<'a>,
    now: u64,
}

impl Given<'_> {
    fn token(token: impl Into<String>) -> Self {
        Self { token: token.into(), keys: &KEYS, rules: RULES, now: NOW }
    }
}

/// The only call of [`verify`] with real cryptography.
fn check(given: &Given<'_>) -> Result<Caller, TokenError> {
    let keys = KeySet::parse(given.keys).expect("the test's key set is usable");
    verify(&given.token, &keys, &given.rules, given.now, &AwsLc).map(crate::Verified::into_caller)
}

/// `given` meets exactly `error`, and the next good token is not harmed by it.
#[track_caller]
fn refused(name: &str, given: &Given<'_>, error: TokenError) {
    assert_eq!(check(given), Err(error), "{name}");
    assert_eq!(check(&Given::token(&*PERFECT)), Ok(perfect_caller()), "the perfect token after: {name}");
}

#[track_caller]
fn accepted(name: &str, given: &Given<'_>) -> Caller {
    check(given).unwrap_or_else(|error| panic!("{name}: {error:?}"))
}

#[test]
fn the_perfect_token_gives_its_caller() {
    let keys = KeySet::parse(&KEYS).unwrap();
    let verified = verify(&PERFECT, &keys, &RULES, NOW, &AwsLc).unwrap();
    assert_eq!(verified.caller(), &perfect_caller());
    assert_eq!(verified.into_caller(), perfect_caller());
}

#[test]
fn every_error_has_a_reason_and_text_without_the_token() {
    let foreign = mint(&header(), &with(claims(), "aud", json!("api://other")));
    let error = check(&Given::token(&*foreign)).unwrap_err();
    assert_eq!(error.reason(), Reason::WrongAudience);
    let text = error.to_string();
    assert!(text.contains("api://other") && text.contains(AUDIENCE) && !text.contains(&foreign), "{text}");
}

fn perfect_caller() -> Caller {
    Caller {
        tenant_id: TENANT.into(),
        object_id: USER.into(),
        kind: Kind::User,
        client_id: CLIENT.into(),
        display_name: Some("Abe Lincoln".into()),
        scopes: vec!["Mail.Read".into(), "access_as_user".into()],
        roles: vec![],
        token_id: Some("Ed4nKQ7kqkOmDUzjxgAhAA".into()),
        expires_at: NOW + 3600,
    }
}

/// The header of a v2 token as Entra writes it.
fn header() -> Value {
    json!({ "typ": "JWT", "alg": "RS256", "kid": KEY_ID })
}

/// The claims of a delegated v2 token, with the claims that decide nothing too.
fn claims() -> Value {
    json!({
        "aud": AUDIENCE, "iss": format!("https://login.microsoftonline.com/{TENANT}/v2.0"),
        "iat": NOW - 300, "nbf": NOW - 300, "exp": NOW + 3600,
        "aio": "AXQAi/8TAAAA", "azp": CLIENT, "azpacr": "0", "name": "Abe Lincoln", "oid": USER,
        "preferred_username": "abeli@example.com", "rh": "I", "scp": "Mail.Read access_as_user",
        "sub": "HKZpfaHyWadeOouYlitjrI-KffTm222X5rrV3xDqfKQ", "tid": TENANT,
        "uti": "Ed4nKQ7kqkOmDUzjxgAhAA", "ver": "2.0", "wids": ["b79fbf4d-3ef9-4689-8143-76b194e85509"],
    })
}

/// The claims of a delegated v1 token.
fn v1_claims() -> Value {
    let v1 =
        with(with(claims(), "ver", json!("1.0")), "iss", json!(format!("https://sts.windows.net/{TENANT}/")));
    with(with(without(v1, "azp"), "appid", json!(CLIENT)), "aud", json!(AUDIENCE_URI))
}

/// The claims of a v2 token that an application got for itself.
fn app_claims() -> Value {
    with(
        with(without(without(claims(), "scp"), "name"), "roles", json!(["Files.Read.All"])),
        "idtyp",
        json!("app"),
    )
}

fn with(mut object: Value, name: &str, value: Value) -> Value {
    object[name] = value;
    object
}

fn without(mut object: Value, name: &str) -> Value {
    object.as_object_mut().unwrap().remove(name).expect("the member was there");
    object
}

/// `json`, an object, with the text `member` put in front: the way to say what a [`Value`] cannot.
fn with_text(json: &Value, member: &str) -> String {
    json.to_string().replacen('{', &format!("{{{member},"), 1)
}

/// A token of these parts, signed with RS256 by [`KEY`].
fn mint(header: &Value, claims: &Value) -> String {
    mint_text(header.to_string(), claims.to_string())
}

fn mint_text(header: impl AsRef<[u8]>, claims: impl AsRef<[u8]>) -> String {
    sign(&format!("{}.{}", base64url(header), base64url(claims)))
}

fn sign(signing_input: &str) -> String {
    sign_with(&KEY, &RSA_PKCS1_SHA256, signing_input)
}

fn sign_with(key: &KeyPair, encoding: &'static dyn RsaEncoding, signing_input: &str) -> String {
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(encoding, &SystemRandom::new(), signing_input.as_bytes(), &mut signature).unwrap();
    format!("{signing_input}.{}", base64url(signature))
}

/// Written here so that encoder and decoder are not the same crate.
fn base64url(bytes: impl AsRef<[u8]>) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let group = |chunk: &[u8]| {
        let bits = (0..3).fold(0, |bits, at| bits << 8 | usize::from(*chunk.get(at).unwrap_or(&0)));
        (0..=chunk.len()).map(move |at| char::from(ALPHABET[bits >> (18 - 6 * at) & 63])).collect::<String>()
    };
    bytes.as_ref().chunks(3).map(group).collect()
}

/// The public half of `key` as Entra serves it.
fn jwk(key: &KeyPair, kid: &str) -> Value {
    let public = key.public_key();
    let modulus = public.modulus().big_endian_without_leading_zero();
    let exponent = public.exponent().big_endian_without_leading_zero();
    json!({ "kty": "RSA", "use": "sig", "kid": kid, "x5t": kid, "n": base64url(modulus), "e": base64url(exponent) })
}

/// An RS256 check that is not the one that ships.
struct AwsLc;

impl SignatureCheck for AwsLc {
    fn rs256(&self, key: &RsaKey, message: &[u8], signature: &[u8]) -> Result<(), SignatureFailure> {
        PublicKeyComponents { n: &key.n, e: &key.e }
            .verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
            .map_err(|_| SignatureFailure::Mismatch)
    }
}

/// Believes every signature, to reach what lies behind it.
struct BelieveAll;

impl SignatureCheck for BelieveAll {
    fn rs256(&self, _: &RsaKey, _: &[u8], _: &[u8]) -> Result<(), SignatureFailure> {
        Ok(())
    }
}
