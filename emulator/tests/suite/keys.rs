//! Rotation, removal, forging, starting and stopping.

use entra_emulator::{Emulator, Options, Signer, StartError, TokenVersion, ids};

use crate::bench::{Bench, header};

#[tokio::test]
async fn rotation_and_removal() {
    let bench = Bench::start().await;
    let emulator = &bench.emulator;
    let mint =
        || emulator.access_token(ids::ADELE_UPN, ids::DEMO_CLIENT, ids::VALET, &["mcp.access"]).unwrap();
    let (old, old_kid) = (mint(), emulator.signing_kid());
    let new_kid = emulator.rotate_keys().unwrap();
    let new = mint();
    assert_eq!(header(&new)["kid"], new_kid);
    assert!(bench.verifies(&old).await && bench.verifies(&new).await);
    assert!(emulator.remove_key(&old_kid));
    assert!(!emulator.remove_key(&old_kid));
    assert!(!bench.verifies(&old).await && bench.verifies(&new).await);
}

#[tokio::test]
async fn forged_tokens_fail_in_the_chosen_way() {
    let bench = Bench::start().await;
    let emulator = &bench.emulator;
    let claims = emulator.claims_of(ids::ADELE_UPN, ids::DEMO_CLIENT, ids::VALET, &["mcp.access"]).unwrap();
    let forge = |signer| emulator.forge(emulator.header(TokenVersion::V2, signer), claims.clone(), signer);
    assert!(bench.verifies(&forge(Signer::Live)).await);
    assert!(
        bench.verifies(&forge(Signer::Consumer)).await,
        "the signature is right, the key's issuer is not"
    );
    assert!(!bench.verifies(&forge(Signer::Removed)).await);
    assert!(!bench.verifies(&forge(Signer::Stranger)).await);
    assert!(emulator.kids().contains(&header(&forge(Signer::Stranger))["kid"].as_str().unwrap().to_owned()));
    let doubled = emulator.forge_text("{\"alg\":\"RS256\"}", "{\"aud\":\"a\",\"aud\":\"b\"}", Signer::Live);
    assert_eq!(doubled.split('.').nth(1).unwrap(), "eyJhdWQiOiJhIiwiYXVkIjoiYiJ9");
}

#[tokio::test]
async fn only_loopback_unless_allowed() {
    let options = Options { bind: "0.0.0.0:0".parse().unwrap(), ..Options::default() };
    assert!(matches!(Emulator::start(options).await, Err(StartError::NotLoopback(_))));
}

#[tokio::test]
async fn stopping_closes_the_port() {
    let bench = Bench::start().await;
    let url = bench.login("discovery/v2.0/keys");
    bench.emulator.stop().await;
    assert!(bench.http.get(url).send().await.is_err());
}

#[tokio::test]
async fn the_authority_is_kept_in_the_state_folder() {
    let folder = std::env::temp_dir().join(format!("entra-emulator-test-{}", uuid::Uuid::new_v4()));
    let options = Options { state: Some(folder.clone()), ..Options::default() };
    let first = Bench::start_with(options.clone()).await;
    let second = Bench::start_with(options).await;
    assert_eq!(first.emulator.ca_pem(), second.emulator.ca_pem());
    // The client that trusts the first must also reach the second.
    let url = second.login("discovery/v2.0/keys");
    assert_eq!(first.http.get(url).send().await.unwrap().status(), 200);
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn keys_are_kept_in_the_state_folder_and_are_nobodys_else() {
    let folder = std::env::temp_dir().join(format!("entra-emulator-keys-{}", uuid::Uuid::new_v4()));
    let options = Options { state: Some(folder.clone()), ..Options::default() };
    let first = Bench::start_with(options.clone()).await;
    let mint = |bench: &Bench| {
        let emulator = &bench.emulator;
        emulator.access_token(ids::ADELE_UPN, ids::DEMO_CLIENT, ids::VALET, &["mcp.access"]).unwrap()
    };
    let removed = first.emulator.signing_kid();
    let rotated = first.emulator.rotate_keys().unwrap();
    assert!(first.emulator.remove_key(&removed));
    let (token, kids) = (mint(&first), first.emulator.kids());
    first.emulator.stop().await;
    let second = Bench::start_with(options.clone()).await;
    assert!(second.verifies(&token).await, "a token outlives a restart");
    assert_eq!(
        (second.emulator.signing_kid(), header(&mint(&second))["kid"].as_str()),
        (rotated.clone(), Some(&*rotated))
    );
    let sorted = |mut kids: Vec<String>| {
        kids.sort();
        kids
    };
    assert_eq!(sorted(second.emulator.kids()), sorted(kids), "a removed key does not come back");
    second.emulator.stop().await;

    let file = folder.join("emulator-keys.json");
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(&file).unwrap());
        assert_eq!(mode & 0o777, 0o600);
    }
    for bad in [
        "{",
        "{\"keys\":[]}",
        "{\"keys\":[{\"consumer\":false,\"private\":\"AA==\",\"certificate\":\"AA==\"}]}",
    ] {
        std::fs::write(&file, bad).unwrap();
        let refused = Emulator::start(options.clone()).await.err();
        assert!(
            matches!(&refused, Some(StartError::Keys(e)) if e.to_string().contains("emulator-keys.json"))
        );
    }
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn two_emulators_share_no_key() {
    let (one, other) = (Bench::start().await, Bench::start().await);
    let mut kids = one.emulator.kids();
    kids.extend(other.emulator.kids());
    assert_eq!(kids.iter().collect::<std::collections::BTreeSet<_>>().len(), 6);
}
