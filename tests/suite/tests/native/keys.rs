//! The authority's keys: fetched once, fetched again when it is time, kept while the authority is away.

use std::sync::Arc;
use std::time::Duration;

use entra_emulator::{Endpoint, Fault, Operation, ids};
use serde_json::{Value, json};
use valet_store::{Range, Store, SystemClock};
use valet_suite::check::{Refusal, refused};
use valet_suite::rig::emulator;
use valet_suite::{Ask, Rig, run};

const DOWN: Fault = Fault::Status { code: 503, retry_after: None };
const NOT_READY: (u16, &str) = (503, "not ready; the log says why\n");

fn fetches(rig: &Rig) -> (u64, u64) {
    let faults = rig.emulator.faults();
    (faults.count(Operation::Metadata), faults.count(Operation::Keys))
}

fn unknown_key() -> Refusal {
    let audit = "denied unknown_key: no key has kid `emulator-*`";
    Refusal::challenge(401, "invalid_token", "the token was not accepted", audit)
}

async fn ready(rig: &Rig) -> (u16, String) {
    let answer = rig.send(Ask::get("/readyz")).await;
    (answer.status, answer.body)
}

/// Stops the server, makes its kept keys older by `seconds`, and starts it again: time passes without waiting.
async fn age(rig: &mut Rig, seconds: u64) {
    assert!(rig.process.stop().is_some_and(|status| status.success()));
    {
        let store = Store::disk(&rig.folder.path("store.redb"), SystemClock).await.unwrap();
        let keys = store.range(Range::Keys);
        let names = keys.names("", "", 10).await.unwrap();
        assert_eq!(names.len(), 1, "one authority, one tenant");
        let kept = keys.get(&names[0]).await.unwrap().unwrap();
        let mut entry: Value = serde_json::from_slice(&kept).unwrap();
        for time in ["fetched_at", "attempted_at"] {
            entry[time] = json!(entry[time].as_u64().unwrap() - seconds);
        }
        keys.set(&names[0], entry.to_string().as_bytes(), None).await.unwrap();
    }
    rig.restart().await;
}

async fn aged(seconds: u64) -> Rig {
    let mut rig = Rig::start_with(emulator().await, valet_suite::config::Config::on_disk).await;
    rig.call("whoami", &rig.token(ids::ADELE_UPN)).await.result();
    assert_eq!(fetches(&rig), (1, 1));
    age(&mut rig, seconds).await;
    rig
}

#[test]
fn a_flood_of_unknown_keys_costs_nothing_while_keys_are_fresh() {
    run(async {
        let rig = Rig::own().await;
        rig.call("whoami", &rig.token(ids::ADELE_UPN)).await.result();
        rig.emulator.rotate_keys().unwrap();
        // Not yet: keys were fetched less than five minutes ago.
        for _ in 0..50 {
            let answer = rig.call("whoami", &rig.token(ids::ADELE_UPN)).await;
            assert_eq!((answer.status, answer.body.as_str()), (401, &*unknown_key().body));
        }
        assert_eq!(fetches(&rig), (1, 1));
    });
}

#[test]
fn a_new_key_is_known_with_its_first_token_and_a_removed_one_no_more() {
    run(async {
        let rig = aged(301).await;
        let (old, old_kid) = (rig.token(ids::ADELE_UPN), rig.emulator.signing_kid());
        rig.call("whoami", &old).await.result();
        assert_eq!(fetches(&rig), (1, 1), "known keys need no fetch");
        rig.emulator.rotate_keys().unwrap();
        assert!(rig.emulator.remove_key(&old_kid));
        rig.renew();
        rig.call("whoami", &rig.token(ids::ADELE_UPN)).await.result();
        assert_eq!(fetches(&rig), (2, 2), "one fetch for the new key");
        for _ in 0..20 {
            refused(&rig, "removed", Ask::tool("whoami").bearer(&old), &unknown_key()).await;
        }
        assert_eq!(fetches(&rig), (2, 2), "and none for a flood of the old one");
    });
}

#[test]
fn a_removed_key_ends_with_the_set_that_has_it() {
    run(async {
        let rig = aged(60 * 60 + 1).await;
        let (old, old_kid) = (rig.token(ids::ADELE_UPN), rig.emulator.signing_kid());
        rig.emulator.rotate_keys().unwrap();
        assert!(rig.emulator.remove_key(&old_kid));
        rig.renew();
        // Nobody has shown a new key: the hour alone is what asks again.
        refused(&rig, "removed", Ask::tool("whoami").bearer(&old), &unknown_key()).await;
        assert_eq!(fetches(&rig), (2, 2));
    });
}

#[test]
fn a_flood_of_unknown_keys_costs_one_fetch_when_one_is_due() {
    run(async {
        let rig = Arc::new(aged(301).await);
        let token = rig.token(ids::ADELE_UPN);
        let unknown = rig.emulator.header(entra_emulator::TokenVersion::V2, entra_emulator::Signer::Removed);
        let unknown = rig.keep(rig.emulator.forge(unknown, rig.claims(), entra_emulator::Signer::Removed));
        let mut flood = tokio::task::JoinSet::new();
        for number in 0..50 {
            let (rig, token) =
                (Arc::clone(&rig), if number % 5 == 0 { token.clone() } else { unknown.clone() });
            flood.spawn(async move {
                assert_eq!(rig.call("whoami", &token).await.status, if number % 5 == 0 { 200 } else { 401 })
            });
        }
        flood.join_all().await;
        assert_eq!(fetches(&rig), (2, 2));
    });
}

