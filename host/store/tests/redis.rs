//! What is particular to a server that several processes share, and that can be lost.
#![expect(clippy::unwrap_used, reason = "a test that panics has failed, which is what it should do")]

mod common;

use std::time::Duration;

use valet_store::limits::SWEPT_ENTRIES;
use valet_store::{Range, RedisSettings, Store, StoreError, Term};

use common::LONG;
use common::redis_server::{PASSWORD, RedisServer};

#[tokio::test]
async fn a_wrong_password_is_refused_at_start_and_not_shown() {
    let Some(server) = RedisServer::start() else { return };
    let url = format!("redis://:wrong-secret@localhost:{}", server.port);
    let error =
        Store::redis(&RedisSettings { url: url.into(), certificate_authorities: None }).await.unwrap_err();
    assert!(matches!(&error, StoreError::Unavailable { .. }), "{error}");
    assert!(!format!("{error} {error:?}").contains("wrong-secret"));
    server.store().await;
}

#[tokio::test]
async fn a_url_that_is_none_is_refused_and_not_shown() {
    for url in [
        "",
        "secret",
        "http://secret@localhost",
        "redis://:sec ret@[::",
        "rediss://:secret@localhost#insecure",
        "redis://:secret@localhost/x",
    ] {
        let settings = RedisSettings { url: url.to_owned().into(), certificate_authorities: None };
        let error = Store::redis(&settings).await.unwrap_err();
        assert!(matches!(&error, StoreError::Settings { .. }), "{url}: {error}");
        assert!(!format!("{error} {error:?} {settings:?}").contains("secret"), "{error}");
    }
}

