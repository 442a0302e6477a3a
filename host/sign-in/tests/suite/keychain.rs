//! Tokens in the keychain: a real gnome-keyring on a private bus. The bus is found by an environment variable, so each sign-in runs in a
//! process of its own (see `processes.rs`).

use std::fs;

use entra_emulator::{Operation, ids};
use secrecy::ExposeSecret as _;
use serde_json::Value;
use valet_sign_in::limits::MAX_KEYCHAIN_BYTES;
use valet_sign_in::{CacheError, LogIn, SignInError, Storage};

use crate::bus::{Bus, Keyring};
use crate::cache::small_disk;
use crate::person::{Does, approve};
use crate::processes::{again, heard, inner, tell, told};
use crate::rig::{GRAPH, LONG, Rig, VALET, alex, not_run};

/// What the other process does: signs in with this storage, and tells the token or the error.
async fn sign_in_as_told(told: &str) {
    let (storage, browser) = told.split_once(' ').unwrap();
    let storage = storage_named(storage);
    let does = if browser == "nobody" { Does::Unreachable } else { approve(ids::ADELE_UPN) };
    let sign_in = inner(storage, does);
    if browser == "log-in"
        && let Err(error) = sign_in.log_in(LogIn::default()).await
    {
        return match error {
            SignInError::Cache(CacheError::KeychainLocked { .. }) => tell("locked"),
            SignInError::Cache(CacheError::Write { path, .. }) => {
                tell(&format!("cannot write {}", path.display()))
            }
            error => panic!("{error:?}"),
        };
    }
    match sign_in.token(&[GRAPH], None).await {
        Ok(token) => tell(token.token.expose_secret()),
        Err(SignInError::Cache(CacheError::NoKeychain { .. })) => tell("no keychain"),
        Err(SignInError::Cache(CacheError::KeychainLocked { .. })) => tell("locked"),
        Err(SignInError::NoStepLeft(_)) => tell("not signed in"),
        Err(error) => panic!("{error:?}"),
    }
}