#[test]
fn a_flood_before_the_first_keys_costs_one_fetch() {
    run(async {
        let rig = Arc::new(Rig::own().await);
        rig.emulator.faults().set(Endpoint::Metadata, Fault::Delay(Duration::from_millis(500)));
        let mut flood = tokio::task::JoinSet::new();
        for _ in 0..20 {
            let rig = Arc::clone(&rig);
            flood.spawn(async move { rig.call("whoami", &rig.token(ids::ADELE_UPN)).await.result() });
        }
        flood.join_all().await;
        assert_eq!(fetches(&rig), (1, 1));
        rig.call("whoami", &rig.token(ids::ADELE_UPN)).await.result();
    });
}

#[test]
fn known_keys_go_on_for_a_day_while_the_authority_is_away() {
    run(async {
        let mut rig = aged(2 * 60 * 60).await;
        let token = rig.token(ids::ADELE_UPN);
        rig.emulator.faults().set(Endpoint::Metadata, DOWN);
        for _ in 0..5 {
            rig.call("whoami", &token).await.result();
        }
        assert_eq!(fetches(&rig), (2, 1), "one attempt, then not again for five minutes");
        assert_eq!(ready(&rig).await.0, 200);
        age(&mut rig, 25 * 60 * 60).await;
        let answer = rig.call("whoami", &token).await;
        assert_eq!((answer.status, answer.body.as_str(), answer.field("retry-after")), (503, "", "5"));
        assert_eq!(ready(&rig).await.0, 503);
        rig.emulator.faults().clear_all();
        tokio::time::sleep(Duration::from_millis(2100)).await;
        rig.call("whoami", &token).await.result();
    });
}

#[test]
fn a_server_that_starts_before_its_authority_recovers_by_itself() {
    run(async {
        for endpoint in [Endpoint::Keys, Endpoint::Metadata] {
            let emulator = emulator().await;
            emulator.faults().set(endpoint, DOWN);
            let rig = Rig::start_with(emulator, |config| config).await;
            assert_eq!(rig.send(Ask::get("/healthz")).await.status, 200, "alive");
            let mark = rig.log().mark();
            let (status, body) = ready(&rig).await;
            assert_eq!((status, body.as_str()), NOT_READY);
            let event = rig.log().wait(mark, "reason", |event| event["message"] == "not ready").await;
            let why = event["why"].as_str().unwrap();
            assert!(
                why.starts_with("the authority's keys could not be fetched: https://localhost:"),
                "{why}"
            );
            assert!(why.ends_with(" answered with status 503"), "{why}");
            let answer = rig.call("whoami", &rig.token(ids::ADELE_UPN)).await;
            assert_eq!((answer.status, answer.body.as_str(), answer.field("retry-after")), (503, "", "5"));
            let event = rig.log().wait(mark, "audit event", valet_suite::log::is_audit).await;
            let line = valet_suite::log::audit_line(&event);
            assert!(
                line.starts_with("failed unavailable: the last fetch of keys failed; the next is due in "),
                "{line}"
            );
            rig.emulator.faults().clear_all();
            tokio::time::sleep(Duration::from_millis(2100)).await;
            assert_eq!(ready(&rig).await, (200, "ready\n".to_owned()));
            rig.call("whoami", &rig.token(ids::ADELE_UPN)).await.result();
        }
    });
}

#[test]
fn an_emulator_is_trusted_only_if_that_is_said() {
    run(async {
        let rig = Rig::changed(|config| config.set("entra.emulator", false)).await;
        let mark = rig.log().mark();
        assert_eq!(ready(&rig).await.0, 503);
        let event = rig.log().wait(mark, "reason", |event| event["message"] == "not ready").await;
        let why = "the authority's discovery document was refused: the authority is an emulator; set `entra.emulator` if that is meant";
        assert_eq!(event["why"], why);
        assert_eq!(rig.call("whoami", &rig.token(ids::ADELE_UPN)).await.status, 503);
    });
}

#[test]
fn a_certificate_that_is_not_trusted_and_an_address_that_is_not_allowed() {
    run(async {
        for (name, without, why) in [
            (
                "untrusted",
                "egress.ca_file",
                "cannot be reached: no TLS session: invalid peer certificate: UnknownIssuer; certificate authorities beside the public ones belong into egress.ca_file",
            ),
            (
                "private",
                "egress.allow_private_addresses",
                "is out of reach: *localhost resolves to private addresses only *; set egress.allow_private_addresses to allow them",
            ),
        ] {
            let rig = Rig::changed(|config| config.without(without)).await;
            let mark = rig.log().mark();
            assert_eq!(ready(&rig).await.0, 503, "{name}");
            let event = rig.log().wait(mark, "reason", |event| event["message"] == "not ready").await;
            let found = event["why"].as_str().unwrap();
            assert!(
                valet_suite::check::like(
                    &format!("the authority's keys could not be fetched: *{why}"),
                    found
                ),
                "{found}"
            );
        }
    });
}

#[test]
fn what_is_kept_holds_no_token() {
    run(async {
        let mut rig = Rig::start_with(emulator().await, valet_suite::config::Config::on_disk).await;
        rig.call("GetUserDetailsFromGraph", &rig.token(ids::ADELE_UPN)).await.result();
        assert!(rig.process.stop().is_some_and(|status| status.success()));
        let path = rig.folder.path("store.redb");
        let bytes = std::fs::read(path).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        assert!(text.contains("obo-") && text.contains("fetched_at"), "something is kept");
        assert!(!text.contains("eyJ") && !text.contains("access_token"), "and it is sealed");
    });
}