#[tokio::test]
async fn certificate_authorities_have_to_be_some_and_to_be_of_use() {
    for (url, pem) in [
        ("redis://localhost", "-----BEGIN CERTIFICATE-----"),
        ("rediss://localhost", "nothing"),
        ("rediss://localhost", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"),
    ] {
        let settings =
            RedisSettings { url: url.to_owned().into(), certificate_authorities: Some(pem.into()) };
        assert!(matches!(Store::redis(&settings).await, Err(StoreError::Settings { .. })), "{url} {pem}");
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable() {
    let settings =
        RedisSettings { url: "redis://127.0.0.1:1".to_owned().into(), certificate_authorities: None };
    assert!(matches!(Store::redis(&settings).await, Err(StoreError::Unavailable { .. })));
}

#[tokio::test]
async fn tls_is_checked_against_the_given_authorities() {
    let Some(server) = RedisServer::start_with_tls() else { return };
    let mut settings = server.settings();
    settings.certificate_authorities = None;
    assert!(
        matches!(Store::redis(&settings).await, Err(StoreError::Unavailable { .. })),
        "Mozilla does not know it"
    );
    let range = server.store().await.range(Range::Sessions);
    range.set("a", b"1", LONG).await.unwrap();
    assert_eq!(range.get("a").await.unwrap().as_deref(), Some(&b"1"[..]));
}

#[tokio::test]
async fn a_server_that_was_killed_is_used_again_once_it_is_back() {
    let Some(mut server) = RedisServer::start() else { return };
    let range = server.store().await.range(Range::Sessions);
    range.set("a", b"1", LONG).await.unwrap();
    for _ in 0..3 {
        server.kill();
        assert!(matches!(range.get("a").await, Err(StoreError::Unavailable { .. })));
        assert!(matches!(range.set("a", b"2", LONG).await, Err(StoreError::Unavailable { .. })));
        let term = Term { lifetime: Duration::from_secs(60), patience: Duration::from_secs(60) };
        assert!(matches!(range.lease("a", term).await, Err(StoreError::Unavailable { .. })));
        server.run();
        assert_eq!(until_it_is_back(&range).await.as_deref(), Some(&b"1"[..]));
        assert!(range.swap("a", Some(b"1"), b"1", LONG).await.unwrap(), "scripts are loaded again");
    }
}

/// The value of `a`. A server that has just started may still be loading its data.
async fn until_it_is_back(range: &valet_store::Ranged) -> Option<Vec<u8>> {
    loop {
        match range.get("a").await {
            Ok(value) => return value,
            Err(StoreError::Unavailable { .. }) => tokio::time::sleep(Duration::from_millis(5)).await,
            Err(error) => panic!("{error}"),
        }
    }
}

#[tokio::test]
async fn a_server_that_refuses_for_a_while_is_used_again() {
    let Some(server) = RedisServer::start() else { return };
    let range = server.store().await.range(Range::Sessions);
    range.set("a", b"1", LONG).await.unwrap();
    // A connection that is made now is refused with an answer, not with an error of the network.
    server.cli(&["CONFIG", "SET", "requirepass", "another"]);
    server_cut_off(&server, "another");
    while !matches!(range.get("a").await, Err(StoreError::Unavailable { reason }) if reason.contains("WRONGPASS"))
    {
    }
    assert!(matches!(range.get("a").await, Err(StoreError::Unavailable { .. })));
    server.cli_as("another", &["CONFIG", "SET", "requirepass", PASSWORD]);
    assert_eq!(range.get("a").await.unwrap().as_deref(), Some(&b"1"[..]));
}

/// Closes the connections of all clients.
fn server_cut_off(server: &RedisServer, password: &str) {
    server.cli_as(password, &["CLIENT", "KILL", "TYPE", "normal"]);
}

#[tokio::test]
async fn a_connection_that_the_server_closed_while_idle_is_not_written_to() {
    let Some(server) = RedisServer::start() else { return };
    let range = server.store().await.range(Range::Sessions);
    for round in 0..20_u8 {
        server_cut_off(&server, PASSWORD);
        // The client reads of it as soon as it is let run.
        tokio::time::sleep(Duration::from_millis(20)).await;
        range.set("a", &[round], LONG).await.unwrap();
        assert_eq!(range.get("a").await.unwrap(), Some(vec![round]));
    }
}

#[tokio::test]
async fn two_instances_never_both_take_swap_or_lease() {
    let Some(server) = RedisServer::start() else { return };
    let instances = [server.store().await.range(Range::Grants), server.store().await.range(Range::Grants)];
    let term = Term { lifetime: Duration::from_secs(3600), patience: Duration::from_secs(3600) };
    for round in 0..50 {
        let (code, state) = (format!("code-{round}"), format!("state-{round}"));
        instances[0].set(&code, b"whose", LONG).await.unwrap();
        let (first, second) = tokio::join!(instances[0].take(&code), instances[1].take(&code));
        assert_eq!([first.unwrap(), second.unwrap()].iter().flatten().count(), 1);
        let swaps = tokio::join!(
            instances[0].swap(&state, None, b"0", LONG),
            instances[1].swap(&state, None, b"1", LONG)
        );
        assert!(swaps.0.unwrap() != swaps.1.unwrap());
    }
    let work = instances.map(|range| {
        tokio::spawn(async move {
            for _ in 0..25 {
                let lease = range.lease("session", term).await.unwrap();
                assert!(range.swap("inside", None, b"", None).await.unwrap(), "the other is inside");
                range.delete("inside").await.unwrap();
                lease.release().await.unwrap();
            }
        })
    });
    for instance in work {
        instance.await.unwrap();
    }
}

#[tokio::test]
async fn the_lease_of_a_lost_instance_ends() {
    let Some(server) = RedisServer::start() else { return };
    let (lost, other) =
        (server.store().await.range(Range::Sessions), server.store().await.range(Range::Sessions));
    let lease = lost
        .lease("alice", Term { lifetime: Duration::from_millis(200), patience: Duration::ZERO })
        .await
        .unwrap();
    std::mem::forget(lease);
    drop(lost);
    let next = other
        .lease("alice", Term { lifetime: Duration::from_secs(60), patience: Duration::from_secs(60) })
        .await
        .unwrap();
    assert!(next.release().await.unwrap());
}

#[tokio::test]
async fn a_full_server_refuses_what_is_new_and_lets_delete() {
    let Some(server) = RedisServer::start() else { return };
    let range = server.store().await.range(Range::Sessions);
    range.set("a", b"1", LONG).await.unwrap();
    server.cli(&["CONFIG", "SET", "maxmemory", "1"]);
    assert!(matches!(range.set("b", b"1", LONG).await, Err(StoreError::Full { .. })));
    assert!(matches!(range.swap("a", Some(b"1"), b"2", LONG).await, Err(StoreError::Full { .. })));
    assert_eq!(range.get("a").await.unwrap().as_deref(), Some(&b"1"[..]));
    range.delete("a").await.unwrap();
    server.cli(&["CONFIG", "SET", "maxmemory", "0"]);
    range.set("b", b"1", LONG).await.unwrap();
    assert_eq!(range.names("", "", 9).await.unwrap(), ["b"]);
}

#[tokio::test]
async fn a_replica_is_read_only() {
    let Some(server) = RedisServer::start() else { return };
    let range = server.store().await.range(Range::Sessions);
    range.set("a", b"1", LONG).await.unwrap();
    server.cli(&["REPLICAOF", "127.0.0.1", "1"]);
    assert!(matches!(range.set("a", b"2", LONG).await, Err(StoreError::ReadOnly { .. })));
    assert!(matches!(range.take("a").await, Err(StoreError::ReadOnly { .. })));
    assert_eq!(range.get("a").await.unwrap().as_deref(), Some(&b"1"[..]));
    server.cli(&["REPLICAOF", "NO", "ONE"]);
    range.set("a", b"2", LONG).await.unwrap();
}

#[tokio::test]
async fn keys_of_somebody_else_are_told_apart_from_ours() {
    let Some(server) = RedisServer::start() else { return };
    let range = server.store().await.range(Range::Sessions);
    server.cli(&["LPUSH", "valet:{sessions}=a", "x"]);
    assert!(matches!(range.get("a").await, Err(StoreError::Corrupt { .. })));
    assert!(matches!(range.take("a").await, Err(StoreError::Corrupt { .. })));
    range.set("b", b"1", LONG).await.unwrap();
}

#[tokio::test]
async fn nothing_is_left_of_what_is_over() {
    let Some(server) = RedisServer::start() else { return };
    let range = server.store().await.range(Range::Grants);
    for number in 0..100 {
        range.set(&format!("code-{number}"), b"", Some(Duration::from_millis(20))).await.unwrap();
    }
    tokio::time::sleep(Duration::from_millis(40)).await;
    // Each write sweeps some of what is left of the hundred, whatever it is about.
    for _ in 0..100_usize.div_ceil(SWEPT_ENTRIES) {
        range.delete("absent").await.unwrap();
    }
    assert_eq!(server.cli(&["ZCARD", "valet:{grants}:names"]), "0");
    assert_eq!(server.cli(&["ZCARD", "valet:{grants}:ends"]), "0");
    assert_eq!(range.count("", 1000).await.unwrap(), 0);
}