fn storage_named(name: &str) -> Storage {
    match name {
        "keychain" => Storage::Keychain,
        "sealed" => Storage::SealedFile,
        _ => Storage::DangerouslyPlaintext,
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

/// As with a plain file (`cache.rs`).
#[tokio::test]
async fn a_full_disk_leaves_the_sealed_file_whole() {
    if let Some(told) = told() {
        return sign_in_as_told(&told).await;
    }
    let test = "a_full_disk_leaves_the_sealed_file_whole";
    let Some((bus, _keyring)) = desktop("the sealed file").await else { return };
    let rig = Rig::start().await;
    let Some(disk) = small_disk(&rig.state_dir()) else {
        return not_run("a full disk", "mounting a tmpfs is not permitted here");
    };
    let ask = async |what: &str| ask(&rig, &bus.address, test, &format!("sealed {what}")).await;
    let first = ask("approve").await;
    let file = rig.state_dir().join("tokens.sealed");
    let before = fs::read(&file).unwrap();
    disk.fill();
    rig.advance(LONG);
    let second = ask("nobody").await;
    assert_ne!(second, first, "the call has its token");
    assert_eq!(fs::read(&file).unwrap(), before, "and the cache is what it was, whole");
    let mut names = files(&rig);
    names.retain(|name| name != "ballast");
    assert_eq!(names, ["account.json", "tokens.lock", "tokens.sealed"], "nothing half written stays");
    // A sign-in on purpose is not pretended.
    assert_eq!(ask("log-in").await, format!("cannot write {}", file.display()));
    assert_eq!(fs::read(&file).unwrap(), before);
    disk.relieve();
    let third = ask("log-in").await;
    assert_eq!(ask("nobody").await, third, "from the file");
    assert_ne!(fs::read(&file).unwrap(), before);
}

/// What one of several processes does: has a token for this scope without a person, or signs a person in for both.
async fn at_once_as_told(told: &str) {
    let (storage, scope) = told.split_once(' ').unwrap();
    if scope != "both" {
        let token = inner(storage_named(storage), Does::Unreachable).token(&[scope], None).await.unwrap();
        return tell(token.token.expose_secret());
    }
    let sign_in = inner(storage_named(storage), approve(ids::ADELE_UPN));
    for scope in [VALET, GRAPH] {
        sign_in.token(&[scope], None).await.unwrap();
    }
    tell("done");
}

/// As in a plain file (`processes.rs`), and through the same lock: four have to refresh.
#[tokio::test]
async fn processes_at_once_lose_nothing_in_the_keychain_nor_in_the_sealed_file() {
    if let Some(told) = told() {
        return at_once_as_told(&told).await;
    }
    let test = "processes_at_once_lose_nothing_in_the_keychain_nor_in_the_sealed_file";
    for storage in ["keychain", "sealed"] {
        let Some((bus, _keyring)) = desktop("processes at once").await else { return };
        let rig = Rig::start().await;
        let ask = async |what: &str| ask(&rig, &bus.address, test, &format!("{storage} {what}")).await;
        ask("both").await;
        rig.advance(LONG);
        let before = rig.count(Operation::Refresh);
        let start = |scope: &&str| {
            let mut command = again(&rig, &format!("keychain::{test}"), &format!("{storage} {scope}"));
            command.env("DBUS_SESSION_BUS_ADDRESS", &bus.address).spawn().unwrap()
        };
        let mut children: Vec<_> = [GRAPH, VALET, GRAPH, VALET].iter().map(start).collect();
        let mut tokens = Vec::new();
        for child in &mut children {
            tokens.push(heard(child).await.expect("a token"));
            assert!(child.wait().await.unwrap().success());
        }
        assert_eq!((&tokens[0], &tokens[1]), (&tokens[2], &tokens[3]), "{storage}: the second of each finds");
        assert_eq!(rig.count(Operation::Refresh) - before, 2, "{storage}: once for each API");
        // Neither overwrote the other.
        assert_eq!((ask(GRAPH).await, ask(VALET).await), (tokens[0].clone(), tokens[1].clone()), "{storage}");
        // And a refresh token is kept that the next one can use.
        rig.advance(LONG);
        assert_ne!(ask(GRAPH).await, tokens[0], "{storage}");
        assert_eq!(rig.count(Operation::Refresh) - before, 3, "{storage}");
        let kept = match storage {
            "sealed" => vec!["account.json", "tokens.lock", "tokens.sealed"],
            _ => vec!["account.json", "tokens.lock"],
        };
        assert_eq!(files(&rig), kept);
    }
}

/// The cache itself, as it lies in the keychain. Blocks.
fn item() -> keyring_core::Entry {
    use keyring_core::api::CredentialStoreApi as _;
    let name = format!("token cache of {}", std::env::var("VALET_TEST_STATE").unwrap());
    zbus_secret_service_keyring_store::Store::new().unwrap().build("valet", &name, None).unwrap()
}

/// Puts a second account into it, whose refresh token is as long as the whole cache may be.
fn grow() {
    let mut cache: Value = serde_json::from_slice(&item().get_secret().unwrap()).unwrap();
    for section in ["Account", "RefreshToken"] {
        let mut entry = cache[section].as_object().unwrap().values().next().unwrap().clone();
        entry["home_account_id"] = format!("{}.{}", ids::ALEX, ids::TENANT).into();
        match section {
            "Account" => entry["local_account_id"] = ids::ALEX.to_string().into(),
            _ => entry["secret"] = "r".repeat(MAX_KEYCHAIN_BYTES).into(),
        }
        cache[section]["of-alex"] = entry;
    }
    item().set_secret(&serde_json::to_vec(&cache).unwrap()).unwrap();
    tell("done");
}

/// Whether it is there.
fn look() {
    match item().get_secret() {
        Ok(_) => tell("in the keychain"),
        Err(keyring_core::Error::NoEntry) => tell("not in the keychain"),
        Err(error) => panic!("{error}"),
    }
}

async fn too_large_as_told(told: &str) {
    let sign_in = || inner(Storage::Keychain, Does::Unreachable);
    match told {
        "grow" => tokio::task::spawn_blocking(grow).await.unwrap(),
        "look" => tokio::task::spawn_blocking(look).await.unwrap(),
        "accounts" => tell(&sign_in().accounts().await.unwrap().len().to_string()),
        "log-out" => {
            sign_in().log_out(&alex()).await.unwrap();
            tell("done");
        }
        told => sign_in_as_told(told).await,
    }
}

#[tokio::test]
async fn a_cache_too_large_for_the_keychain_moves_into_a_sealed_file_and_back_and_loses_nothing() {
    if let Some(told) = told() {
        return too_large_as_told(&told).await;
    }
    let test = "a_cache_too_large_for_the_keychain_moves_into_a_sealed_file_and_back_and_loses_nothing";
    let Some((bus, _keyring)) = desktop("the keychain").await else { return };
    let rig = Rig::start().await;
    let ask = async |told: &str| ask(&rig, &bus.address, test, told).await;
    let first = ask("keychain approve").await;
    ask("grow").await;
    assert_eq!((ask("accounts").await, ask("look").await), ("2".to_owned(), "in the keychain".to_owned()));
    // It is written as a whole at the next change.
    assert_eq!(ask("keychain log-in").await, first, "the token is still there");
    assert_eq!(files(&rig), ["account.json", "tokens.lock", "tokens.sealed"]);
    assert_eq!(
        (ask("accounts").await, ask("look").await),
        ("2".to_owned(), "not in the keychain".to_owned())
    );
    let sealed = fs::read(rig.state_dir().join("tokens.sealed")).unwrap();
    assert!(sealed.len() > MAX_KEYCHAIN_BYTES && !sealed.windows(8).any(|part| part == b"rrrrrrrr"));
    assert_eq!(ask("keychain nobody").await, first);
    // Small again, it is where it was.
    ask("log-out").await;
    assert_eq!(files(&rig), ["account.json", "tokens.lock"]);
    assert_eq!((ask("accounts").await, ask("look").await), ("1".to_owned(), "in the keychain".to_owned()));
    assert_eq!(ask("keychain nobody").await, first);
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
