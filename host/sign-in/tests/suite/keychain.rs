//! Tokens in the keychain: a real gnome-keyring on a private bus. The bus is found by an environment variable, so each sign-in runs in a
//! process of its own (see `processes.rs`).

use std::fs;

use entra_emulator::{Operation, ids};
use secrecy::ExposeSecret as _;
use valet_sign_in::{CacheError, LogIn, SignInError, Storage};

use crate::bus::{Bus, Keyring};
use crate::person::{Does, approve};
use crate::processes::{again, heard, inner, tell, told};
use crate::rig::{GRAPH, Rig, not_run};

/// What the other process does: signs in with this storage, and tells the token or the error.
async fn sign_in_as_told(told: &str) {
    let (storage, browser) = told.split_once(' ').unwrap();
    let storage = match storage {
        "keychain" => Storage::Keychain,
        "sealed" => Storage::SealedFile,
        _ => Storage::DangerouslyPlaintext,
    };
    let does = if browser == "nobody" { Does::Unreachable } else { approve(ids::ADELE_UPN) };
    let sign_in = inner(storage, does);
    if browser == "log-in"
        && let Err(error) = sign_in.log_in(LogIn::default()).await
    {
        assert!(matches!(error, SignInError::Cache(CacheError::KeychainLocked { .. })), "{error:?}");
        return tell("locked");
    }
    match sign_in.token(&[GRAPH], None).await {
        Ok(token) => tell(token.token.expose_secret()),
        Err(SignInError::Cache(CacheError::NoKeychain { .. })) => tell("no keychain"),
        Err(SignInError::Cache(CacheError::KeychainLocked { .. })) => tell("locked"),
        Err(SignInError::NoStepLeft(_)) => tell("not signed in"),
        Err(error) => panic!("{error:?}"),
    }
}

/// Signs in in another process on this bus, and gives what it told.
async fn ask(rig: &Rig, bus: &str, test: &str, told: &str) -> String {
    let mut child =
        again(rig, &format!("keychain::{test}"), told).env("DBUS_SESSION_BUS_ADDRESS", bus).spawn().unwrap();
    let heard = heard(&mut child).await.expect("an answer");
    assert!(child.wait().await.unwrap().success());
    heard
}

async fn desktop(what: &str) -> Option<(Bus, Keyring)> {
    let Some(bus) = Bus::start().await else {
        not_run(what, "there is no dbus-daemon (apt-get install dbus)");
        return None;
    };
    let Some(keyring) = bus.keyring().await else {
        not_run(what, "there is no gnome-keyring-daemon (apt-get install gnome-keyring)");
        return None;
    };
    Some((bus, keyring))
}

fn files(rig: &Rig) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(rig.state_dir())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn tokens_live_in_the_keychain_and_on_no_disk() {
    if let Some(told) = told() {
        return sign_in_as_told(&told).await;
    }
    let test = "tokens_live_in_the_keychain_and_on_no_disk";
    let Some((bus, _keyring)) = desktop("the keychain").await else { return };
    let rig = Rig::start().await;
    let first = ask(&rig, &bus.address, test, "keychain approve").await;
    assert_eq!(ask(&rig, &bus.address, test, "keychain nobody").await, first);
    assert_eq!(files(&rig), ["account.json", "tokens.lock"]);
    for name in files(&rig) {
        assert!(!fs::read_to_string(rig.state_dir().join(name)).unwrap().contains(&first));
    }
}

#[tokio::test]
async fn a_sealed_file_opens_with_the_key_of_the_keychain_only() {
    if let Some(told) = told() {
        return sign_in_as_told(&told).await;
    }
    let test = "a_sealed_file_opens_with_the_key_of_the_keychain_only";
    let Some((bus, keyring)) = desktop("the sealed file").await else { return };
    let rig = Rig::start().await;
    let first = ask(&rig, &bus.address, test, "sealed approve").await;
    assert_eq!(ask(&rig, &bus.address, test, "sealed nobody").await, first);
    assert_eq!(files(&rig), ["account.json", "tokens.lock", "tokens.sealed"]);
    let sealed = fs::read(rig.state_dir().join("tokens.sealed")).unwrap();
    let shows = |secret: &[u8]| sealed.windows(secret.len()).any(|window| window == secret);
    assert!(!shows(first.as_bytes()) && !shows(b"RefreshToken"));
    // Moved into the keychain, the file goes.
    assert_eq!(
        ask(&rig, &bus.address, test, "keychain nobody").await,
        first,
        "the file is read wherever it is"
    );
    // Another keychain has another key: nothing opens, and what lies there is not overwritten.
    drop(keyring);
    drop(bus);
    let Some((other, _keyring)) = desktop("the sealed file").await else { return };
    assert_eq!(ask(&rig, &other.address, test, "sealed nobody").await, "not signed in");
    assert_eq!(fs::read(rig.state_dir().join("tokens.sealed")).unwrap(), sealed);
    ask(&rig, &other.address, test, "sealed approve").await;
    assert_eq!(fs::read(rig.state_dir().join("tokens.damaged-0")).unwrap(), sealed);
}

#[tokio::test]
async fn without_a_keychain_nothing_is_asked_and_nothing_written() {
    if let Some(told) = told() {
        return sign_in_as_told(&told).await;
    }
    let test = "without_a_keychain_nothing_is_asked_and_nothing_written";
    let rig = Rig::start().await;
    let Some(bus) = Bus::start().await else {
        return not_run("no keychain", "there is no dbus-daemon (apt-get install dbus)");
    };
    for bus in [&bus.address, "unix:path=/nowhere"] {
        for storage in ["keychain", "sealed"] {
            assert_eq!(ask(&rig, bus, test, &format!("{storage} approve")).await, "no keychain");
        }
    }
    assert!(!rig.state_dir().exists() || files(&rig).is_empty(), "no file without leave");
    ask(&rig, &bus.address, test, "plain approve").await;
    assert_eq!(files(&rig), ["account.json", "tokens.json", "tokens.lock"], "with leave there is one");
}

#[tokio::test]
async fn a_locked_keychain_is_told_apart_from_none() {
    if let Some(told) = told() {
        return sign_in_as_told(&told).await;
    }
    let test = "a_locked_keychain_is_told_apart_from_none";
    let Some((bus, keyring)) = desktop("the locked keychain").await else { return };
    let rig = Rig::start().await;
    keyring.lock().await;
    assert_eq!(ask(&rig, &bus.address, test, "keychain log-in").await, "locked", "before anybody is asked");
    assert_eq!(rig.count(Operation::Authorize), 0);
    drop((keyring, bus));
    let Some((bus, keyring)) = desktop("the locked keychain").await else { return };
    ask(&rig, &bus.address, test, "keychain log-in").await;
    keyring.lock().await;
    assert_eq!(ask(&rig, &bus.address, test, "keychain nobody").await, "locked", "with tokens in it");
}

#[test]
fn the_refusal_names_the_way_out() {
    let refused = CacheError::NoKeychain { why: "x".to_owned() };
    assert!(refused.to_string().contains("--dangerously-plaintext-cache"), "{refused}");
}
