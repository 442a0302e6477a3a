//! The tests' common ground: a perfect token, ways to spoil it, and the one place that calls the API.
//!
//! Every refusal starts from a token that is good but for one thing, states the exact error, and is followed by the perfect token,
//! which has to pass. Keys are made and tokens signed at run time; the minting shares no code with what is tested.

mod at_jwt;
mod claims;
mod header;
mod hint;
mod key_cache;
mod keys;
mod mutations;
mod origin;
mod reason;
mod rows;
mod rules;
mod signature;
mod structure;
mod time;
mod wycheproof;

use std::sync::LazyLock;

use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::rsa::PublicKeyComponents;
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256};
use serde_json::{Value, json};
use valet_minting::{
    AUDIENCE, AUDIENCE_URI, CLIENT, CONSUMERS, FOREIGN_TENANT, KEY_ID, KeyPair, SECOND_TENANT, TENANT, USER,
    base64url, header, jwk, sign_with, with, with_text, without,
};

use crate::{
    Caller, KeySet, Kind, Reason, RsaKey, Rules, SignatureCheck, SignatureFailure, TokenError, verify,
};

const NOW: u64 = 1_800_000_000;
const LEEWAY: u64 = 60;
const CONSUMER_KEY_ID: &str = "consumer-key";
const ISSUERLESS_KEY_ID: &str = "issuerless-key";

const RULES: Rules<'_> = Rules {
    authority: "https://login.microsoftonline.com",
    v1_authority: "https://sts.windows.net",
    tenants: &[TENANT, SECOND_TENANT],
    audiences: &[AUDIENCE, AUDIENCE_URI],
    clients: None,
    leeway: LEEWAY as u32,
};

/// The authority's key.
static KEY: LazyLock<KeyPair> = LazyLock::new(valet_minting::key);
/// A key of someone else.
static OTHER_KEY: LazyLock<KeyPair> = LazyLock::new(valet_minting::key);

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

/// That `claim` is missing.
fn missing(claim: &'static str) -> TokenError {
    TokenError::Claim { claim, found: None }
}

/// That `claim` may not be `value`.
fn malformed(claim: &'static str, value: &Value) -> TokenError {
    TokenError::Claim { claim, found: found(value) }
}

/// That the header parameter may not be `value`.
fn unfit(parameter: &'static str, value: &Value) -> TokenError {
    TokenError::HeaderParameter { parameter, found: found(value) }
}

/// What an error shows of `value`.
fn found(value: &Value) -> Option<String> {
    let text = if value.is_object() { "{...}".to_owned() } else { value.to_string() };
    Some(text.chars().take(128).map(|c| if c.is_ascii_graphic() { c } else { '?' }).collect())
}

/// That so many permissions make no access token.
fn no_permissions(scopes: usize, roles: usize, kind: Option<&str>) -> TokenError {
    TokenError::NotAnAccessToken { scopes, roles, kind: kind.map(str::to_owned) }
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
        session_id: None,
        expires_at: NOW + 3600,
    }
}

fn claims() -> Value {
    valet_minting::claims(NOW)
}

fn v1_claims() -> Value {
    valet_minting::v1_claims(NOW)
}

fn app_claims() -> Value {
    valet_minting::app_claims(NOW)
}

/// A token of these parts, signed with RS256 by [`KEY`].
fn mint(header: &Value, claims: &Value) -> String {
    valet_minting::mint(&KEY, header, claims)
}

/// The public half of [`KEY`] in PEM: 294 bytes, which need no padding, in lines of 64 characters (RFC 7468 section 2).
fn public_key_pem() -> String {
    let der: PublicKeyX509Der<'_> = KEY.public_key().as_der().expect("an RSA key has a DER form");
    let text = base64url(der.as_ref()).replace('-', "+").replace('_', "/");
    let lines: Vec<_> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"))
}

fn mint_text(header: impl AsRef<[u8]>, claims: impl AsRef<[u8]>) -> String {
    valet_minting::mint_text(&KEY, header, claims)
}

fn sign(signing_input: &str) -> String {
    sign_with(&KEY, &RSA_PKCS1_SHA256, signing_input)
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
