//! Which documents and entries are believed, and whose they are.

use serde_json::{Value, json};

use super::super::{FOREIGN_TENANT, OTHER_KEY, TENANT, base64url, jwk, with};
use super::{CURRENT, NEWER, START, URL, World, discovery_url, keys_url, names};
use crate::KeySetError;
use crate::key_cache::{Authority, KeysError, REFRESH_AFTER, RETRY_FLOOR_WITHOUT_KEYS, current};

#[test]
fn documents_that_are_refused_do_not_replace_a_good_set() {
    let bad: [&[u8]; 6] = [b"", b"{}", br#"{"keys":[]}"#, b"<html>", b"\xff", br#"{"keys":[{"kty":"oct"}]}"#];
    for body in bad {
        let world = World::serving(&["a"]);
        assert_eq!(world.check(CURRENT), names(&["a"]));
        world.document(keys_url(TENANT), body);
        world.pass(REFRESH_AFTER);
        assert_eq!((world.check(CURRENT), world.attempts()), (names(&["a"]), 2));
    }
}

#[test]
fn a_set_without_a_usable_key_does_not_replace_a_good_one() {
    let even = with_even_modulus();
    let world = World::serving(&["a"]);
    world.document(keys_url(TENANT), json!({ "keys": [even] }).to_string());
    assert_eq!(world.check(CURRENT), Err(KeysError::KeySet(KeySetError::NoUsableKey { count: 1 })));
    world.serve(TENANT, &["a"]);
    world.pass(RETRY_FLOOR_WITHOUT_KEYS);
    assert_eq!(world.check(CURRENT), names(&["a"]));
    world.document(keys_url(TENANT), json!({ "keys": [even] }).to_string());
    world.pass(REFRESH_AFTER);
    assert_eq!(world.check(CURRENT), names(&["a"]));
}

#[test]
fn why_a_document_has_no_usable_key_is_told_apart() {
    let even = with_even_modulus();
    let two = json!({ "keys": [even, { "kty": "EC" }] }).to_string();
    for (body, error) in [
        (r#"{"keys":[]}"#, KeySetError::NoKeys),
        (two.as_str(), KeySetError::NoUsableKey { count: 2 }),
        (r#"{"keys":[],"keys":[]}"#, KeySetError::DuplicateMember { member: "keys".into() }),
        ("<html>", KeySetError::NotAKeySet),
        ("", KeySetError::NotAKeySet),
    ] {
        let world = World::serving(&["a"]);
        world.document(keys_url(TENANT), body);
        assert_eq!(world.check(CURRENT), Err(KeysError::KeySet(error)), "{body}");
    }
}

/// A key of the right length that nothing can be verified with.
fn with_even_modulus() -> Value {
    with(jwk(&OTHER_KEY, "even"), "n", json!(base64url([0xfe; 256])))
}

#[test]
fn discovery_is_pinned_to_issuer_and_host() {
    let issuer = format!("{URL}/{TENANT}/v2.0");
    let wrong_issuer = "its issuer is not the configured authority and tenant";
    let wrong_host = "its jwks_uri is not on the authority's host";
    let cases = [
        (format!("{URL}/{FOREIGN_TENANT}/v2.0"), keys_url(TENANT), wrong_issuer),
        (format!("{URL}/{{tenantid}}/v2.0"), keys_url(TENANT), wrong_issuer),
        (format!("{issuer}/"), keys_url(TENANT), wrong_issuer),
        (issuer.replace("https", "http"), keys_url(TENANT), wrong_issuer),
        (String::new(), keys_url(TENANT), wrong_issuer),
        (issuer.clone(), "https://evil.example/keys".into(), wrong_host),
        (issuer.clone(), "https://login.example.evil/keys".into(), wrong_host),
        (issuer.clone(), "https://login.example@evil.example/keys".into(), wrong_host),
        (issuer.clone(), "https://login.example:8443/keys".into(), wrong_host),
        (issuer.clone(), "https://login.example".into(), wrong_host),
        (issuer.clone(), "https://login.example?/keys".into(), wrong_host),
        (issuer.clone(), "https://LOGIN.example/keys".into(), wrong_host),
        (issuer.clone(), "http://login.example/keys".into(), wrong_host),
        (issuer.clone(), "//login.example/keys".into(), wrong_host),
        (issuer.clone(), "/keys".into(), wrong_host),
        (issuer, String::new(), wrong_host),
    ];
    for (issuer, jwks_uri, why) in cases {
        let world = World::serving(&["a"]);
        world.discovery(TENANT, &issuer, &jwks_uri);
        world.document(jwks_uri.clone(), json!({ "keys": [jwk(&OTHER_KEY, "evil")] }).to_string());
        assert_eq!(world.check(CURRENT), Err(KeysError::Discovery(why)), "{issuer} {jwks_uri}");
        assert_eq!(*world.asked.borrow(), [discovery_url(TENANT)], "the other host is never asked");
    }
}

#[test]
fn discovery_has_to_be_an_openid_configuration() {
    let uri = keys_url(TENANT);
    let twice = format!(r#"{{"issuer":"{URL}/{TENANT}/v2.0","issuer":"x","jwks_uri":"{uri}"}}"#);
    for body in ["", "[]", "{}", "<html>", r#"{"issuer":1,"jwks_uri":2}"#, twice.as_str()] {
        let world = World::serving(&["a"]);
        world.document(discovery_url(TENANT), body);
        assert_eq!(
            world.check(CURRENT),
            Err(KeysError::Discovery("it is not an OpenID configuration")),
            "{body}"
        );
    }
}

#[test]
fn an_unreadable_entry_is_as_good_as_none() {
    let entries: [&[u8]; 7] =
        [b"", b"{", b"\xff\xfe", b"null", b"[]", br#"{"set":{"keys":[]}}"#, br#"{"fetched_at":"yesterday"}"#];
    for entry in entries {
        let world = World::serving(&["a"]);
        world.set_entry(entry);
        assert_eq!(
            (world.check(CURRENT), world.attempts()),
            (names(&["a"]), 1),
            "{}",
            String::from_utf8_lossy(entry)
        );
        assert_eq!((world.check(CURRENT), world.attempts()), (names(&["a"]), 1));
    }
}

#[test]
fn an_emulator_is_refused_unless_that_is_meant() {
    let world = World::serving(&["a"]);
    let discovery =
        json!({ "issuer": format!("{URL}/{TENANT}/v2.0"), "jwks_uri": keys_url(TENANT), "x-emulator": true });
    world.document(discovery_url(TENANT), discovery.to_string());
    assert!(matches!(world.check(CURRENT), Err(KeysError::Discovery(why)) if why.contains("entra.emulator")));
    world.pass(RETRY_FLOOR_WITHOUT_KEYS);
    let meant =
        Authority { url: URL, tenant: TENANT, retry_floor: super::RETRY_FLOOR, may_be_emulator: true };
    assert!(current(&world, meant).is_ok());
}

#[test]
fn two_tenants_never_share_an_entry() {
    let world = World::serving(&["shared-name"]);
    world.serve(TENANT, &["mine"]);
    world.serve(FOREIGN_TENANT, &["theirs"]);
    let mine = world.ask(CURRENT, TENANT).unwrap();
    let theirs = world.ask(CURRENT, FOREIGN_TENANT).unwrap();
    assert!(mine.contains("mine") && !mine.contains("theirs"));
    assert!(theirs.contains("theirs") && !theirs.contains("mine"));
    assert_eq!((world.attempts(), world.store.borrow().len()), (2, 2));
    assert_eq!((world.ask(CURRENT, TENANT), world.ask(NEWER, FOREIGN_TENANT)), (Ok(mine), Ok(theirs)));
    assert_eq!(world.attempts(), 2);
}

#[test]
fn two_authorities_never_share_an_entry() {
    let world = World::serving(&["a"]);
    assert_eq!(world.check(CURRENT), names(&["a"]));
    let other = Authority {
        url: "https://login.other",
        tenant: TENANT,
        retry_floor: super::RETRY_FLOOR,
        may_be_emulator: false,
    };
    assert!(matches!(current(&world, other), Err(KeysError::Fetch(_))));
}

#[test]
fn what_is_kept_is_the_reduced_set_and_its_times() {
    let world = World::serving(&["a"]);
    let set = world.ask(CURRENT, TENANT).unwrap();
    let expected: Value = serde_json::from_str(&set).unwrap();
    assert_eq!(world.entry(), json!({ "fetched_at": START, "attempted_at": START, "set": expected }));
    assert!(!set.contains("x5t"));
}

#[test]
fn each_error_says_why_there_are_no_keys() {
    let cases = [
        (KeysError::Fetch("no answer".into()), "could not be fetched: no answer"),
        (KeysError::Discovery("its issuer is odd"), "discovery document was refused: its issuer is odd"),
        (KeysError::KeySet(KeySetError::SymmetricKey), "keys were refused: the key set contains a symmetric"),
        (KeysError::Waiting { seconds: 7 }, "due in 7 s"),
    ];
    for (error, says) in cases {
        assert!(error.to_string().contains(says), "{error}");
    }
}
